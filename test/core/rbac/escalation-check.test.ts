import { expect } from 'chai'
import { checkEscalation, type EscalationVerdict, type RbacWrite } from '../../../src/core/rbac/escalation-check.ts'
import { describeRule } from '../../../src/core/rbac/rule.ts'
import { api, binding, rbacOf, role, rule, type RawObject } from './rbac-of.ts'

const reader = role('payments/reader', rule('get,list pods'))
const holdsReader = binding('payments/b', 'Role reader', 'ServiceAccount api')
const rbac = (text: string, ...names: readonly string[]) =>
  rule(
    text
      .split(' ')
      .map((part, index) => (index === 0 ? part : `${part}.rbac.authorization.k8s.io`))
      .join(' '),
    ...names,
  )

function create(object: RawObject): RbacWrite {
  const { kind, metadata } = object
  return { kind, namespace: metadata.namespace ?? '', name: '', object, oldObject: null }
}

function update(object: object, before: RawObject): RbacWrite {
  return { ...create(before), name: before.metadata.name, object, oldObject: before }
}

function words(verdict: EscalationVerdict): string {
  return verdict.because === 'MissingRules'
    ? `MissingRules: ${verdict.missing.map(describeRule).join('; ')}`
    : verdict.because
}

interface Case {
  readonly sentence: string
  readonly held: readonly RawObject[]
  readonly write: RbacWrite
  readonly verdict: string
}

const everything = [
  role('all', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { verbs: ['*'], nonResourceURLs: ['*'] }),
  binding('all', 'ClusterRole all', 'ServiceAccount payments/api'),
]
const kept = { finalizers: ['a/b'], ownerReferences: [{}] }
const aggregated = { ...role('sum'), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } }

const cases: readonly Case[] = [
  {
    sentence: 'lets a role be written that says no more than its author holds',
    held: [reader, holdsReader],
    write: create(role('payments/new', rule('get pods', 'one'))),
    verdict: 'Held',
  },
  {
    sentence: 'refuses a role with more, and names what is missing',
    held: [reader, holdsReader],
    write: create(role('payments/new', rule('get,delete pods'), rule('get secrets'))),
    verdict: 'MissingRules: delete pods; get secrets',
  },
  {
    sentence: 'does not count in another namespace what is held in one',
    held: [reader, holdsReader],
    write: create(role('shop/new', rule('get pods'))),
    verdict: 'MissingRules: get pods',
  },
  {
    sentence: 'lets any role be written by who may escalate it',
    held: [role('payments/up', rbac('escalate roles')), binding('payments/b', 'Role up', 'ServiceAccount api')],
    write: create(role('payments/new', rule('* *'))),
    verdict: 'Authorized',
  },
  {
    sentence: 'asks for escalate without a name when a role is created by POST, whatever it is called',
    held: [role('payments/up', rbac('escalate roles', 'new')), binding('payments/b', 'Role up', 'ServiceAccount api')],
    write: create(role('payments/new', rule('get pods'))),
    verdict: 'MissingRules: get pods',
  },
  {
    sentence: 'asks for escalate by name when a role is updated',
    held: [role('payments/up', rbac('escalate roles', 'new')), binding('payments/b', 'Role up', 'ServiceAccount api')],
    write: update(role('payments/new', rule('get pods')), role('payments/new')),
    verdict: 'Authorized',
  },
  {
    sentence: 'does not take bind for escalate',
    held: [role('payments/up', rbac('bind roles')), binding('payments/b', 'Role up', 'ServiceAccount api')],
    write: create(role('payments/new', rule('get pods'))),
    verdict: 'MissingRules: get pods',
  },
  {
    sentence: 'lets the garbage collector take owners and finalizers off what is beyond it',
    held: [],
    write: update(
      { ...role('payments/new', rule('get pods')), metadata: { name: 'new', namespace: 'payments', labels: {} } },
      {
        ...role('payments/new', rule('get pods')),
        metadata: { ...reader.metadata, name: 'new', uid: '', ...kept },
      },
    ),
    verdict: 'GarbageCollection',
  },
  {
    sentence: 'judges an update of a label like any other: the role is written anew',
    held: [],
    write: update(
      { ...role('payments/new', rule('get pods')), metadata: { ...reader.metadata, name: 'new', labels: { a: 'b' } } },
      role('payments/new', rule('get pods')),
    ),
    verdict: 'MissingRules: get pods',
  },
  {
    sentence: 'refuses an aggregated ClusterRole to who does not hold everything, for it gathers anything',
    held: [],
    write: create(aggregated),
    verdict: 'Aggregation',
  },
  {
    sentence: 'refuses to take the aggregation away as well',
    held: [],
    write: update({ ...role('sum'), metadata: { name: 'sum' } }, aggregated),
    verdict: 'Aggregation',
  },
  {
    sentence: 'lets who holds everything aggregate: that may escalate, too',
    held: everything,
    write: create(aggregated),
    verdict: 'Authorized',
  },
  {
    sentence: 'lets a role be bound whose rights its binder holds',
    held: [reader, holdsReader],
    write: create(binding('payments/new', 'Role reader', 'User ana')),
    verdict: 'Held',
  },
  {
    sentence: 'refuses to bind a role with more, and names what is missing',
    held: [role('view', rule('get secrets'))],
    write: create(binding('payments/new', 'ClusterRole view', 'User ana')),
    verdict: 'MissingRules: get secrets',
  },
  {
    sentence: 'lets a role be bound by who may bind it, in the namespace where it may',
    held: [role('view', rule('get secrets')), role('binder', rbac('bind clusterroles', 'view'))].concat(
      binding('payments/b', 'ClusterRole binder', 'ServiceAccount api'),
    ),
    write: create(binding('payments/new', 'ClusterRole view', 'User ana')),
    verdict: 'Authorized',
  },
  {
    sentence: 'does not let it be bound in the cluster by who may bind it in a namespace',
    held: [role('view', rule('get secrets')), role('binder', rbac('bind clusterroles', 'view'))].concat(
      binding('payments/b', 'ClusterRole binder', 'ServiceAccount api'),
    ),
    write: create(binding('new', 'ClusterRole view', 'User ana')),
    verdict: 'MissingRules: get secrets',
  },
  {
    sentence: 'lets who may bind anything bind what is not there yet',
    held: everything,
    write: create(binding('payments/new', 'Role gone', 'User ana')),
    verdict: 'Authorized',
  },
  {
    sentence: 'refuses to let others do that, for nobody knows what the role will say',
    held: [reader, holdsReader],
    write: create(binding('payments/new', 'Role gone', 'User ana')),
    verdict: 'NoSuchRole',
  },
  {
    sentence: 'knows no Role in the whole cluster',
    held: [reader, holdsReader],
    write: create(binding('new', 'Role reader', 'User ana')),
    verdict: 'NoSuchRole',
  },
]

describe('checkEscalation', () => {
  for (const { sentence, held, write, verdict } of cases) {
    it(sentence, () => {
      expect(words(checkEscalation(api, write, rbacOf(...held)))).to.equal(verdict)
    })
  }

  it('lets members of system:masters write anything', () => {
    const user = { username: 'root', groups: ['system:masters'] }
    const verdict = checkEscalation(user, create(role('new', rule('* *'))), rbacOf())
    expect(verdict).to.deep.equal({ allowed: true, because: 'SuperUser' })
  })

  it('throws at what no API server would store', () => {
    const write = { ...create(role('payments/new')), object: { rules: 'all' } }
    expect(() => checkEscalation(api, write, rbacOf())).to.throw(TypeError)
  })
})
