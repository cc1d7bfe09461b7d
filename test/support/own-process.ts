import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const mostGrowth = 16 * 2 ** 20

/** Bytes of heap in use after everything unreachable has been collected. */
export function heapInUse(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}

/** Watches over this process while something that must not harm it goes on. */
export class ProcessWatch {
  readonly #rejections: unknown[] = []
  readonly #heapAtStart = heapInUse()
  readonly #note = (reason: unknown): unknown => this.#rejections.push(reason)

  begin(): void {
    process.on('unhandledRejection', this.#note)
  }

  /** Fails if a rejection was not handled, or the heap has grown by 16 MiB. */
  end(): void {
    process.off('unhandledRejection', this.#note)
    if (this.#rejections.length > 0) throw new Error('a rejection was not handled', { cause: this.#rejections[0] })
    const growth = heapInUse() - this.#heapAtStart
    if (growth > mostGrowth) throw new Error(`the heap has grown by ${growth} bytes`)
  }
}
