import { expect } from 'chai'
import { lackOfRoles } from '../../../src/core/grant/cluster-grant.ts'
import { decideGrant, type GrantRequest } from '../../../src/core/grant/decide.ts'
import type { GrantSpec } from '../../../src/core/grant/grant.ts'
import { lostGround } from '../../../src/core/grant/ground.ts'
import { recordOf } from '../../../src/core/grant/record.ts'
import type { World } from '../../../src/core/world.ts'
import { minute, now, policyOf, terms } from '../policy/policy-of.ts'
import { worldOf, type WorldParts } from '../policy/world-of.ts'
import { rbacOf, role, rule } from '../rbac/rbac-of.ts'
import { deployer, requestOf } from './request-of.ts'

const policy = policyOf({ clusterScope: true })
const quiet = rbacOf(role('payments-log-reader', rule('get pods/log')))

/** A world in which the policy lets grants be for the whole cluster, and its ClusterRole has no rules for URLs. */
const wide = (parts: WorldParts = {}): World => worldOf({ policies: [policy], rbac: quiet, ...parts })
const wideRequest = (spec: Partial<GrantSpec> = {}): GrantRequest => requestOf(spec, { namespace: '' })

interface Sentence {
  readonly sentence: string
  readonly spec?: Partial<GrantSpec>
  readonly world?: World
  readonly says: readonly string[]
}

describe('a grant for the whole cluster', () => {
  const sentences: readonly Sentence[] = [
    { sentence: 'is allowed under a policy with scope.cluster', says: [] },
    {
      sentence: 'is for no namespace, not even one that the scope leaves out',
      world: wide({ policies: [policyOf({ clusterScope: true, scope: null })] }),
      says: [],
    },
    {
      sentence: 'is refused under any other policy',
      world: wide({ policies: [policyOf()] }),
      says: ['cluster-scope-not-allowed at kind: policy payments-deploy@1.4.0 gives no access to the whole cluster'],
    },
    {
      sentence: 'is refused where the operator gives none',
      world: wide({ clusterGrants: { enabled: false, approvalNamespace: 'lapse-system' } }),
      says: ['cluster-grants-off at kind: the operator gives no access to the whole cluster'],
    },
    {
      sentence: 'is refused where that is not known',
      world: wide({ clusterGrants: null }),
      says: ['cluster-grants-off at kind: it is not known whether the operator gives access to the whole cluster'],
    },
    {
      sentence: 'is refused with narrower rules, which would need a ClusterRole of its own',
      spec: { rules: [rule('get deployments.apps')] },
      says: [
        'cluster-grant-whole-sets at spec.rules: a grant for the whole cluster gives permission sets as they are: the operator may remove no ClusterRole of its own',
      ],
    },
    { sentence: 'is allowed a ClusterRole by name', spec: { permissions: ['read-logs'] }, says: [] },
    {
      sentence: 'is refused a ClusterRole with rules for URLs, which a ClusterRoleBinding would give',
      spec: { permissions: ['read-logs'] },
      world: worldOf({ policies: [policy] }),
      says: [
        'cluster-grant-whole-sets at spec.permissions: ClusterRole payments-log-reader of permission read-logs has rules for URLs, which are granted to nobody',
      ],
    },
    {
      sentence: 'is refused for whatever any grant is: a subject that is suspended',
      world: wide({ suspensions: [{ name: 's', subject: deployer, reason: 'leaked' }] }),
      says: ['subject-suspended at spec.subject: ServiceAccount ci/deployer is suspended: leaked'],
    },
  ]
  for (const { sentence, spec, world = wide(), says } of sentences)
    it(sentence, () => {
      const decision = decideGrant(wideRequest(spec), world, now)
      const findings = decision.allowed ? [] : decision.findings
      expect(findings.map(({ check, path, message }) => `${check} at ${path}: ${message}`)).to.deep.equal(says)
      expect(decision.allowed).to.equal(says.length === 0)
    })

  it('counts with the others of its subject, and is named without a namespace', () => {
    const first = {
      uid: 'grant-2',
      namespace: '',
      name: 'everywhere',
      policy: 'payments-deploy',
      subject: deployer,
      state: 'Active' as const,
      issued: true,
      bindings: [],
      notAfter: now + minute,
      policyDigest: null,
      subjectUid: null,
      ending: false,
      waive: [],
    }
    const only = policyOf({ clusterScope: true, grants: { ...terms, maxActivePerSubject: 1 } })
    const decision = decideGrant(wideRequest(), wide({ policies: [only], grants: [first] }), now)
    expect(decision.allowed ? [] : decision.findings.map(({ message }) => message)).to.deep.equal([
      'ServiceAccount ci/deployer already has 1 of at most 1 grants: everywhere',
    ])
  })

  it('is carried by a ClusterRoleBinding for each permission set', () => {
    const request = wideRequest({ permissions: ['rollout', 'read-logs'] })
    const decision = decideGrant(request, wide(), now)
    if (!decision.allowed) throw new Error('it was refused')
    const roles = new Map([['rollout', 'lapse-set-0']])
    const { objects } = recordOf(request, decision, roles, wide(), { untilUid: null, approvals: null })
    expect(objects).to.deep.equal(
      [
        ['rollout', 'lapse-set-0'],
        ['read-logs', 'payments-log-reader'],
      ].map(([set, name]) => ({
        kind: 'ClusterRoleBinding',
        name: `lapse-grant-1-${set}`,
        roleRef: { kind: 'ClusterRole', name },
      })),
    )
  })

  it('cannot be carried without a role of the pool', () => {
    expect(lackOfRoles(policy.permissions, new Map([['rollout', 'lapse-set-0']]))).to.equal(
      'no ClusterRole of the pool is left for one-secret: a grant for the whole cluster has no role of its own',
    )
    const [rollout, , logs] = policy.permissions
    expect(lackOfRoles([rollout!, logs!], new Map([['rollout', 'lapse-set-0']]))).to.equal(null)
  })

  describe('loses its ground', () => {
    const ground = {
      namespace: '',
      policy: policy.name,
      subject: deployer,
      policyDigest: policy.digest,
      subjectUid: 'uid-1',
    }
    const losses: readonly (readonly [sentence: string, world: World, why: string | null])[] = [
      ['never while its policy stays as it is', wide(), null],
      [
        'when its policy gives no access to the whole cluster any more',
        wide({ policies: [policyOf()] }),
        'policy payments-deploy@1.4.0 no longer gives access to the whole cluster',
      ],
      ['when its policy is gone', wide({ policies: [] }), 'policy payments-deploy was withdrawn'],
    ]
    for (const [sentence, world, why] of losses) it(sentence, () => expect(lostGround(ground, world)).to.equal(why))
  })
})
