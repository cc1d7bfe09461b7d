import { spawn, type ChildProcess } from 'node:child_process'
import { openSync, closeSync, readdirSync, readFileSync } from 'node:fs'
import { once } from 'node:events'

import type { ControlPlanePart } from './control-plane.ts'
import { eventually } from './eventually.ts'

export interface PartProcessOptions {
  readonly name: string
  /** The controlplane program. */
  readonly program: string
  readonly flags: readonly string[]
  /** stdout and stderr are appended to it. */
  readonly logPath: string
  /** Whether it serves. */
  readonly isReady: () => Promise<boolean>
  readonly deadlineMs: number
}

/** One part as a process of its own, in a process group of its own: a terminal's Ctrl-C does not reach it. */
export class PartProcess implements ControlPlanePart {
  readonly #options: PartProcessOptions
  #child: ChildProcess | null = null

  constructor(options: PartProcessOptions) {
    this.#options = options
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error(`${this.#options.name} was not started`)
    return pid
  }

  start(): void {
    const { program, name, flags, logPath } = this.#options
    const log = openSync(logPath, 'a')
    this.#child = spawn(program, [name, ...flags], {
      stdio: ['pipe', log, log], // stdin: the end of this process is the end of the part
      env: { PATH: process.env['PATH'], CONTROLPLANE_DIE_WITH_STDIN: '1' },
      detached: true,
    })
    this.#child.on('error', () => undefined) // told by ready()
    closeSync(log)
  }

  /** Resolves when the part serves; fails when it has ended or the deadline is over, with the end of its log. */
  async ready(): Promise<void> {
    const { name, isReady, deadlineMs } = this.#options
    try {
      const ready = await eventually(
        `${name} is ready`,
        async () => (this.#hasEnded() || (await isReady()) ? true : undefined),
        deadlineMs,
      )
      if (ready && this.#hasEnded())
        throw new Error(`${name} ended (${this.#child?.exitCode ?? this.#child?.signalCode})`)
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.log(20)}`, { cause: error })
    }
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === null || this.#hasEnded()) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  /** The same, without waiting. */
  killNow(): void {
    this.#child?.kill('SIGKILL')
  }

  pause(): void {
    const { pid } = this
    process.kill(pid, 'SIGSTOP')
    while (!hasStopped(pid)); // each thread stops in its own time, within microseconds
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  async restart(): Promise<void> {
    await this.kill()
    this.start()
    await this.ready()
  }

  log(lines = 50): string {
    return readFileSync(this.#options.logPath, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  }

  #hasEnded(): boolean {
    return (
      this.#child === null ||
      this.#child.pid === undefined ||
      this.#child.exitCode !== null ||
      this.#child.signalCode !== null
    )
  }
}

/** Whether no thread of the process runs. */
function hasStopped(pid: number): boolean {
  const threads = readdirSync(`/proc/${pid}/task`)
  return threads.every((thread) => /\) [Tt] /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')))
}
