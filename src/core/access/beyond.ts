import { covers } from '../rbac/covers.ts'
import { canonicalRule, countPermissions, describeRule, type PolicyRule } from '../rbac/rule.ts'

/** What rules allow that others do not. */
export type Beyond =
  | { readonly kind: 'Nothing' }
  | { readonly kind: 'Permissions'; readonly missing: readonly PolicyRule[] }
  /** So many single permissions that nobody can tell in time: a few lines of rules can mean millions. */
  | { readonly kind: 'Uncountable'; readonly permissions: number }

/**
 * How much a review may still look at, in comparisons of a permission with a rule: whoever writes decides how much there is to
 * look at, and everybody else's review waits for his.
 */
export interface Work {
  left: number
}

/** Of one review: a fraction of a second. */
export function workOfReview(): Work {
  return { left: 4_000_000 }
}

/** Single permissions that are spelled out. */
const mostPermissions = 50_000

/** Comparisons that one question may take. */
const mostComparisons = 2_000_000

/** Each single permission must lie in one rule of the owner, as for the API server's escalation check. */
export function beyond(owner: readonly PolicyRule[], given: readonly PolicyRule[], work = workOfReview()): Beyond {
  const own = new Set(owner.map(canonicalRule))
  const open = given.filter((rule) => !own.has(canonicalRule(rule)))
  const permissions = open.reduce((sum, rule) => sum + sizeOf(rule), 0)
  if (permissions === 0) return { kind: 'Nothing' }
  const comparisons = permissions * Math.max(1, owner.length)
  work.left -= owner.length + given.length + Math.min(comparisons, mostComparisons)
  if (permissions > mostPermissions || comparisons > mostComparisons || work.left < 0)
    return { kind: 'Uncountable', permissions }
  const { missing } = covers(owner, open)
  return missing.length === 0 ? { kind: 'Nothing' } : { kind: 'Permissions', missing }
}

/** As for their texts: rules do not change. */
const sizes = new WeakMap<PolicyRule, number>()

function sizeOf(rule: PolicyRule): number {
  const size = sizes.get(rule) ?? countPermissions([rule])
  sizes.set(rule, size)
  return size
}

/** Rules that one message lists, and permissions that are looked at for it. */
const mostListed = 6
export const mostDescribed = 512

/** `get,list secrets; patch deployments.apps; … and 3 more`. */
export function describeBeyond(found: Exclude<Beyond, { kind: 'Nothing' }>): string {
  if (found.kind === 'Uncountable') return `${found.permissions} single permissions, too many to be judged`
  const merged = mergeVerbs(found.missing.slice(0, mostDescribed))
  const listed = merged.slice(0, mostListed).map(describeRule)
  const more = merged.length - listed.length + Math.max(0, found.missing.length - mostDescribed)
  return [...listed, ...(more === 0 ? [] : [`… and ${more} more`])].join('; ')
}

/** Verbs on the same thing told together. */
function mergeVerbs(permissions: readonly PolicyRule[]): readonly PolicyRule[] {
  const merged = new Map<string, PolicyRule>()
  for (const permission of permissions) {
    const { verbs, ...target } = permission
    const key = JSON.stringify(target)
    const known = merged.get(key)
    merged.set(key, known === undefined ? permission : { ...known, verbs: [...new Set([...known.verbs, ...verbs])] })
  }
  return [...merged.values()]
}
