import { seeded } from '../../test/support/churn.ts'

/** Choices that look random and are the same for the same seed. */
export class Dice {
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = seeded(seed)
  }

  between(least: number, most: number): number {
    return least + this.#next() * (most - least)
  }

  /** True in that share of all cases. */
  chance(share: number): boolean {
    return this.#next() < share
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.#next() * items.length)]
    if (item === undefined) throw new Error('there is nothing to pick from')
    return item
  }

  shuffled<T>(items: readonly T[]): readonly T[] {
    return items
      .map((item) => ({ item, place: this.#next() }))
      .sort((a, b) => a.place - b.place)
      .map(({ item }) => item)
  }
}
