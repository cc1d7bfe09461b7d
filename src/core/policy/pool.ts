const prefix = 'lapse-set-'

/** The i-th name of the role pool. Admins let the operator bind these names, and no others, when they install it. */
export function poolName(index: number): string {
  return `${prefix}${index}`
}

export function isPoolName(name: string): boolean {
  return /^lapse-set-(0|[1-9]\d{0,3})$/.test(name)
}

/**
 * Names for `count` new roles. A name is taken while a role carries it, a live revision owns it, or any binding refers
 * to it: an old binding must never gain new rights. Names that no revision ever used come first. Fewer than `count`:
 * the pool is exhausted.
 */
export function allocate(
  count: number,
  pool: {
    readonly size: number
    readonly taken: ReadonlySet<string>
    readonly usedBefore: ReadonlySet<string>
  },
): readonly string[] {
  const free = Array.from({ length: pool.size }, (_, index) => poolName(index)).filter((name) => !pool.taken.has(name))
  const fresh = free.filter((name) => !pool.usedBefore.has(name))
  const reusable = free.filter((name) => pool.usedBefore.has(name))
  return [...fresh, ...reusable].slice(0, count)
}
