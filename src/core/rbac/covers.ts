import type { PolicyRule } from './rule.ts'

export interface Coverage {
  readonly covered: boolean
  /** What the owner lacks: one verb, one resource or URL, and at most one name each. Empty when covered. */
  readonly missing: readonly PolicyRule[]
}

/**
 * Whether the owner's rules allow everything that the servant's allow, judged as the API server's escalation check does:
 * each atom of the servant must lie in one single rule of the owner, and listing every verb does not make `*`.
 * Source: k8s.io/component-helpers auth/rbac/validation/policy_comparator.go.
 */
export function covers(owner: readonly PolicyRule[], servant: readonly PolicyRule[]): Coverage {
  const missing = servant.flatMap(breakdown).filter((atom) => !owner.some((rule) => ruleCovers(rule, atom)))
  return { covered: missing.length === 0, missing }
}

/** The rule as atoms: one verb with one group, resource and at most one name, or one verb with one URL. */
export function breakdown(rule: PolicyRule): PolicyRule[] {
  const names = rule.resourceNames ?? []
  const atoms: PolicyRule[] = []
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs) {
        const atom: PolicyRule = { verbs: [verb], apiGroups: [group], resources: [resource] }
        if (names.length === 0) atoms.push(atom)
        else atoms.push(...names.map((name) => ({ ...atom, resourceNames: [name] })))
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? []) {
    atoms.push(...rule.verbs.map((verb) => ({ verbs: [verb], nonResourceURLs: [url] })))
  }
  return atoms
}

function ruleCovers(owner: PolicyRule, atom: PolicyRule): boolean {
  return (
    hasEvery(owner.verbs, atom.verbs) &&
    hasEvery(owner.apiGroups ?? [], atom.apiGroups ?? []) &&
    (atom.resources ?? []).every((resource) => resourceCovers(owner.resources ?? [], resource)) &&
    (atom.nonResourceURLs ?? []).every((url) => (owner.nonResourceURLs ?? []).some((own) => urlCovers(own, url))) &&
    namesCover(owner.resourceNames ?? [], atom.resourceNames ?? [])
  )
}

function hasEvery(own: readonly string[], wanted: readonly string[]): boolean {
  return own.includes('*') || wanted.every((one) => own.includes(one))
}

function resourceCovers(own: readonly string[], resource: string): boolean {
  if (own.includes('*') || own.includes(resource)) return true
  const slash = resource.indexOf('/')
  return slash >= 0 && own.includes(`*${resource.slice(slash)}`)
}

function urlCovers(own: string, url: string): boolean {
  return own === url || (own.endsWith('*') && url.startsWith(own.replace(/\*+$/, '')))
}

/** No names means every name: only an owner without names covers a servant without names. */
function namesCover(own: readonly string[], wanted: readonly string[]): boolean {
  if (own.length === 0) return true
  return wanted.length > 0 && wanted.every((name) => own.includes(name))
}
