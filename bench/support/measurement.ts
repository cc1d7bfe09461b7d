/** One figure of a run. The field names are those of bench/results.json, which others read. */
export interface Measurement {
  /** `area/what` */
  readonly name: string
  readonly value: number
  /** `ms`, `1/s` */
  readonly unit: string
  /** The measurement of the same run that this one is compared with, by name; null: none. */
  readonly against: string | null
  /** value / the value of that one. */
  readonly ratio: number | null
  /** What is aimed at, such as `ratio ≤ 3` or `≤ 50 ms`; null: nothing, the figure is there to be seen. */
  readonly goal: string | null
  /** Whether it was reached; null without a goal. */
  readonly met: boolean | null
  /** What a reader of the figure must know, such as how busy the machine was; omitted: nothing. */
  readonly note?: string
}

/** A bound for the value itself, or for its ratio to the reference. */
export interface Goal {
  readonly of: 'value' | 'ratio'
  readonly is: '≤' | '≥'
  readonly bound: number
}

export interface Comparison {
  readonly against?: Measurement
  /** Of several each must be met. */
  readonly goal?: Goal | readonly Goal[]
  readonly note?: string
}

export function measurement(name: string, value: number, unit: string, comparison: Comparison = {}): Measurement {
  const { against = null, goal = [], note } = comparison
  const goals = [goal].flat()
  const ratio = against === null ? null : value / against.value
  return {
    name,
    value: rounded(value),
    unit,
    against: against?.name ?? null,
    ratio: ratio === null ? null : rounded(ratio),
    goal: goals.length === 0 ? null : goals.map((each) => describe(each, unit)).join(', '),
    met: goals.length === 0 ? null : goals.every((each) => isMet(each, each.of === 'value' ? value : ratio)),
    ...(note !== undefined && { note }),
  }
}

function describe({ of, is, bound }: Goal, unit: string): string {
  return of === 'ratio' ? `ratio ${is} ${bound}` : `${is} ${bound} ${unit}`
}

function isMet({ is, bound }: Goal, value: number | null): boolean {
  if (value === null) return false
  return is === '≤' ? value <= bound : value >= bound
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
