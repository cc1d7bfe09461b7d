import type { Schema } from '../../../src/api/schema.ts'
import { clusterNHIGrantSchema } from '../../../src/api/v1alpha1/cluster-nhi-grant.schema.ts'
import { kinds } from '../../../src/api/v1alpha1/crds.ts'
import { accessPolicy, nhiGrant, nhiSuspension, twinOf, type Wire } from './wire.ts'

type KindName = 'AccessPolicy' | 'NHIGrant' | 'ClusterNHIGrant' | 'NHISuspension'

/** An object that breaks one CEL rule of its schema, and nothing else. */
export interface BrokenRule {
  readonly kind: KindName
  readonly sentence: string
  /** The field that carries the rule, in the schema: `spec.subjects[]`. */
  readonly rule: string
  /** Where it is broken, in the object: `spec.subjects[0]`. */
  readonly path: string
  /** What the rule says. */
  readonly message: string
  readonly object: Wire
}

/** A change to an object that breaks one rule about changes. */
export interface BrokenTransition {
  readonly kind: 'NHIGrant' | 'ClusterNHIGrant' | 'AccessPolicyRevision' | 'NHIGrantApproval' | 'NHISuspension'
  readonly sentence: string
  readonly rule: string
  readonly message: string
  readonly change: (object: Wire) => void
}

function policy(sentence: string, path: string, message: string, change: (spec: Wire) => void): BrokenRule {
  const object = accessPolicy((it) => change(it.spec))
  return { kind: 'AccessPolicy', sentence, rule: path.replaceAll(/\[\d+\]/g, '[]'), path, message, object }
}

function grant(sentence: string, path: string, message: string, change: (spec: Wire) => void): BrokenRule {
  const object = nhiGrant((it) => change(it.spec))
  return { kind: 'NHIGrant', sentence, rule: path, path, message, object }
}

const selectorValues = 'values must be given for In and NotIn, and for no other operator'
const accountEntry = 'a ServiceAccount entry needs namespaceSelector, and either selector or names'
const userEntry = 'a User or Group entry needs names, and takes no selector and no namespaceSelector'
const permissionSet = 'a permission set needs either rules, at least one, or clusterRole'
const nameOfRequester = 'name is required for User, Group and ServiceAccount, and not allowed for Self'
const namespaceOfAccount = 'namespace is required for ServiceAccount, and not allowed for any other kind'
const namesOnce = 'one name may be listed only once for the same kind and namespaceSelector'
const maxDuration = 'maxDuration must be longer than 0s and at most 2160h'
const defaultDuration = 'defaultDuration must be longer than 0s, at most 1h, and at most maxDuration'
const nothingToIssue = 'grants need permissions or grants.waivable, otherwise there is nothing to issue'
const approvalTime = 'approval.within must be longer than 0s and at most 168h'
const emergencyTime = 'breakGlass.maxDuration must be longer than 0s and at most maxDuration'
const reviewTime = 'breakGlass.reviewWithin must be longer than 0s and at most 720h'
const constrained = 'constrain is required for otherwise: Constrain, and not allowed for any other'
const constraint = 'constrain needs maxDuration, longer than 0s, or permissions'
const endsWith = 'until names a Job or a Pod, or gives apiVersion and an expression for any other object'
/** Its condition is compiled when the object is parsed. */
function underCondition(fields: object): (spec: Wire) => void {
  return (spec) => (spec.grants.conditions = [{ name: 'by-day', expression: 'now.getHours() >= 8', ...fields }])
}

const duration = 'duration must be longer than 0s and at most 2160h'

function account(matchLabels: object): Wire {
  return { kind: 'ServiceAccount', namespaceSelector: { matchLabels }, names: ['deployer'] }
}

