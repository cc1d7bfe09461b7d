import type { Instant } from '../core/time.ts'

/** Where a command writes. Data goes to stdout, everything else to stderr. */
export interface Output {
  write(text: string): void
  readonly isTerminal: boolean
}

/** All that a command sees of the process that it runs in. */
export interface CommandIo {
  readonly stdout: Output
  readonly stderr: Output
  /** Everything that stdin holds, to its end. */
  readonly stdin: () => Promise<Uint8Array>
  /** What the user answers, without the line's end; null: there is nobody at a terminal, or no answer. */
  readonly ask: (question: string) => Promise<string | null>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute; relative paths among the arguments start here. */
  readonly cwd: string
  readonly now: () => Instant
}

/** What every module of a command exports. `argv` is what follows the command's name; the result is the exit code. */
export type Run = (argv: readonly string[], io: CommandIo) => Promise<number>

export const exitCodes = {
  ok: 0,
  /** Findings, or a refusal. */
  refused: 1,
  usage: 2,
  /** Input that is unreadable or invalid. */
  badInput: 3,
  /** The cluster cannot be reached, or does not permit it. */
  cluster: 4,
  /** The controller's lease was lost: another may be at work. */
  leaseLost: 5,
  /** What was asked for may still come: the time to wait for it was over. */
  waiting: 6,
  /** By SIGTERM, before there was anything to finish; 128 and the number of the signal, as shells have it. */
  terminated: 143,
  /** A defect of ours. */
  defect: 70,
} as const
