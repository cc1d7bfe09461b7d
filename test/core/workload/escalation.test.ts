import { expect } from 'chai'
import type { CapabilityId } from '../../../src/core/rbac/capability.ts'
import { mostActors } from '../../../src/core/rbac/closure.ts'
import { escalationFindings } from '../../../src/core/workload/escalation.ts'
import { reviewWorkload } from '../../../src/core/workload/review.ts'
import { readWorkload } from '../../../src/core/workload/workload.ts'
import { now, policyOf, workloads } from '../policy/policy-of.ts'
import { worldOf } from '../policy/world-of.ts'
import { binding, rbacOf, role, rule, type RawObject } from '../rbac/rbac-of.ts'

const deployer = { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' } as const
const path = 'spec.serviceAccountName'

function findings(objects: readonly RawObject[], forbidden: readonly CapabilityId[]) {
  return escalationFindings(deployer, forbidden, path, rbacOf(...objects), {})
}

const runsPods = [
  role('ci/rollout', rule('create pods')),
  binding('ci/rollout', 'Role rollout', 'ServiceAccount deployer'),
]
const backup = [
  role('ci/backup', rule('list secrets'), rule('create pods/exec')),
  binding('ci/backup', 'Role backup', 'ServiceAccount backup'),
]

describe('escalationFindings', () => {
  it('tells the way, what it brings, and how to bar it', () => {
    expect(findings([...runsPods, ...backup], ['secrets-read'])).to.deep.equal([
      {
        check: 'escalation',
        severity: 'High',
        path,
        message:
          'ServiceAccount ci/deployer can create pods in ci (RoleBinding ci/rollout → Role rollout) and so act as ServiceAccount ci/backup; ServiceAccount ci/backup can list secrets in ci (RoleBinding ci/backup → Role backup)',
        remedy: 'Ask for a time-bound grant for the rollout instead of standing access',
      },
    ])
  })

  it('tells an identity once, with all that it brings, at the severity of the worst', () => {
    const [finding, ...others] = findings([...runsPods, ...backup], ['exec', 'secrets-read', 'csr-sign'])
    expect(others).to.deep.equal([])
    expect(finding?.severity).to.equal('High')
    expect(finding?.message).to.match(/can list secrets in ci \(.*\); it holds exec too$/)
  })

  it('tells each step of a longer way, and access that an identity hands itself', () => {
    const objects = [
      ...runsPods,
      role('ci/writes', rule('escalate,create roles.rbac.authorization.k8s.io')),
      binding('ci/writes', 'Role writes', 'ServiceAccount writer'),
    ]
    expect(findings(objects, ['secrets-read']).map(({ message }) => message)).to.deep.equal([
      'ServiceAccount ci/deployer can create pods in ci (RoleBinding ci/rollout → Role rollout) and so act as ServiceAccount ci/writer; ServiceAccount ci/writer can escalate roles.rbac.authorization.k8s.io and create roles.rbac.authorization.k8s.io in ci (RoleBinding ci/writes → Role writes) and so widen its own access; ServiceAccount ci/writer can list secrets in ci (RoleBinding ci/of its own making → ClusterRole of its own making)',
    ])
  })

  it('finds who can become more than can be looked at', () => {
    const crowd = Array.from({ length: mostActors + 1 }, (_, index) =>
      binding(`ci/n${index}`, 'ClusterRole execs', `ServiceAccount n${index}`),
    )
    const found = findings([...runsPods, role('execs', rule('create pods/exec')), ...crowd], ['csr-sign'])
    expect(found.map(({ check, message }) => `${check}: ${message}`)).to.deep.equal([
      'escalation: ServiceAccount ci/deployer can become more than the 128 identities that are looked at',
    ])
  })
})

function review(forbid: readonly CapabilityId[], spec: object = {}, enforcement: 'Deny' | 'Warn' = 'Deny'): string {
  const reading = readWorkload({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'ci', name: 'x' },
    spec: { serviceAccountName: 'deployer', containers: [{ name: 'app' }], ...spec },
  })
  if (!reading.ok || reading.workload === null) throw new Error('no workload')
  const policy = policyOf({ workloads: { ...workloads, enforcement, podSecurity: null, pin: null, forbid } })
  const { verdict, findings: found } = reviewWorkload(
    reading.workload,
    'ci',
    worldOf({ policies: [policy], rbac: rbacOf(...runsPods, ...backup) }),
    now,
  )
  return `${verdict}: ${found.map(({ check }) => check).join()}`
}

describe('reviewWorkload, of what an account can become', () => {
  it('refuses what can become an account that holds what is forbidden', () => {
    expect(review(['secrets-read'])).to.equal('Deny: escalation')
  })

  it('is as strict as the policy is', () => expect(review(['secrets-read'], {}, 'Warn')).to.equal('Warn: escalation'))

  it('tells a forbidden first step alone: with it the rest is barred', () => {
    expect(review(['secrets-read', 'workload-create'])).to.equal('Deny: workload-create')
  })

  it('finds nothing under a policy that forbids nothing', () => expect(review([])).to.equal('Allow: '))

  it('finds nothing in a workload that can reach no token', () => {
    expect(review(['secrets-read'], { automountServiceAccountToken: false })).to.equal('Allow: ')
  })
})

describe('a Secret whose name may be read, for who may create it', () => {
  const mints = [
    role('ci/mint', rule('create secrets'), rule('get secrets', 'x')),
    binding('ci/mint', 'Role mint', 'ServiceAccount ci/deployer'),
    role('boss', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }),
    binding('boss', 'ClusterRole boss', 'ServiceAccount ci/boss'),
  ]
  for (const forbidden of [['full-admin'], ['full-admin', 'secrets-read']] as const)
    it(`is a token of anybody's, where ${forbidden.join(' and ')} is forbidden`, () => {
      const [found, ...more] = findings(mints, forbidden)
      expect(found?.message).to.contain('and so act as ServiceAccount ci/boss')
      expect(more).to.deep.equal([])
    })
})

describe('identities that hold more than can be looked at', () => {
  it('are taken for what would be found', () => {
    const rules = Array.from({ length: 2_000 }, () => rule('get configmaps'))
    const big = role('ci/big', rule('create serviceaccounts/token'), ...rules)
    const bound = Array.from({ length: 100 }, (_, index) =>
      binding(`ci/b${index}`, 'Role big', `ServiceAccount ci/a${index}`),
    )
    const own = binding('ci/own', 'Role big', 'ServiceAccount ci/deployer')
    const [found] = findings([big, own, ...bound], ['secrets-read'])
    expect(found?.check).to.equal('escalation')
    expect(findings([big, own, ...bound.slice(0, 3)], ['secrets-read'])).to.deep.equal([])
  })
})
