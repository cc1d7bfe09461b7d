import { ruleAllows, type RequestAttributes } from './authorize.ts'
import { qualifiedResource, type PolicyRule } from './rule.ts'

type Power = Pick<RequestAttributes, 'verb' | 'apiGroup' | 'resource' | 'subresource'>

const rbac = 'rbac.authorization.k8s.io'
const lapse = 'lapse.dev'

function powers(verbs: readonly string[], apiGroup: string, resource: string, subresource = ''): readonly Power[] {
  return verbs.map((verb) => ({ verb, apiGroup, resource, subresource }))
}

/** Requests with which a subject could keep its access beyond the end of a grant, widen it, or hand it to others. */
const handingOn: readonly Power[] = [
  ...powers(['bind', 'escalate', 'create', 'update', 'patch'], rbac, 'roles'),
  ...powers(['bind', 'escalate'], rbac, 'clusterroles'),
  ...powers(['create', 'update', 'patch'], rbac, 'rolebindings'),
  ...powers(['impersonate'], '', 'users'),
  ...powers(['impersonate'], '', 'groups'),
  ...powers(['impersonate'], '', 'serviceaccounts'),
  ...powers(['create'], '', 'serviceaccounts', 'token'),
  ...powers(['create'], '', 'secrets'),
  ...powers(['create', 'update', 'patch'], lapse, 'accesspolicies'),
  ...powers(['update', 'patch'], lapse, 'nhigrants'),
  ...powers(['update', 'patch'], lapse, 'nhigrants', 'status'),
  ...powers(['update', 'patch', 'delete', 'deletecollection'], lapse, 'nhisuspensions'),
]

/**
 * The first such request that the rule allows, in words: `create rolebindings.rbac.authorization.k8s.io`; null: none.
 * A wildcard allows them all. Names make no difference: one object is enough.
 */
export function handsOn(rule: PolicyRule): string | null {
  const verb = rule.verbs.find((each) => each.startsWith('impersonate'))
  if (verb !== undefined) return verb
  const name = rule.resourceNames?.[0] ?? ''
  const power = handingOn.find((each) => ruleAllows(rule, { ...each, name, namespace: '', path: '' }))
  if (power === undefined) return null
  const resource = power.subresource === '' ? power.resource : `${power.resource}/${power.subresource}`
  return `${power.verb} ${qualifiedResource(power.apiGroup, resource)}`
}
