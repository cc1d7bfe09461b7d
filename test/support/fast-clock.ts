import type { Instant, Millis } from '../../src/core/time.ts'
import { systemClock, type Clock } from '../../src/runtime/clock.ts'

interface Alarm {
  readonly at: Millis
  readonly action: () => void
  callOff: () => void
}

/** Time that passes `factor` times as fast as it does: for a wait of minutes within seconds. */
export class FastClock implements Clock {
  readonly #start: Instant = systemClock.now()
  readonly #alarms = new Set<Alarm>()
  #factor: number
  /** What it said when the factor was set, and when that was. */
  #said: Millis = 0
  #since: Millis = systemClock.monotonic()

  constructor(factor: number) {
    this.#factor = factor
  }

  /** From now on time passes that fast, for what waits already too. */
  set factor(factor: number) {
    this.#said = this.monotonic()
    this.#since = systemClock.monotonic()
    this.#factor = factor
    for (const alarm of this.#alarms) this.#arm(alarm)
  }

  now(): Instant {
    return this.#start + this.monotonic()
  }

  monotonic(): Millis {
    return this.#said + (systemClock.monotonic() - this.#since) * this.#factor
  }

  after(delay: Millis, action: () => void): () => void {
    const alarm = { at: this.monotonic() + delay, action, callOff: () => {} }
    this.#alarms.add(alarm)
    this.#arm(alarm)
    return () => {
      alarm.callOff()
      this.#alarms.delete(alarm)
    }
  }

  #arm(alarm: Alarm): void {
    alarm.callOff()
    alarm.callOff = systemClock.after((alarm.at - this.monotonic()) / this.#factor, () => {
      this.#alarms.delete(alarm)
      alarm.action()
    })
  }
}
