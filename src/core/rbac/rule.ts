/**
 * rbac.authorization.k8s.io PolicyRule, unchanged: a list that is absent is empty, `*` stands for everything.
 * Empty resourceNames means every name: the widest, not the narrowest.
 */
export interface PolicyRule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
}

/**
 * One line for messages: `get,list secrets (resourceNames: a,b)`, `patch deployments.apps`, `get /metrics`.
 * Groups are named when they are not the core group, whose name is empty.
 */
export function describeRule(rule: PolicyRule): string {
  const groups = rule.apiGroups ?? []
  const [only] = groups
  const qualify = (resource: string) => (groups.length === 1 && only ? qualifiedResource(only, resource) : resource)
  const targets = [...(rule.resources ?? []).map(qualify), ...(rule.nonResourceURLs ?? [])]
  const names = rule.resourceNames ?? []
  const notes = [
    groups.length > 1 ? `apiGroups: ${groups.map((group) => group || 'core').join()}` : '',
    names.length > 0 ? `resourceNames: ${names.join()}` : '',
  ].filter((note) => note !== '')
  return `${rule.verbs.join()} ${targets.join()}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`
}

/** Rules do not change, and the same ones are looked at for many subjects. */
const texts = new WeakMap<PolicyRule, string>()

/** Equal text for equal rules; an absent list equals an empty one. */
export function canonicalRule(rule: PolicyRule): string {
  const known = texts.get(rule)
  if (known !== undefined) return known
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule
  const text = JSON.stringify([verbs, apiGroups ?? [], resources ?? [], resourceNames ?? [], nonResourceURLs ?? []])
  texts.set(rule, text)
  return text
}

/** A resource as kubectl writes it: `secrets`, `deployments.apps`, `deployments.apps/scale`. */
export function qualifiedResource(apiGroup: string, resource: string): string {
  if (apiGroup === '') return resource
  const [name, ...subresource] = resource.split('/')
  return [`${name}.${apiGroup}`, ...subresource].join('/')
}

/** The most single permissions that one list of rules may come to: a verb on a resource of a group, by at most one name. */
export const maxPermissions = 2_048

/** How many single permissions the rules come to, without spelling them out: a small list can mean millions. */
export function countPermissions(rules: readonly PolicyRule[]): number {
  return rules.reduce((sum, rule) => {
    const places =
      (rule.apiGroups ?? []).length * (rule.resources ?? []).length * Math.max(1, rule.resourceNames?.length ?? 0)
    return sum + rule.verbs.length * (places + (rule.nonResourceURLs ?? []).length)
  }, 0)
}
