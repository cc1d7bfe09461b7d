/** A value at an instant, of one life of a process: a new one begins at another level. */
export interface Reading {
  readonly life: number
  /** Hours. */
  readonly at: number
  readonly value: number
}

export interface Slope {
  /** Per hour. */
  readonly perHour: number
  /** The interval of 95 % reaches so far to either side; Infinity when there are too few readings to say. */
  readonly margin: number
}

/**
 * The common slope of all lives, each with a level of its own, by least squares. The interval takes the readings to be
 * independent of each other: of a series that swings they must be lows.
 */
export function slopeOf(readings: readonly Reading[]): Slope {
  const lives = Map.groupBy(readings, ({ life }) => life)
  const centred = [...lives.values()].flatMap(aroundTheirMean)
  const spread = sum(centred.map(({ at }) => at ** 2))
  const freedom = centred.length - lives.size - 1
  if (freedom < 1 || spread === 0) return { perHour: 0, margin: Infinity }
  const perHour = sum(centred.map(({ at, value }) => at * value)) / spread
  const left = sum(centred.map(({ at, value }) => (value - perHour * at) ** 2))
  return { perHour, margin: studentQuantile(freedom) * Math.sqrt(left / freedom / spread) }
}

/** The lowest of every `millis`, of each life by itself: of memory, what is left after a collection. */
export function lowsOf(readings: readonly Reading[], millis: number): readonly Reading[] {
  const hours = millis / 3_600_000
  const stretches = Map.groupBy(readings, ({ life, at }) => `${life}/${Math.floor(at / hours)}`)
  return [...stretches.values()].map((stretch) => stretch.reduce((low, next) => (next.value < low.value ? next : low)))
}

function aroundTheirMean(readings: readonly Reading[]): readonly Reading[] {
  const at = mean(readings.map((reading) => reading.at))
  const value = mean(readings.map((reading) => reading.value))
  return readings.map((reading) => ({ ...reading, at: reading.at - at, value: reading.value - value }))
}

/** The 97.5 % quantile of Student's t, by its Cornish-Fisher expansion: within 1 % from 3 degrees of freedom on. */
function studentQuantile(freedom: number): number {
  const z = 1.959964
  return (
    z +
    (z ** 3 + z) / (4 * freedom) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3)
  )
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length
}
