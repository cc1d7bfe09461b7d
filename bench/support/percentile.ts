/** The value that `share` (in (0, 1]) of the samples do not exceed; the nearest-rank method, so always one of them. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const value = sorted[Math.ceil(share * sorted.length) - 1]
  if (value === undefined) throw new Error('there is no percentile of no samples')
  return value
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5)
}
