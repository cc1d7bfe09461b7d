import compare from 'semver/functions/compare.js'

/** Semantic version precedence: negative when `a` is older than `b`. Both have passed the API's pattern. */
export function compareVersions(a: string, b: string): number {
  return compare(a, b)
}
