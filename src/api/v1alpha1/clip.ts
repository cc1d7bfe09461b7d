/** As much of a text as a status holds of one: names of bindings, and what others write, have no end. */
const most = 2_048

/** A text that fits, and says where it was cut. */
export function clip(text: string, length: number = most): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}
