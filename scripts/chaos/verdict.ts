import type { ChaosOutcome } from './run.ts'

/** What must not be, in words; empty: all is well. A run that saw nothing is not. */
export function problemsIn({
  problems,
  crashes,
  leftovers,
  effective,
  allowed,
  kills,
}: ChaosOutcome): readonly string[] {
  const unkilled = Object.entries(kills).filter(([, count]) => count === 0)
  return [
    ...problems,
    ...crashes,
    ...leftovers.map((leftover) => `left over: ${leftover}`),
    ...unkilled.map(([victim]) => `${victim} was never killed`),
    ...(effective === 0 || allowed === 0 ? ['nobody was ever seen to be allowed anything'] : []),
  ]
}
