import { expect } from 'chai'
import { describeIdentity, type Identity } from '../../../src/core/identity.ts'
import type { CapabilityId } from '../../../src/core/rbac/capability.ts'
import { closureOf, mostActors, type Escalation } from '../../../src/core/rbac/closure.ts'
import { binding, rbacOf, role, rule, type RawObject } from './rbac-of.ts'

const api: Identity = { kind: 'ServiceAccount', namespace: 'payments', name: 'api' }

/** `workload-create payments → ServiceAccount payments/root: secrets-read payments`. */
function told({ path, to, held }: Escalation): string {
  const nexts = [...path.slice(1).map(({ from }) => from), to]
  const steps = path.map(
    ({ by }, index) => `${by.capability} ${by.namespace} → ${describeIdentity(nexts[index] ?? to)}`,
  )
  return `${steps.join(', ')}: ${held.map(({ capability, namespace }) => `${capability} ${namespace}`).join(', ')}`
}

function closure(objects: readonly RawObject[], wanted: readonly CapabilityId[] = ['secrets-read']): readonly string[] {
  const { escalations, isComplete } = closureOf(api, wanted, rbacOf(...objects))
  expect(isComplete).to.equal(true)
  return escalations.map(told)
}

/** ServiceAccount payments/root, which reads Secrets. */
const root = [
  role('payments/reads', rule('list secrets')),
  binding('payments/root', 'Role reads', 'ServiceAccount root'),
]

function holding(...rules: readonly ReturnType<typeof rule>[]): readonly RawObject[] {
  return [role('payments/own', ...rules), binding('payments/own', 'Role own', 'ServiceAccount api')]
}

function holdingEverywhere(...rules: readonly ReturnType<typeof rule>[]): readonly RawObject[] {
  return [role('own', ...rules), binding('own', 'ClusterRole own', 'ServiceAccount payments/api')]
}

interface Case {
  readonly sentence: string
  readonly objects: readonly RawObject[]
  readonly wanted?: readonly CapabilityId[]
  readonly escalations: readonly string[]
}

const rbac = 'rbac.authorization.k8s.io'

