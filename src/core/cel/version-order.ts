/** Semantic versions by their precedence, as semver.org has it: negative when `a` is older than `b`. Both are of its form; numbers are of any size. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)]
  return compareLists(left.core, right.core) || comparePrereleases(left.prerelease, right.prerelease)
}

interface Parts {
  readonly core: readonly string[]
  /** null: it is a release. */
  readonly prerelease: readonly string[] | null
}

function partsOf(version: string): Parts {
  const [text = ''] = version.split('+')
  const dash = text.indexOf('-')
  if (dash === -1) return { core: text.split('.'), prerelease: null }
  return { core: text.slice(0, dash).split('.'), prerelease: text.slice(dash + 1).split('.') }
}

/** A release comes after what was released before it. */
function comparePrereleases(a: Parts['prerelease'], b: Parts['prerelease']): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  return compareLists(a, b)
}

function compareLists(a: readonly string[], b: readonly string[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index]
    if (right === undefined) return 1
    const order = compareIdentifiers(left, right)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** Numbers come before everything else, and in the order of their size. */
function compareIdentifiers(a: string, b: string): number {
  const [isNumber, isOtherNumber] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (isNumber && isOtherNumber) return Number(BigInt(a) > BigInt(b)) - Number(BigInt(a) < BigInt(b))
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1
  return Number(a > b) - Number(a < b)
}
