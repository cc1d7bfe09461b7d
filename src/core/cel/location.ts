/** Where an offset of a text is; both count from 1. */
export interface Location {
  readonly line: number
  readonly column: number
}

export function locate(text: string, offset: number): Location {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/)
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 }
}
