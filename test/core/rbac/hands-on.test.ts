import { expect } from 'chai'
import { handsOn } from '../../../src/core/rbac/hands-on.ts'
import type { PolicyRule } from '../../../src/core/rbac/rule.ts'

const rbac = 'rbac.authorization.k8s.io'

function of(
  verbs: readonly string[],
  apiGroups: readonly string[],
  resources: readonly string[],
  names: readonly string[] = [],
): PolicyRule {
  return { verbs, apiGroups, resources, ...(names.length > 0 && { resourceNames: names }) }
}

const table: readonly [sentence: string, rule: PolicyRule, found: string | null][] = [
  [
    'reading Roles and bindings hands nothing on',
    of(['get', 'list', 'watch'], [rbac], ['roles', 'rolebindings']),
    null,
  ],
  ['deleting bindings hands nothing on', of(['delete'], [rbac], ['rolebindings']), null],
  ['creating RoleBindings does', of(['create'], [rbac], ['rolebindings']), `create rolebindings.${rbac}`],
  ['patching one named Role does', of(['patch'], [rbac], ['roles'], ['reader']), `patch roles.${rbac}`],
  ['bind does', of(['bind'], [rbac], ['clusterroles'], ['view']), `bind clusterroles.${rbac}`],
  ['escalate does', of(['escalate'], [rbac], ['roles']), `escalate roles.${rbac}`],
  ['impersonating one ServiceAccount does', of(['impersonate'], [''], ['serviceaccounts'], ['a']), 'impersonate'],
  [
    'impersonating in a constrained mode does',
    of(['impersonate:serviceaccount'], ['authentication.k8s.io'], ['serviceaccounts']),
    'impersonate:serviceaccount',
  ],
  ['minting tokens does', of(['create'], [''], ['serviceaccounts/token'], ['a']), 'create serviceaccounts/token'],
  ['creating ServiceAccounts does not', of(['create'], [''], ['serviceaccounts']), null],
  ['creating Secrets does, for a token may be put into one', of(['create'], [''], ['secrets']), 'create secrets'],
  ['reading Secrets does not', of(['get', 'list'], [''], ['secrets']), null],
  ['writing policies does', of(['update'], ['lapse.dev'], ['accesspolicies']), 'update accesspolicies.lapse.dev'],
  [
    'writing the status of a grant does',
    of(['update'], ['lapse.dev'], ['nhigrants/status']),
    'update nhigrants.lapse.dev/status',
  ],
  ['lifting suspensions does', of(['delete'], ['lapse.dev'], ['nhisuspensions']), 'delete nhisuspensions.lapse.dev'],
  [
    'lifting them all at once does',
    of(['deletecollection'], ['lapse.dev'], ['nhisuspensions']),
    'deletecollection nhisuspensions.lapse.dev',
  ],
  ['setting and reading suspensions does not', of(['create', 'get'], ['lapse.dev'], ['nhisuspensions']), null],
  ['asking for grants does not', of(['create', 'get'], ['lapse.dev'], ['nhigrants']), null],
  ['a wildcard of verbs does', of(['*'], [rbac], ['rolebindings']), `create rolebindings.${rbac}`],
  ['a wildcard of groups and resources does', of(['create'], ['*'], ['*']), `create roles.${rbac}`],
  ['every token subresource does', of(['create'], [''], ['*/token']), 'create serviceaccounts/token'],
  ['patching Deployments does not', of(['patch'], ['apps'], ['deployments']), null],
]

describe('access that hands itself on', () => {
  for (const [sentence, rule, found] of table) it(sentence, () => expect(handsOn(rule)).to.equal(found))
})
