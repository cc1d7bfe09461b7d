import { covers } from '../rbac/covers.ts'
import { countPermissions } from '../rbac/rule-size.ts'
import { describeRule, type PolicyRule } from '../rbac/rule.ts'

/** What rules allow that others do not. */
export type Beyond =
  | { readonly kind: 'Nothing' }
  | { readonly kind: 'Permissions'; readonly missing: readonly PolicyRule[] }
  /** So many single permissions that nobody can tell in time: a few lines of rules can mean millions. */
  | { readonly kind: 'Uncountable'; readonly permissions: number }

/** Single permissions that are spelled out. */
const mostPermissions = 50_000

/** Comparisons of a permission with a rule that one question may take: a fraction of a second. */
const mostComparisons = 2_000_000

/** Each single permission must lie in one rule of the owner, as for the API server's escalation check. */
export function beyond(owner: readonly PolicyRule[], given: readonly PolicyRule[]): Beyond {
  const own = new Set(owner.map(canonical))
  const open = given.filter((rule) => !own.has(canonical(rule)))
  const permissions = countPermissions(open)
  if (permissions === 0) return { kind: 'Nothing' }
  if (permissions > mostPermissions || permissions * owner.length > mostComparisons)
    return { kind: 'Uncountable', permissions }
  const { missing } = covers(owner, open)
  return missing.length === 0 ? { kind: 'Nothing' } : { kind: 'Permissions', missing }
}

/** Equal text for equal rules; an absent list equals an empty one. */
function canonical({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): string {
  return JSON.stringify([verbs, apiGroups ?? [], resources ?? [], resourceNames ?? [], nonResourceURLs ?? []])
}

/** Rules that one message lists. */
const mostListed = 6

/** `get,list secrets; patch deployments.apps; … and 3 more`. */
export function describeBeyond(found: Exclude<Beyond, { kind: 'Nothing' }>): string {
  if (found.kind === 'Uncountable') return `${found.permissions} single permissions, too many to be judged`
  const merged = mergeVerbs(found.missing)
  const listed = merged.slice(0, mostListed).map(describeRule)
  const more = merged.length - listed.length
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