const cases: readonly Case[] = [
  {
    sentence: 'runs Pods as any account of a namespace',
    objects: [...root, ...holding(rule('create deployments.apps'))],
    escalations: ['workload-create payments → ServiceAccount payments/root: secrets-read payments'],
  },
  {
    sentence: 'becomes nobody in a namespace where it can do nothing',
    objects: [
      role('shop/reads', rule('list secrets')),
      binding('shop/root', 'Role reads', 'ServiceAccount root'),
      ...holding(rule('create pods')),
    ],
    escalations: [],
  },
  {
    sentence: 'becomes an account of any namespace when it may run Pods everywhere',
    objects: [
      role('shop/reads', rule('list secrets')),
      binding('shop/root', 'Role reads', 'ServiceAccount root'),
      ...holdingEverywhere(rule('create pods')),
    ],
    escalations: ['workload-create  → ServiceAccount shop/root: secrets-read shop'],
  },
  {
    sentence: 'takes any Pod for one of any account: which run is not known',
    objects: [...root, ...holding(rule('create pods/exec'))],
    escalations: ['exec payments → ServiceAccount payments/root: secrets-read payments'],
  },
  {
    sentence: 'changes running Pods to become their accounts',
    objects: [...root, ...holding(rule('patch pods'))],
    escalations: ['pod-mutate payments → ServiceAccount payments/root: secrets-read payments'],
  },
  {
    sentence: 'reaches the accounts of every node by its kubelet',
    objects: [...root, ...holdingEverywhere(rule('get nodes/proxy'))],
    escalations: ['nodes-proxy  → ServiceAccount payments/root: secrets-read payments'],
  },
  {
    sentence: 'mints tokens of the accounts that are named, and of no others',
    objects: [
      ...root,
      role('payments/execs', rule('create pods/exec')),
      binding('payments/other', 'Role execs', 'ServiceAccount other'),
      ...holding(rule('create serviceaccounts/token', 'other', 'third')),
    ],
    wanted: ['secrets-read', 'exec'],
    escalations: ['token-request payments → ServiceAccount payments/other: exec payments'],
  },
  {
    sentence: 'mints tokens of all accounts when none is named',
    objects: [...root, ...holding(rule('create serviceaccounts/token'))],
    escalations: ['token-request payments → ServiceAccount payments/root: secrets-read payments'],
  },
  {
    sentence: 'is not kept from minting by name in one namespace by what it holds by another name everywhere',
    objects: [
      ...root,
      ...holding(rule('create serviceaccounts/token', 'root')),
      ...holdingEverywhere(rule('create serviceaccounts/token', 'other')),
    ],
    escalations: ['token-request payments → ServiceAccount payments/root: secrets-read payments'],
  },
  {
    sentence: 'impersonates accounts',
    objects: [...root, ...holding(rule('impersonate serviceaccounts', 'root'))],
    escalations: ['impersonate payments → ServiceAccount payments/root: secrets-read payments'],
  },
  {
    sentence: 'impersonates a named user, whoever that is',
    objects: [
      role('reads', rule('list secrets')),
      binding('ana', 'ClusterRole reads', 'User ana'),
      ...holdingEverywhere(rule('impersonate users', 'ana')),
    ],
    escalations: ['impersonate  → User ana: secrets-read '],
  },
  {
    sentence: 'impersonates system:masters when it may impersonate any group and any user',
    objects: [...holdingEverywhere(rule('impersonate users,groups'))],
    wanted: ['full-admin'],
    escalations: ['impersonate  → Group system:masters: full-admin '],
  },
  {
    sentence: 'impersonates no group alone: the API server wants a user to go with it',
    objects: [...holdingEverywhere(rule('impersonate groups'))],
    wanted: ['full-admin'],
    escalations: [],
  },
  {
    sentence: 'has tokens minted into Secrets that it creates and reads',
    objects: [
      role('payments/execs', rule('create pods/exec')),
      binding('payments/other', 'Role execs', 'ServiceAccount other'),
      ...holding(rule('create,get secrets')),
    ],
    wanted: ['exec'],
    escalations: ['secrets-write payments → ServiceAccount payments/other: exec payments'],
  },
  {
    sentence: 'becomes nobody by Secrets that it can only read',
    objects: [
      role('payments/execs', rule('create pods/exec')),
      binding('payments/other', 'Role execs', 'ServiceAccount other'),
      ...holding(rule('get,list secrets')),
    ],
    wanted: ['exec'],
    escalations: [],
  },
  {
    sentence: 'binds itself a role that it may bind',
    objects: [
      role('reads', rule('list secrets')),
      ...holding(rule(`bind clusterroles.${rbac}`, 'reads'), rule(`create rolebindings.${rbac}`)),
    ],
    escalations: ['bind payments → ServiceAccount payments/api: secrets-read payments'],
  },
  {
    sentence: 'does not bind itself what it may not bind',
    objects: [
      role('reads', rule('list secrets')),
      ...holding(rule(`bind clusterroles.${rbac}`, 'view'), rule(`create rolebindings.${rbac}`)),
    ],
    escalations: [],
  },
  {
    sentence: 'binds itself cluster-admin when it may bind any ClusterRole in the cluster',
    objects: [
      role('cluster-admin', rule('* *.*'), rule('* *')),
      ...holdingEverywhere(rule(`bind clusterroles.${rbac}`), rule(`create clusterrolebindings.${rbac}`)),
    ],
    escalations: ['bind  → ServiceAccount payments/api: secrets-read '],
  },
  {
    sentence: 'writes itself a role that allows everything in the namespace',
    objects: [...holding(rule(`escalate,create roles.${rbac}`))],
    wanted: ['secrets-read', 'exec', 'nodes-proxy'],
    escalations: ['escalate payments → ServiceAccount payments/api: secrets-read payments, exec payments'],
  },
  {
    sentence: 'goes on from who it has become',
    objects: [
      ...root,
      role('payments/mints', rule('create serviceaccounts/token', 'root')),
      binding('payments/middle', 'Role mints', 'ServiceAccount middle'),
      ...holding(rule('impersonate serviceaccounts', 'middle')),
    ],
    escalations: [
      'impersonate payments → ServiceAccount payments/middle, token-request payments → ServiceAccount payments/root: secrets-read payments',
    ],
  },
  {
    sentence: 'goes on with what it has handed itself',
    objects: [
      role('kubelets', rule('get nodes/proxy')),
      binding('boss', 'ClusterRole kubelets', 'ServiceAccount payments/boss'),
      ...holding(rule(`escalate,create roles.${rbac}`)),
    ],
    wanted: ['nodes-proxy'],
    escalations: [
      'escalate payments → ServiceAccount payments/api, workload-create payments → ServiceAccount payments/boss: nodes-proxy ',
    ],
  },
  {
    sentence: 'does not go through what is wanted: that is found where it is held',
    objects: [...root, ...holding(rule('create pods'))],
    wanted: ['secrets-read', 'workload-create'],
    escalations: [],
  },
  {
    sentence: 'does not tell what the identity holds itself in that place',
    objects: [...root, ...holding(rule('create pods'), rule('list secrets'))],
    escalations: [],
  },
  {
    sentence: 'tells what it holds itself when it comes to it in another place',
    objects: [
      role('reads', rule('list secrets')),
      binding('payments/boss', 'ClusterRole reads', 'ServiceAccount api'),
      binding('boss', 'ClusterRole reads', 'ServiceAccount payments/boss'),
      ...holding(rule('create pods')),
    ],
    escalations: ['workload-create payments → ServiceAccount payments/boss: secrets-read '],
  },
  {
    sentence: 'tells each capability once, by whom ClusterRoleBindings name first',
    objects: [
      ...root,
      role('reads', rule('list secrets')),
      binding('zz', 'ClusterRole reads', 'ServiceAccount payments/zz'),
      ...holding(rule('create pods')),
    ],
    escalations: ['workload-create payments → ServiceAccount payments/zz: secrets-read '],
  },
  {
    sentence: 'counts an account that nobody has seen: the binding waits for it',
    objects: [
      role('reads', rule('list secrets')),
      binding('later', 'ClusterRole reads', 'User system:serviceaccount:payments:later'),
      ...holding(rule('create pods')),
    ],
    escalations: ['workload-create payments → ServiceAccount payments/later: secrets-read '],
  },
  {
    sentence: 'lets the account default stand for all that a namespace has as a group',
    objects: [
      role('reads', rule('list secrets')),
      binding('shop/all', 'ClusterRole reads', 'Group system:serviceaccounts:shop'),
      ...holdingEverywhere(rule('create pods')),
    ],
    escalations: ['workload-create  → ServiceAccount shop/default: secrets-read shop'],
  },
]

