import type { ClusterSession } from '../../src/cli/cluster-session.ts'
import type { CommandIo } from '../../src/cli/command.ts'
import { now } from './fake-io.ts'

/** A session of which only what is given may be used. Its clock stands still, but for a pause, which takes as long as it says. */
export function sessionOf(given: { readonly client: object; readonly transport?: object }): ClusterSession {
  let passed = 0
  const after = (delay: number, act: () => void): (() => void) => {
    const timer = setImmediate(() => {
      passed += delay
      act()
    })
    return () => clearImmediate(timer)
  }
  const clock = { now: () => now + passed, monotonic: () => passed, after }
  return { namespace: 'payments', now: () => now, clock, ...given } as unknown as ClusterSession
}

/** What a command wrote, for one that uses nothing else. */
export function written(): CommandIo & { readonly out: string; readonly err: string } {
  const texts = { out: '', err: '' }
  const io = {
    stdout: { write: (text: string) => void (texts.out += text), isTerminal: false },
    stderr: { write: (text: string) => void (texts.err += text), isTerminal: false },
    get out() {
      return texts.out
    },
    get err() {
      return texts.err
    },
  }
  return io as unknown as ReturnType<typeof written>
}