/** At least one object for each rule that does not look at an earlier state. */
const ownRules: readonly BrokenRule[] = [
  {
    kind: 'AccessPolicy',
    sentence: 'a name too long for a label value',
    rule: '',
    path: 'metadata.name',
    message: 'metadata.name must be at most 63 characters: it becomes a label value',
    object: accessPolicy((it) => (it.metadata.name = 'p'.repeat(64))),
  },
  policy('permissions without grants', 'spec', 'permissions need grants, which say how they are issued', (spec) => {
    delete spec.grants
  }),
  policy('grants of nothing', 'spec', nothingToIssue, (spec) => {
    delete spec.permissions
    delete spec.grants.waivable
  }),
  policy('grants of empty lists', 'spec', nothingToIssue, (spec) => {
    spec.permissions = []
    spec.grants.waivable = []
  }),
  policy(
    'waivable checks of workloads that it does not judge',
    'spec',
    'grants.waivable needs workloads: their checks are what can be waived',
    (spec) => {
      delete spec.workloads
    },
  ),
  policy(
    'neither grants nor workloads',
    'spec',
    'a policy needs grants or workloads, otherwise it rules nothing',
    (spec) => {
      for (const field of ['grants', 'permissions', 'workloads']) delete spec[field]
    },
  ),
  policy(
    'grants without scope',
    'spec',
    'scope is required with grants: it says in which namespaces they may apply',
    (spec) => {
      delete spec.scope
    },
  ),
  policy(
    'a shorter token than Kubernetes itself asks for',
    'spec.workloads',
    'maxTokenLifetime must be at least 3607s, which is what Kubernetes itself asks for',
    (spec) => (spec.workloads.maxTokenLifetime = '1h'),
  ),
  policy('two subjects with one name', 'spec.subjects', namesOnce, (spec) => {
    spec.subjects.push({ kind: 'User', names: ['ana', 'ci:acme/payments'] })
  }),
  policy('one name twice under labels in another order', 'spec.subjects', namesOnce, (spec) => {
    spec.subjects = [account({ team: 'payments', tier: '1' }), account({ tier: '1', team: 'payments' })]
  }),
  policy('a ServiceAccount entry without namespaceSelector', 'spec.subjects[0]', accountEntry, (spec) => {
    delete spec.subjects[0].namespaceSelector
  }),
  policy('a ServiceAccount entry with selector and names', 'spec.subjects[0]', accountEntry, (spec) => {
    spec.subjects[0].names = ['deployer']
  }),
  policy('a ServiceAccount entry with neither', 'spec.subjects[0]', accountEntry, (spec) => {
    delete spec.subjects[0].selector
  }),
  policy('a User entry without names', 'spec.subjects[1]', userEntry, (spec) => {
    delete spec.subjects[1].names
  }),
  policy('a User entry with a selector', 'spec.subjects[1]', userEntry, (spec) => {
    spec.subjects[1].selector = {}
  }),
  policy('a Group entry with a namespaceSelector', 'spec.subjects[1]', userEntry, (spec) => {
    spec.subjects[1] = { kind: 'Group', names: ['bots'], namespaceSelector: {} }
  }),
  policy(
    'In without values, among subjects',
    'spec.subjects[0].selector.matchExpressions[0]',
    selectorValues,
    (spec) => delete spec.subjects[0].selector.matchExpressions[0].values,
  ),
  policy(
    'Exists with values, among namespaces of subjects',
    'spec.subjects[0].namespaceSelector.matchExpressions[1]',
    selectorValues,
    (spec) => {
      spec.subjects[0].namespaceSelector.matchExpressions = [
        { key: 'team', operator: 'Exists', values: [] },
        { key: 'team', operator: 'Exists', values: ['payments'] },
      ]
    },
  ),
  policy(
    'NotIn with an empty list, in the scope',
    'spec.scope.namespaceSelector.matchExpressions[0]',
    selectorValues,
    (spec) => {
      spec.scope.namespaceSelector.matchExpressions = [{ key: 'team', operator: 'NotIn', values: [] }]
    },
  ),
  policy('a permission set with rules and clusterRole', 'spec.permissions[0]', permissionSet, (spec) => {
    spec.permissions[0].clusterRole = 'admin'
  }),
  policy('a permission set with neither', 'spec.permissions[1]', permissionSet, (spec) => {
    delete spec.permissions[1].clusterRole
  }),
  policy('a permission set with an empty list of rules', 'spec.permissions[0]', permissionSet, (spec) => {
    spec.permissions[0].rules = []
  }),
  policy('a maxDuration of nothing', 'spec.grants', maxDuration, (spec) => {
    delete spec.grants.defaultDuration
    delete spec.grants.breakGlass
    spec.grants.maxDuration = '0s'
  }),
  policy('a maxDuration beyond 90 days', 'spec.grants', maxDuration, (spec) => {
    spec.grants.maxDuration = '2160h1s'
  }),
  policy('a defaultDuration of nothing', 'spec.grants', defaultDuration, (spec) => {
    spec.grants.defaultDuration = '0m'
  }),
  policy('a defaultDuration beyond maxDuration', 'spec.grants', defaultDuration, (spec) => {
    spec.grants.maxDuration = '10m'
  }),
  policy('a defaultDuration beyond an hour', 'spec.grants', defaultDuration, (spec) => {
    Object.assign(spec.grants, { maxDuration: '2h', defaultDuration: '1h1s' })
  }),
  policy('Self with a name', 'spec.grants.requesters[0]', nameOfRequester, (spec) => {
    spec.grants.requesters[0].name = 'ana'
  }),
  policy('a Group without name', 'spec.grants.requesters[1]', nameOfRequester, (spec) => {
    delete spec.grants.requesters[1].name
  }),
  policy('a Group with a namespace', 'spec.grants.requesters[1]', namespaceOfAccount, (spec) => {
    spec.grants.requesters[1].namespace = 'ci'
  }),
  policy('a ServiceAccount without namespace', 'spec.grants.requesters[1]', namespaceOfAccount, (spec) => {
    spec.grants.requesters[1] = { kind: 'ServiceAccount', name: 'bot' }
  }),
  ...(['approval.by', 'breakGlass.requesters', 'breakGlass.reviewers'] as const).flatMap((list) => {
    const [terms = '', field = ''] = list.split('.')
    const who = (first: object) => (spec: Wire) => (spec.grants[terms][field] = [first])
    return [
      policy(`a Group without name in ${list}`, `spec.grants.${list}[0]`, nameOfRequester, who({ kind: 'Group' })),
      policy(
        `a ServiceAccount without namespace in ${list}`,
        `spec.grants.${list}[0]`,
        namespaceOfAccount,
        who({ kind: 'ServiceAccount', name: 'bot' }),
      ),
    ]
  }),
  policy(
    'approvals by nobody',
    'spec.grants',
    'approval.required needs somebody in approval.by, otherwise nobody may approve',
    (spec) => {
      spec.grants.approval.by = []
    },
  ),
  policy('no time for approvals', 'spec.grants', approvalTime, (spec) => (spec.grants.approval.within = '0s')),
  policy('a week and a second for approvals', 'spec.grants', approvalTime, (spec) => {
    spec.grants.approval.within = '168h1s'
  }),
  policy('emergencies longer than anything else', 'spec.grants', emergencyTime, (spec) => {
    spec.grants.breakGlass.maxDuration = '1h1s'
  }),
  policy('emergencies of no time', 'spec.grants', emergencyTime, (spec) => (spec.grants.breakGlass.maxDuration = '0s')),
  policy('no time for reviews', 'spec.grants', reviewTime, (spec) => (spec.grants.breakGlass.reviewWithin = '0s')),
  policy('more than a month for reviews', 'spec.grants', reviewTime, (spec) => {
    spec.grants.breakGlass.reviewWithin = '720h1s'
  }),
  policy('records that are not kept', 'spec.grants', 'retention must be at least 1m', (spec) => {
    spec.grants.retention = '59s'
  }),
  policy(
    'Constrain without saying how',
    'spec.grants.conditions[0]',
    constrained,
    underCondition({ otherwise: 'Constrain' }),
  ),
  policy(
    'constrain beside Deny',
    'spec.grants.conditions[0]',
    constrained,
    underCondition({ constrain: { maxDuration: '10m' } }),
  ),
  policy(
    'a constraint on nothing',
    'spec.grants.conditions[0]',
    constraint,
    underCondition({ otherwise: 'Constrain', constrain: {} }),
  ),
  policy(
    'a constraint to no time',
    'spec.grants.conditions[0]',
    constraint,
    underCondition({ otherwise: 'Constrain', constrain: { maxDuration: '0s', permissions: ['read-logs'] } }),
  ),
  grant(
    'nothing that it asks for',
    'spec',
    'a grant needs permissions or waive, otherwise it asks for nothing',
    (spec) => {
      for (const field of ['permissions', 'rules', 'waive', 'credential']) delete spec[field]
    },
  ),
  grant(
    'rules of no permission',
    'spec',
    'rules are what is granted of the named permissions: give permissions too',
    (spec) => {
      delete spec.permissions
      delete spec.credential
    },
  ),
  grant('duration and notAfter', 'spec', 'give duration or notAfter, not both', (spec) => {
    spec.notAfter = '2027-01-15T13:00:00Z'
  }),
  grant('a duration of nothing', 'spec', duration, (spec) => {
    spec.duration = '0h0m0s'
  }),
  grant('a duration beyond 90 days', 'spec', duration, (spec) => {
    spec.duration = '2160h1s'
  }),
  grant('notBefore at notAfter', 'spec', 'notBefore must be earlier than notAfter', (spec) => {
    delete spec.duration
    spec.notAfter = '2027-01-15T13:00:00+01:00'
  }),
  grant('the end of a Deployment, which has none', 'spec', endsWith, (spec) => {
    spec.until = { kind: 'Deployment', name: 'api' }
  }),
  grant('an expression over nothing', 'spec', endsWith, (spec) => (spec.until.expression = 'object.ended')),
  grant('a version of a Job without an expression', 'spec', endsWith, (spec) => (spec.until.apiVersion = 'batch/v1')),
  grant('a credential for a User', 'spec', 'a credential is for permissions that a ServiceAccount asks for', (spec) => {
    spec.subject = { kind: 'User', name: 'ci:acme' }
  }),
  grant(
    'a credential for nothing',
    'spec',
    'a credential is for permissions that a ServiceAccount asks for',
    (spec) => {
      delete spec.permissions
      delete spec.rules
    },
  ),
  grant('a ServiceAccount without namespace', 'spec.subject', namespaceOfAccount, (spec) => {
    delete spec.subject.namespace
  }),
  grant('a User with a namespace', 'spec.subject', namespaceOfAccount, (spec) => {
    spec.subject.kind = 'User'
    delete spec.credential
  }),
  {
    kind: 'NHISuspension',
    sentence: 'a ServiceAccount without namespace',
    rule: 'spec.subject',
    path: 'spec.subject',
    message: namespaceOfAccount,
    object: nhiSuspension((it) => delete it.spec.subject.namespace),
  },
]

