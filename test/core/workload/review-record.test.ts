import { expect } from 'chai'
import type { PolicyRule } from '../../../src/core/rbac/rule.ts'
import { reviewWorkload } from '../../../src/core/workload/review.ts'
import { readWorkload } from '../../../src/core/workload/workload.ts'
import { now, policyOf, workloads } from '../policy/policy-of.ts'
import { worldOf } from '../policy/world-of.ts'
import { binding, rbacOf, role, rule } from '../rbac/rbac-of.ts'

/** The verdict on a Pod of ci/deployer under a policy that forbids secrets-read, where it holds these rules. */
function verdictWith(...rules: readonly PolicyRule[]) {
  const reading = readWorkload({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { serviceAccountName: 'deployer', containers: [{ name: 'app' }] },
  })
  if (!reading.ok || reading.workload === null) throw new Error('not a workload')
  const terms = { ...workloads, podSecurity: null, pin: null, forbid: ['secrets-read'] as const }
  const rbac = rbacOf(role('ci/r', ...rules), binding('ci/b', 'Role r', 'ServiceAccount deployer'))
  const { verdict, findings } = reviewWorkload(
    reading.workload,
    'ci',
    worldOf({ policies: [policyOf({ workloads: terms })], rbac }),
    now,
  )
  return [verdict, ...findings.map(({ check, severity, enforcement }) => `${check} ${severity} ${enforcement}`)]
}

describe('a finding of severity Info', () => {
  it('goes on record, and refuses nothing', () => {
    expect(verdictWith(rule('get secrets', 'own'))).to.deep.equal(['Audit', 'secrets-read Info Audit'])
  })

  it('does not stand for what is a breach', () => {
    expect(verdictWith(rule('get secrets', 'own'), rule('list secrets'))).to.deep.equal([
      'Deny',
      'secrets-read High Deny',
    ])
  })
})
