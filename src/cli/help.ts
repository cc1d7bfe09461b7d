/** What `lapse --help` prints. */
export function overview(summaries: readonly (readonly [name: string, summary: string])[]): string {
  const width = Math.max(...summaries.map(([name]) => name.length))
  const lines = summaries.map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`)
  return `lapse gives machine identities access that ends by itself.

usage: lapse COMMAND [OPTION…]

${lines.join('\n')}

lapse COMMAND --help says more of a command.

exit codes: 0 clean, 1 findings or a refusal, 2 wrong usage, 3 unreadable or invalid input,
4 cluster unreachable or not permitted, 5 the controller's lease was lost, 6 still waiting, 70 a defect of lapse.
`
}

/** The known word that a mistyped one most likely stands for; null: none is near. */
export function nearest(word: string, known: readonly string[]): string | null {
  const ranked = known.map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
  const [best] = ranked.sort((a, b) => a.distance - b.distance)
  return best !== undefined && best.distance <= Math.max(2, Math.floor(word.length / 3)) ? best.candidate : null
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [i, letter] of a.split('').entries()) {
    const next = [i + 1]
    for (const [j, other] of b.split('').entries()) {
      const change = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
