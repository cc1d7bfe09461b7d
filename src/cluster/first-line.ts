/** Of what a stranger wrote, what fits into a message: the first line, 200 characters at most, no control characters. */
export function firstLine(text: string): string {
  return (text.trim().split('\n', 1)[0] ?? '').replaceAll(/\p{Cc}/gu, ' ').slice(0, 200)
}
