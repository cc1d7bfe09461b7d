import { expect } from 'chai'
import { decideGrant, type GrantRequest } from '../../../src/core/grant/decide.ts'
import { recordOf, type GrantRecord, type SetRoles } from '../../../src/core/grant/record.ts'
import type { World } from '../../../src/core/world.ts'
import { minute, now, policyOf, terms } from '../policy/policy-of.ts'
import { worldOf } from '../policy/world-of.ts'
import { rule } from '../rbac/rbac-of.ts'
import { deployerName, requestOf } from './request-of.ts'

const pooled: SetRoles = new Map([
  ['rollout', 'lapse-set-0'],
  ['one-secret', 'lapse-set-1'],
])

function record(request: GrantRequest, roles: SetRoles = pooled, world: World = worldOf()): GrantRecord {
  const decision = decideGrant(request, world, now)
  if (!decision.allowed) throw new Error(decision.findings.map((finding) => finding.message).join('; '))
  return recordOf(request, decision, roles, world, { untilUid: null, approvals: null })
}

const narrow = rule('patch deployments.apps', 'api')
const ownRole = (...rules: readonly object[]) => [
  { kind: 'Role', name: 'lapse-grant-1', rules },
  { kind: 'RoleBinding', name: 'lapse-grant-1', roleRef: { kind: 'Role', name: 'lapse-grant-1' } },
]
const bound = (set: string, clusterRole: string) => ({
  kind: 'RoleBinding',
  name: `lapse-grant-1-${set}`,
  roleRef: { kind: 'ClusterRole', name: clusterRole },
})

describe('the record of a grant', () => {
  it('says everything that ending it will need', () => {
    expect(record(requestOf())).to.deep.equal({
      issuedAt: now,
      notAfter: now + 30 * minute,
      policy: { name: 'payments-deploy', version: '1.4.0', digest: 'sha256:digest of 1.4.0' },
      subject: { name: deployerName, uid: 'uid-1' },
      rules: [rule('get,list,watch,patch deployments.apps')],
      waive: [],
      decision: { outcome: 'Allow', reasons: [] },
      approvals: null,
      untilUid: null,
      reviewBy: null,
      onRevoke: null,
      objects: [bound('rollout', 'lapse-set-0')],
    })
  })

  it('pins the UID of a ServiceAccount that is spelled out as User', () => {
    const { subject } = record(requestOf({ subject: { kind: 'User', name: deployerName } }))
    expect(subject).to.deep.equal({ name: deployerName, uid: 'uid-1' })
  })

  it('has one binding for each set that has a ClusterRole, from the pool or by name', () => {
    const { objects } = record(requestOf({ permissions: ['rollout', 'read-logs'] }))
    expect(objects).to.deep.equal([bound('rollout', 'lapse-set-0'), bound('read-logs', 'payments-log-reader')])
  })

  it('gathers the sets beyond the pool in one Role of its own', () => {
    const { objects } = record(requestOf({ permissions: ['rollout', 'one-secret', 'read-logs'] }), new Map())
    expect(objects).to.deep.equal([
      bound('read-logs', 'payments-log-reader'),
      ...ownRole(rule('get,list,watch,patch deployments.apps'), rule('get secrets', 'tls', 'smtp')),
    ])
  })

  it('names an identity of its own first and its Secret last, and keeps whom it is for', () => {
    const credential = { secretName: 'rollout-token', audiences: [] }
    const { objects, subject } = record(requestOf({ credential }))
    expect(objects).to.deep.equal([
      { kind: 'ServiceAccount', name: 'lapse-grant-1' },
      bound('rollout', 'lapse-set-0'),
      { kind: 'Secret', name: 'rollout-token' },
    ])
    expect(subject).to.deep.equal({ name: deployerName, uid: 'uid-1' })
  })

  it('says what a grant waives, which needs no objects', () => {
    const world = worldOf({ policies: [policyOf({ grants: { ...terms, waivable: ['host-path', 'exec'] } })] })
    const request = requestOf({ permissions: [], waive: ['exec'] }, { namespace: 'ci' })
    expect(record(request, pooled, world)).to.deep.include({ waive: ['exec'], rules: [], objects: [] })
  })

  it('gives narrower rules a Role of their own, and binds no set', () => {
    const { objects, rules } = record(requestOf({ permissions: ['rollout', 'read-logs'], rules: [narrow] }))
    expect(rules).to.deep.equal([narrow])
    expect(objects).to.deep.equal(ownRole(narrow))
  })
})
