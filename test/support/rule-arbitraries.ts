import * as fc from 'fast-check'
import type { PolicyRule } from '../../src/core/rbac/rule.ts'

function some<T>(...values: readonly T[]): fc.Arbitrary<T[]> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...values).map((value) => [value]) },
    { weight: 2, arbitrary: fc.subarray([...values], { minLength: 1 }) },
  )
}

const verbs = some('get', 'list', 'create', '*')
const groups = some('', 'apps', '*')
const resources = some('pods', 'pods/exec', '*/exec', 'pods/*', 'nodes', '*/exec/x', 'pods/exec/x', '*')
const names = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.subarray(['a', 'b', '*']) },
)
const urls = some('/a', '/a/', '/a/*', '/a/*/c', '/a/b/c', '/a**', '*', '**', '/*')

const resourceRules: fc.Arbitrary<PolicyRule> = fc.record({
  verbs,
  apiGroups: groups,
  resources,
  resourceNames: names,
})
export const rules: fc.Arbitrary<PolicyRule> = fc.oneof(
  { weight: 6, arbitrary: resourceRules },
  { weight: 3, arbitrary: fc.record({ verbs, nonResourceURLs: urls }) },
  // What the API server would refuse to store: the judges must agree there too.
  {
    weight: 1,
    arbitrary: fc.record({ verbs, apiGroups: groups, resources, resourceNames: names, nonResourceURLs: urls }),
  },
  { weight: 1, arbitrary: fc.record({ verbs, resources }) },
)

function part(list: readonly string[]): fc.Arbitrary<string[]> {
  return fc.subarray([...list], { minLength: Math.min(1, list.length) })
}

/** A rule that says the same or less, so that about half of the pairs are covered. */
function narrowed(rule: PolicyRule): fc.Arbitrary<PolicyRule> {
  const concrete = (list: readonly string[], ...values: readonly string[]) =>
    list.includes('*') ? fc.oneof(part(list), some(...values)) : part(list)
  return fc.record({
    verbs: concrete(rule.verbs, 'get', 'watch'),
    apiGroups: concrete(rule.apiGroups ?? [], '', 'batch'),
    resources: concrete(rule.resources ?? [], 'jobs', 'pods/exec'),
    resourceNames: fc.oneof(part(rule.resourceNames ?? []), fc.constant([...(rule.resourceNames ?? []), 'a'])),
    nonResourceURLs: part(rule.nonResourceURLs ?? []),
  })
}

/** Two lists of rules; the first covers the second about every other time. */
export const pairs = fc.array(rules, { minLength: 1, maxLength: 3 }).chain((owner) =>
  fc.record({
    owner: fc.constant(owner),
    servant: fc.oneof(
      { weight: 3, arbitrary: fc.tuple(...owner.map(narrowed)) },
      { weight: 2, arbitrary: fc.array(rules, { minLength: 1, maxLength: 2 }) },
    ),
  }),
)
