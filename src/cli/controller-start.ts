import type { Controllers } from '../controllers/controllers.ts'
import type { Reflector } from '../cluster/reflector.ts'
import type { Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Elector } from '../runtime/elector.ts'
import type { Log } from '../runtime/log.ts'

type StartedCache = Pick<Reflector, 'start' | 'whenSynced' | 'refresh'>

export interface ControllerStartParts {
  readonly lease: { readonly elector: Pick<Elector, 'look' | 'isReleased' | 'wasFree'>; win(): Promise<void> }
  /** All that the controllers live on. */
  readonly caches: readonly StartedCache[]
  /** Those among them of the bindings that carry grants. */
  readonly bindings: readonly StartedCache[]
  readonly controllers: Pick<Controllers, 'start' | 'takeOver'>
  /** Removes what is over by what is written on it. */
  readonly endOverdue: () => Promise<void>
  readonly clock: Pick<Clock, 'after'>
  readonly log: Log
  /** This process leads and does not come to work: another must. */
  readonly onStuck: (reason: string) => void
}

/** Who leads must know everything by then. */
const patience: Millis = 30_000

/**
 * From nothing to controllers that work. Whoever may have to wait for the lease fills his caches first, so that he can take over at
 * once. Who finds it given back takes it first, and removes what came to its end meanwhile before he knows all else.
 */
export class ControllerStart {
  readonly #parts: ControllerStartParts
  #removal: Promise<void> = Promise.resolve()
  #hasStarted = false
  #callOff: () => void = () => {}

  constructor(parts: ControllerStartParts) {
    this.#parts = parts
  }

  /** Resolves when the controllers work. Rejects when a cache is stopped before. */
  async run(): Promise<void> {
    const { lease, caches, bindings, controllers, log } = this.#parts
    // before the first list: see Elector.wasFree
    await lease.elector.look()
    for (const cache of bindings) cache.start()
    if (lease.elector.isReleased) {
      this.#takeOffice().catch(() => {}) // a cache was stopped, of which we hear as well
      await synced(bindings)
    }
    for (const cache of caches) cache.start()
    await synced(caches)
    log.info('caches are filled')
    await lease.win()
    if (lease.elector.wasFree) controllers.start()
    else await controllers.takeOver(caches)
    this.#hasStarted = true
    this.#callOff()
  }

  /** Resolves when no removal is under way. */
  drain(): Promise<void> {
    return this.#removal
  }

  async #takeOffice(): Promise<void> {
    const { lease, bindings, endOverdue, clock, onStuck } = this.#parts
    await lease.win()
    // somebody was faster, and has led since
    if (!lease.elector.wasFree) return
    if (!this.#hasStarted) this.#callOff = clock.after(patience, () => onStuck('the caches were not filled in time'))
    await synced(bindings)
    this.#removal = endOverdue()
    await this.#removal
  }
}

async function synced(caches: readonly StartedCache[]): Promise<void> {
  await Promise.all(caches.map((cache) => cache.whenSynced()))
}
