/**
 * Text that comes from an object, or from whoever answers for the cluster, as part of one line of ours. It may hold line
 * breaks that pass for our own, and sequences that a terminal obeys: names of RBAC objects may hold anything.
 */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}

/** Lines of ours, each of which is one on the terminal too. */
export function linesOfText(lines: readonly string[]): string {
  return lines.map((line) => `${oneLine(line)}\n`).join('')
}

/** Text in lines of its own, to a terminal that obeys none of it. */
export function ownLines(text: string): string {
  return text.split('\n').map(oneLine).join('\n')
}