describe('closureOf', () => {
  for (const { sentence, objects, wanted, escalations } of cases) {
    it(sentence, () => expect(closure(objects, wanted)).to.deep.equal(escalations))
  }

  it('stops after four steps', () => {
    const chain = ['a', 'b', 'c', 'd', 'e'].flatMap((name, index, all) => {
      const next = all[index + 1] ?? 'root'
      return [
        role(`payments/${name}`, rule('impersonate serviceaccounts', next)),
        binding(`payments/${name}`, `Role ${name}`, `ServiceAccount ${name}`),
      ]
    })
    const from = (name: string) =>
      closureOf({ ...api, name }, ['secrets-read'], rbacOf(...root, ...chain)).escalations.map(
        ({ path }) => path.length,
      )
    expect(from('b')).to.deep.equal([4])
    expect(from('a')).to.deep.equal([])
  })

  it('says when there are more identities than it looks at, and looks no further', () => {
    const crowd = Array.from({ length: mostActors + 1 }, (_, index) =>
      binding(`payments/n${index}`, 'ClusterRole execs', `ServiceAccount n${index}`),
    )
    const objects = [role('execs', rule('create pods/exec')), ...holding(rule('create pods'))]
    const few = rbacOf(...objects, ...crowd.slice(1))
    const many = rbacOf(...objects, ...crowd)
    expect(closureOf(api, ['secrets-read'], few)).to.deep.equal({ escalations: [], isComplete: true })
    expect(closureOf(api, ['secrets-read'], many)).to.deep.equal({ escalations: [], isComplete: false })
  })

  it('leaves out the bindings of live grants, on the way and at its end', () => {
    const view = rbacOf(...root, ...holding(rule('create pods')))
    const found = (...uids: readonly string[]) =>
      closureOf(api, ['secrets-read'], view, { ignoreBindings: new Set(uids) }).escalations.length
    expect(found()).to.equal(1)
    expect(found('uid of payments/own')).to.equal(0)
    expect(found('uid of payments/root')).to.equal(0)
  })

  it('gives the very same answer until something changes', () => {
    const view = rbacOf(...root, ...holding(rule('create pods')))
    const first = closureOf(api, ['secrets-read'], view)
    expect(closureOf(api, ['secrets-read'], view)).to.equal(first)
    view.remove('RoleBinding', 'payments', 'root')
    expect(closureOf(api, ['secrets-read'], view).escalations).to.deep.equal([])
  })
})