function immutable(field: string, sentence: string, change: (spec: Wire) => void): BrokenTransition {
  const message = `${field} is immutable; create a new grant instead`
  return { kind: 'NHIGrant', sentence, rule: 'spec', message, change: (it) => change(it.spec) }
}

const revokeOnce = 'revoke may be set once and never taken back'

const ownTransitions: readonly BrokenTransition[] = [
  immutable('policy', 'another policy version', (spec) => delete spec.policy.version),
  immutable('subject', 'another subject', (spec) => (spec.subject.name = 'root')),
  immutable('permissions', 'one permission more', (spec) => spec.permissions.push('read-logs')),
  immutable('reason', 'another reason', (spec) => (spec.reason = 'because')),
  immutable('rules', 'no rules, which are all rules', (spec) => delete spec.rules),
  immutable('rules', 'no names, which are all names', (spec) => delete spec.rules[0].resourceNames),
  immutable('waive', 'one check more', (spec) => spec.waive.push('privileged')),
  immutable('waive', 'another check', (spec) => (spec.waive = ['privileged'])),
  immutable('permissions', 'no permissions', (spec) => delete spec.permissions),
  immutable('duration', 'a longer duration', (spec) => (spec.duration = '31m')),
  immutable('notAfter', 'an end instead of a duration', (spec) => {
    delete spec.duration
    spec.notAfter = '2028-01-15T13:00:00Z'
  }),
  immutable('notBefore', 'an earlier begin', (spec) => (spec.notBefore = '2026-01-15T12:00:00Z')),
  immutable('ticket', 'no ticket', (spec) => delete spec.ticket),
  immutable('until', 'another object to end with', (spec) => (spec.until.name = 'other')),
  immutable('credential', 'no credential', (spec) => delete spec.credential),
  immutable('breakGlass', 'another incident', (spec) => (spec.breakGlass.incident = 'INC-78')),
  immutable('requestedBy', 'another requester', (spec) => (spec.requestedBy = 'ana')),
  {
    kind: 'NHIGrant',
    sentence: 'a revocation taken back',
    rule: 'spec',
    message: revokeOnce,
    change: (it) => delete it.spec.revoke,
  },
  {
    kind: 'NHIGrant',
    sentence: 'another reason for a revocation',
    rule: 'spec',
    message: revokeOnce,
    change: (it) => (it.spec.revoke.reason = 'never mind'),
  },
  {
    kind: 'AccessPolicyRevision',
    sentence: 'another digest',
    rule: 'spec',
    message: 'a revision is a record and cannot be changed',
    change: (it) => (it.spec.digest = 'sha256:other'),
  },
  {
    kind: 'NHIGrantApproval',
    sentence: 'another decision',
    rule: 'spec',
    message: 'an approval is immutable; create another one',
    change: (it) => (it.spec.decision = 'Deny'),
  },
  {
    kind: 'NHISuspension',
    sentence: 'another subject',
    rule: 'spec',
    message: 'a suspension is immutable; delete it to lift it',
    change: (it) => (it.spec.subject.name = 'other'),
  },
]

