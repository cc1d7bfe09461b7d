/** What is going on, for those who wait. */
export function progress(text: string): void {
  console.error(`  ${text}`)
}
