import { setTimeout as delay } from 'node:timers/promises'

import type { Millis } from '../../src/core/time.ts'
import type { AdminApi, KubeObject } from './admin-api.ts'
import { gone, versionOf, type Entry } from './change-ledger.ts'

/** Of two, three and four bytes in UTF-8. */
export const manyBytes = 'ñ ü – € 漢字 🦔'

/** The same numbers in [0, 1) for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Creates, changes, deletes and re-creates ConfigMaps, one write after the other, and keeps account of it. */
export class Churn {
  /** What became of each object, by name and in order. */
  readonly history = new Map<string, Entry[]>()
  readonly #admin: AdminApi
  readonly #path: string
  readonly #names: readonly string[]
  readonly #random: () => number
  #writes = 0

  /** Of the given number of names. `admin` must reach the API server without a fault. */
  constructor(admin: AdminApi, namespace: string, names: number, seed = 1) {
    this.#admin = admin
    this.#path = `/api/v1/namespaces/${namespace}/configmaps`
    this.#names = Array.from({ length: names }, (_, n) => `churned-${n}`)
    this.#random = seeded(seed)
  }

  /** Keeps of each object only what it is now, and nothing of those that are gone. */
  forgetPast(): void {
    for (const [name, entries] of this.history) {
      const last = entries.at(-1) ?? gone
      if (last === gone) this.history.delete(name)
      else this.history.set(name, [last])
    }
  }

  /** That many writes. */
  async write(count: number): Promise<void> {
    for (let n = 0; n < count; n++) await this.#step()
  }

  /** Writes, with that pause after each, until the signal. */
  async writeUntil(end: AbortSignal, pause: Millis): Promise<void> {
    while (!end.aborted) {
      await this.#step()
      await delay(pause)
    }
  }

  /** Deletes every object there is and creates another of its name; creates those that are missing. */
  async replaceAll(): Promise<void> {
    for (const name of this.#names) {
      if (this.#exists(name)) await this.#delete(name)
      await this.#create(name)
    }
  }

  async #step(): Promise<void> {
    const name = this.#names[Math.floor(this.#random() * this.#names.length)]!
    if (!this.#exists(name)) return this.#create(name)
    return this.#random() < 0.3 ? this.#delete(name) : this.#change(name)
  }

  #exists(name: string): boolean {
    return (this.history.get(name)?.at(-1) ?? gone) !== gone
  }

  async #create(name: string): Promise<void> {
    const created = await this.#admin.create(this.#path, { metadata: { name }, data: this.#data() })
    this.#note(name, versionOf(created))
  }

  async #change(name: string): Promise<void> {
    const changed: KubeObject = await this.#admin.patch(`${this.#path}/${name}`, { data: this.#data() })
    this.#note(name, versionOf(changed))
  }

  async #delete(name: string): Promise<void> {
    await this.#admin.delete(`${this.#path}/${name}`)
    this.#note(name, gone)
  }

  #data(): object {
    this.#writes += 1
    return { write: String(this.#writes), text: manyBytes }
  }

  #note(name: string, entry: Entry): void {
    this.history.set(name, [...(this.history.get(name) ?? []), entry])
  }
}