/** `Kind field: message` of every rule in the schemas, where the field is the one that carries the rule. */
export function rulesInSchemas(): readonly string[] {
  return kinds.flatMap((kind) => rulesIn(kind.schema, '').map((rule) => `${kind.kind} ${rule}`))
}

function rulesIn(schema: Schema, path: string): readonly string[] {
  const own = (schema['x-kubernetes-validations'] ?? []).map((rule) => `${path}: ${rule.message}`)
  if (schema.type === 'array') return [...own, ...rulesIn(schema.items, `${path}[]`)]
  if (schema.type !== 'object' || !('properties' in schema)) return own
  const inner = Object.entries(schema.properties).flatMap(([name, property]) =>
    rulesIn(property, path === '' ? name : `${path}.${name}`),
  )
  return [...own, ...inner]
}

/** The rules that the cases above break, in the same form; a revision holds a whole policy spec, with all of its rules. */
export function rulesInCases(): readonly string[] {
  const ofRevisions = brokenRules
    .filter(({ kind, rule }) => kind === 'AccessPolicy' && rule.startsWith('spec'))
    .map(({ rule, message }) => `AccessPolicyRevision spec.policy${rule.slice('spec'.length)}: ${message}`)
  const own = [...brokenRules, ...brokenTransitions].map(({ kind, rule, message }) => `${kind} ${rule}: ${message}`)
  return [...new Set([...own, ...ofRevisions])]
}

/** A ClusterNHIGrant has rules of an NHIGrant, and none of its own. */
const twinRules: ReadonlySet<string> = new Set(rulesIn(clusterNHIGrantSchema, ''))

function hasTwin({ kind, rule, message }: Pick<BrokenRule, 'rule' | 'message'> & { readonly kind: string }): boolean {
  return kind === 'NHIGrant' && twinRules.has(`${rule}: ${message}`)
}

export const brokenRules: readonly BrokenRule[] = [
  ...ownRules,
  ...ownRules
    .filter(hasTwin)
    .map((broken): BrokenRule => ({ ...broken, kind: 'ClusterNHIGrant', object: twinOf(broken.object) })),
]

/** At least one change for each rule that looks at the earlier state. The grant that is changed is `revoked` already. */
export const brokenTransitions: readonly BrokenTransition[] = [
  ...ownTransitions,
  ...ownTransitions
    .filter((broken) => hasTwin(broken) && broken.sentence !== 'no permissions') // which it must have
    .map((broken): BrokenTransition => ({ ...broken, kind: 'ClusterNHIGrant' })),
]
