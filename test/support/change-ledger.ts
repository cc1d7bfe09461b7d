import { isDeepStrictEqual } from 'node:util'

import type { Change, KubeObject } from '../../src/cluster/ports.ts'

/** What became of an object: the version that it has now, as `UID@resourceVersion`, or that it is gone. */
export type Entry = string

export const gone: Entry = 'gone'

export function versionOf({
  metadata,
}: {
  readonly metadata?: { readonly uid?: string; readonly resourceVersion?: string }
}): Entry {
  return `${metadata?.uid}@${metadata?.resourceVersion}`
}

/** What a cache told of the objects of one namespace, by name and in order. Keeps no object, so that it may grow for long. */
export class ChangeLedger {
  /** How the changes contradict each other or the cache's contract, as sentences. */
  readonly contradictions: string[] = []
  readonly #entries = new Map<string, Entry[]>()
  #changes = 0

  /** How many changes were taken down. */
  get changes(): number {
    return this.#changes
  }

  /** Empty for an object that nothing was told of. */
  entriesOf(name: string): readonly Entry[] {
    return this.#entries.get(name) ?? []
  }

  /** All that exist, by what was told of them: their versions by name. */
  fold(): ReadonlyMap<string, Entry> {
    const last = Array.from(this.#entries, ([name, entries]) => [name, entries.at(-1) ?? gone] as const)
    return new Map(last.filter(([, entry]) => entry !== gone))
  }

  /**
   * Where what was told departs from what was written, as sentences. `every`: each version was to be told. `last`: those
   * in between may be missing, as after a re-list.
   */
  departures(history: ReadonlyMap<string, readonly Entry[]>, versions: 'every' | 'last'): readonly string[] {
    return [...history].flatMap(([name, written]) => {
      const told = this.entriesOf(name)
      const isTrue = versions === 'every' ? isDeepStrictEqual(told, written) : isPartOf(told, written)
      return isTrue ? [] : [`${name} was ${written.join(', ')}; told was ${told.join(', ')}`]
    })
  }

  take({ key: { name }, before, after }: Change<KubeObject>): void {
    this.#changes += 1
    const entries = this.#entries.get(name) ?? []
    const known = entries.at(-1) ?? gone
    const told = before === null ? gone : versionOf(before)
    if (told !== known) this.contradictions.push(`${name} was ${known} and is said to have been ${told}`)
    if (before === null && after === null) this.contradictions.push(`${name} never was and is gone`)
    if (before !== null && after !== null && before.metadata.uid !== after.metadata.uid)
      this.contradictions.push(`${name} turned from ${told} into another object, ${versionOf(after)}`)
    this.#entries.set(name, [...entries, after === null ? gone : versionOf(after)])
  }
}

/** Whether all of the entries are among the others, in that order. */
export function isPartOf(entries: readonly Entry[], whole: readonly Entry[]): boolean {
  let from = 0
  return entries.every((entry) => {
    from = whole.indexOf(entry, from) + 1
    return from > 0
  })
}
