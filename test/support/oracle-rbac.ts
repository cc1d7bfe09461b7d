import * as fc from 'fast-check'
import { aggregate } from '../../src/core/rbac/aggregation.ts'
import { authorize, effectiveRules } from '../../src/core/rbac/authorize.ts'
import { covers } from '../../src/core/rbac/covers.ts'
import { readRole } from '../../src/core/rbac/read-objects.ts'
import type { PolicyRule } from '../../src/core/rbac/rule.ts'
import { whoCan } from '../../src/core/rbac/who-can.ts'
import { indexOf, objects, requests, ruleLists, users } from './cluster-arbitraries.ts'
import { comparison } from './oracle-comparison.ts'
import { pairs } from './rule-arbitraries.ts'

export const coverage = comparison({
  name: 'covers',
  unit: 'pairs of rule lists',
  topic: 'covers',
  cases: pairs,
  input: (pair) => pair,
  ours: ({ owner, servant }) => covers(owner, servant),
  theirs: (output) => output as ReturnType<typeof covers>,
  verdicts: ({ covered }) => [covered ? 'covered' : 'not covered'],
})

export const authorizer = comparison({
  name: 'authorize',
  unit: 'clusters with 16 to 32 requests each',
  topic: 'authorize',
  cases: fc.record({ objects, user: users, requests }),
  input: (one) => ({ ...one.objects, user: one.user.username, groups: one.user.groups, requests: one.requests }),
  ours: (one) => {
    const index = indexOf(one.objects)
    return one.requests.map((request) => authorize(one.user, request, index).allowed)
  },
  theirs: (output) => output as readonly boolean[],
  verdicts: (answers) => answers.map((allowed) => (allowed ? 'allowed' : 'refused')),
})

const namespaces = ['', 'n', 'm']

export const rulesFor = comparison({
  name: 'rules-for',
  unit: 'clusters in 3 scopes each',
  topic: 'rules-for',
  cases: fc.record({ objects, user: users }),
  input: (one) => ({ ...one.objects, user: one.user.username, groups: one.user.groups, namespaces }),
  ours: (one) => {
    const index = indexOf(one.objects)
    return namespaces.map((namespace) => ruleSet(effectiveRules(one.user, namespace, index).map(({ rule }) => rule)))
  },
  theirs: (output) => (output as readonly (readonly PolicyRule[])[]).map(ruleSet),
  verdicts: (answers) => answers.map((rules) => (rules.length > 0 ? 'some rules' : 'no rules')),
})

interface WireSubject {
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

export const allowedSubjects = comparison({
  name: 'who-can',
  unit: 'clusters with 16 to 32 requests each',
  topic: 'who-can',
  cases: fc.record({ objects, requests }),
  input: (one) => ({ ...one.objects, requests: one.requests }),
  ours: (one) => {
    const index = indexOf(one.objects)
    return one.requests.map((request) => subjectSet(whoCan(request, index).map(({ subject }) => subject)))
  },
  theirs: (output) => (output as readonly (readonly WireSubject[])[]).map(subjectSet),
  verdicts: (answers) => answers.map((all) => (all.length > 1 ? 'somebody' : 'superusers only')),
})

const labels = fc.dictionary(fc.constantFrom('a', 'b', 'constructor'), fc.constantFrom('', 'x', 'y'), { maxKeys: 2 })
const selectors = fc.record(
  {
    matchLabels: labels,
    matchExpressions: fc.array(
      fc.oneof(
        fc.record({ key: fc.constantFrom('a', 'b'), operator: fc.constantFrom('Exists', 'DoesNotExist') }),
        fc.record({
          key: fc.constantFrom('a', 'b'),
          operator: fc.constantFrom('In', 'NotIn'),
          values: fc.subarray(['', 'x', 'y'], { minLength: 1 }),
        }),
      ),
      { maxLength: 1 },
    ),
  },
  { requiredKeys: [] },
)
const clusterRoles = fc
  .array(
    fc.record({
      labels,
      body: fc.oneof(
        ruleLists.map((rules) => ({ rules })),
        fc.array(selectors, { minLength: 1, maxLength: 2 }).map((clusterRoleSelectors) => ({
          aggregationRule: { clusterRoleSelectors },
        })),
      ),
    }),
    { minLength: 2, maxLength: 8 },
  )
  .map((all) => all.map(({ labels: own, body }, index) => ({ metadata: { name: `r${index}`, labels: own }, ...body })))

export const aggregation = comparison({
  name: 'aggregation',
  unit: 'sets of ClusterRoles',
  topic: 'aggregation',
  cases: clusterRoles,
  input: (roles) => ({ clusterRoles: roles }),
  ours: (roles) => {
    const read = roles.map((role) => readRole('ClusterRole', role))
    const completed = new Map([...read, ...aggregate(read)].map(({ name, rules }) => [name, ruleSet(rules)]))
    return Object.fromEntries(completed)
  },
  theirs: (output) =>
    Object.fromEntries(
      Object.entries(output as Readonly<Record<string, readonly PolicyRule[]>>).map(([name, all]) => [
        name,
        ruleSet(all),
      ]),
    ),
  verdicts: (answer) => Object.values(answer).map((all) => (all.length > 0 ? 'some rules' : 'no rules')),
})

/** Rules in an order of their own, each once: in which order and how often a rule is held makes no difference. */
function ruleSet(rules: readonly PolicyRule[]): readonly string[] {
  const texts = rules.map(({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }) =>
    JSON.stringify([verbs, apiGroups ?? [], resources ?? [], resourceNames ?? [], nonResourceURLs ?? []]),
  )
  return [...new Set(texts)].sort()
}

function subjectSet(all: readonly WireSubject[]): readonly string[] {
  return [...new Set(all.map(({ kind, namespace = '', name }) => `${kind} ${namespace}/${name}`))].sort()
}
