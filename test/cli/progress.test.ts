import { expect } from 'chai'
import { Progress } from '../../src/cli/progress.ts'
import type { CommandIo } from '../../src/cli/command.ts'

describe('Progress', () => {
  const line = '\r\u001B[K'
  for (const [sentence, steps, given, written] of [
    ['says nothing within half a second', [0, 100, 499], {}, []],
    ['says where the work is after that, and cleans up', [100, 500], {}, [`${line}at 500`, line]],
    ['says it ten times a second', [500, 599, 600, 601], {}, [`${line}at 500`, `${line}at 600`, line]],
    ['says nothing where nobody watches', [900], { isTerminal: false }, []],
    ['says nothing to a terminal that cannot take back a line', [900], { env: { TERM: 'dumb' } }, []],
  ] as const) {
    it(sentence, () => expect(shown(steps, given)).to.deep.equal(written))
  }
})

/** What is written when the work is asked about at these milliseconds. */
function shown(
  steps: readonly number[],
  { isTerminal = true, env = {} }: { readonly isTerminal?: boolean; readonly env?: CommandIo['env'] } = {},
): readonly string[] {
  const written: string[] = []
  let now = 0
  const progress = new Progress({
    stdout: { write: () => {}, isTerminal },
    stderr: { write: (text) => void written.push(text), isTerminal },
    stdin: () => Promise.resolve(new Uint8Array()),
    ask: () => Promise.resolve(null),
    env,
    cwd: '/',
    now: () => now,
  })
  for (const step of steps) {
    now = step
    progress.at(() => `at ${step}`)
  }
  progress.end()
  progress.end()
  return written
}
