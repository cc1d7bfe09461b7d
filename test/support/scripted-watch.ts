import type { ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'

const atOnce = ['end', 'reset', 'stall', 'error-410', 'error-500'] as const
const atNextEvent = ['malformed', 'unknown-type', 'cut-end', 'cut-fin', 'cut-reset'] as const

/**
 * What becomes of an open watch. stall: silence without an end. malformed, unknown-type: the next event is spoilt, those
 * behind it are not. cut-…: the next event breaks off inside of a character, and the watch with it: in order, by FIN, by
 * RST.
 */
export const breakages = [...atOnce, ...atNextEvent] as const
export type Breakage = (typeof breakages)[number]
type AtNextEvent = (typeof atNextEvent)[number]

/** One watch, as its server holds it. Nothing that it sends comes in one piece: each delivery is cut inside of a character. */
export class ScriptedWatch {
  readonly #response: ServerResponse
  readonly #onBroken: (how: Breakage) => void
  #state: 'open' | 'over' | AtNextEvent = 'open'
  #events: object[] = []
  #isSending = false

  /** `onBroken` is called when a breakage takes effect. */
  constructor(response: ServerResponse, onBroken: (how: Breakage) => void) {
    this.#response = response
    this.#onBroken = onBroken
    response.flushHeaders()
    response.on('close', () => (this.#state = 'over'))
  }

  deliver(events: readonly object[]): void {
    this.#events.push(...events)
    if (!this.#isSending) void this.#send()
  }

  break(how: Breakage): void {
    if (this.#state === 'over') return
    if (isAtNextEvent(how)) {
      this.#state = how
      return
    }
    this.#state = 'over'
    this.#onBroken(how)
    if (how === 'end') this.#response.end()
    else if (how === 'reset') this.#response.socket?.resetAndDestroy()
    else if (how !== 'stall') this.#response.write(`${JSON.stringify(errors[how])}\n`)
  }

  /** What was to become of the next event will not. */
  calm(): void {
    if (this.#state !== 'over') this.#state = 'open'
  }

  async #send(): Promise<void> {
    this.#isSending = true
    while (this.#events.length > 0 && this.#state !== 'over') {
      const how = this.#state
      const bytes = spoilt(this.#events.splice(0), how)
      const middle = insideOfCharacter(bytes)
      if (how !== 'open') this.#onBroken(how)
      if (how === 'cut-end' || how === 'cut-fin' || how === 'cut-reset')
        return this.#cut(bytes.subarray(0, middle), how)
      this.#state = 'open'
      this.#response.write(bytes.subarray(0, middle))
      for (const _ of [1, 2, 3]) await setImmediate() // or the reader finds both pieces at once
      if (!this.#isOver()) this.#response.write(bytes.subarray(middle))
    }
    this.#isSending = false
  }

  /** A method, because the state changes while others wait. */
  #isOver(): boolean {
    return this.#state === 'over'
  }

  #cut(head: Buffer, how: 'cut-end' | 'cut-fin' | 'cut-reset'): void {
    const { socket } = this.#response
    this.#state = 'over'
    if (how === 'cut-end') this.#response.end(head)
    else this.#response.write(head, () => (how === 'cut-fin' ? socket?.destroy() : socket?.resetAndDestroy()))
  }
}

const errors = {
  'error-410': { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } },
  'error-500': { type: 'ERROR', object: { kind: 'Status', code: 500 } },
}

function isAtNextEvent(how: Breakage): how is AtNextEvent {
  return (atNextEvent as readonly Breakage[]).includes(how)
}

/** The events as lines; the last of them as that breakage leaves it. */
function spoilt(events: readonly object[], how: 'open' | AtNextEvent): Buffer {
  const lines = events.map((event) => JSON.stringify(event))
  const last = lines.pop() ?? ''
  if (how === 'malformed') lines.push(last.slice(0, -10))
  else if (how === 'unknown-type') lines.push(JSON.stringify({ ...events.at(-1), type: 'RENAMED' }))
  else lines.push(last)
  return Buffer.from(lines.map((line) => `${line}\n`).join(''))
}

/** Behind the first byte of the last character that has several; the middle when there is none. */
function insideOfCharacter(bytes: Buffer): number {
  const lead = bytes.findLastIndex((byte) => byte >= 0xc0)
  return lead === -1 ? bytes.length >> 1 : lead + 1
}
