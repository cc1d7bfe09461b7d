import { setImmediate } from 'node:timers/promises'
import type { Instant, Millis } from '../../src/core/time.ts'
import type { TwoSidedClock } from '../../src/runtime/clock.ts'

interface Alarm {
  at: Instant
  readonly action: () => void
}

/** Time that stands still until a test moves it. */
export class FakeClock implements TwoSidedClock {
  #now: Instant
  #elapsed: Millis = 1_000
  #alarms: readonly Alarm[] = []

  constructor(now: Instant = Date.UTC(2026, 0, 1)) {
    this.#now = now
  }

  /** How many actions wait for their time. */
  get pending(): number {
    return this.#alarms.length
  }

  now(): Instant {
    return this.#now
  }

  earliest(): Instant {
    return this.#now
  }

  monotonic(): Millis {
    return this.#elapsed
  }

  after(delay: Millis, action: () => void): () => void {
    const alarm = { at: this.#now + Math.max(delay, 0), action }
    // in the order of their time, and of their making within one instant
    const later = this.#alarms.findIndex(({ at }) => at > alarm.at)
    this.#alarms = this.#alarms.toSpliced(later === -1 ? this.#alarms.length : later, 0, alarm)
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm)
    }
  }

  /** Moves time on and runs, in order and each at its own instant, every action that falls due; promises settle in between. */
  async advance(by: Millis): Promise<void> {
    const end = this.#now + by
    await setImmediate()
    for (let next = this.#alarms[0]; next !== undefined && next.at <= end; next = this.#alarms[0]) {
      this.#alarms = this.#alarms.slice(1)
      this.#moveTo(Math.max(this.#now, next.at))
      next.action()
      await setImmediate()
    }
    this.#moveTo(end)
    await setImmediate()
  }

  /** Time goes by and nothing runs, as when the process is stopped; what falls due meanwhile runs at the next advance. */
  block(time: Millis): void {
    this.#moveTo(this.#now + time)
  }

  /** The wall clock is set to another time: nothing falls due earlier or later by that. */
  jump(by: Millis): void {
    this.#now += by
    for (const alarm of this.#alarms) alarm.at += by
  }

  #moveTo(instant: Instant): void {
    this.#elapsed += instant - this.#now
    this.#now = instant
  }
}
