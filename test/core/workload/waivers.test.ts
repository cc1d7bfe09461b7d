import { expect } from 'chai'
import type { Policy, WorkloadTerms } from '../../../src/core/policy/policy.ts'
import type { LiveGrant } from '../../../src/core/world.ts'
import { nextSteps } from '../../../src/core/workload/next-steps.ts'
import { reviewWorkload, type WorkloadVerdict } from '../../../src/core/workload/review.ts'
import { readWorkload, type Workload } from '../../../src/core/workload/workload.ts'
import { hour, now, policyOf, terms } from '../policy/policy-of.ts'
import { worldOf, type WorldParts } from '../policy/world-of.ts'
import { binding, rbacOf, role, rule } from '../rbac/rbac-of.ts'

const judged: WorkloadTerms = {
  ...policyOf().workloads!,
  podSecurity: { level: 'baseline', version: 'latest' },
  pin: null,
}

/** Judges ci/deployer at level baseline, and lets host-path be waived. */
function policy(fields: Partial<Policy> = {}): Policy {
  return policyOf({ grants: { ...terms, waivable: ['host-path', 'secrets-read'] }, workloads: judged, ...fields })
}

/** Active, and waives host-path for ci/deployer in ci. */
function grant(fields: Partial<LiveGrant> = {}): LiveGrant {
  return {
    uid: 'grant-1',
    namespace: 'ci',
    name: 'debug',
    policy: 'payments-deploy',
    subject: { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' },
    state: 'Active',
    issued: true,
    bindings: [],
    notAfter: now + hour,
    policyDigest: policyOf().digest,
    subjectUid: 'uid-1',
    ending: false,
    waive: ['host-path'],
    ...fields,
  }
}

function podOf(spec: object = { volumes: [{ name: 'node', hostPath: { path: '/etc' } }] }): Workload {
  const reading = readWorkload({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'ci', name: 'x' },
    spec: {
      serviceAccountName: 'deployer',
      automountServiceAccountToken: false,
      containers: [{ name: 'app' }],
      ...spec,
    },
  })
  if (!reading.ok || reading.workload === null) throw new Error('no workload')
  return reading.workload
}

function review(parts: WorldParts, workload = podOf(), at = now): WorkloadVerdict {
  return reviewWorkload(workload, 'ci', worldOf({ policies: [policy()], ...parts }), at)
}

/** `verdict: check, …`; a check that is waived has the name of the grant behind it. */
function gist({ verdict, findings }: WorkloadVerdict): string {
  const told = findings.map(({ check, waivedBy }) => (waivedBy === undefined ? check : `${check} by ${waivedBy.name}`))
  return `${verdict}: ${told.join(', ')}`
}

const second = (fields: Partial<Policy> = {}): Policy => policy({ name: 'second', ...fields })

const withCapability = (name: string) =>
  podOf({
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'app',
        securityContext: { allowPrivilegeEscalation: false, capabilities: { add: [name], drop: ['ALL'] } },
      },
    ],
  })

const waived = 'Allow: host-path by debug'
const refused = 'Deny: host-path'

describe('a waiver', () => {
  it('lets a check pass, which stays told with the grant and its end', () => {
    const { verdict, findings } = review({ grants: [grant()] })
    expect(verdict).to.equal('Allow')
    expect(findings.map(({ check, waivedBy }) => ({ check, waivedBy }))).to.deep.equal([
      { check: 'host-path', waivedBy: { namespace: 'ci', name: 'debug', notAfter: now + hour } },
    ])
  })

  it('ends at its instant, which is over, whether or not anybody has ended the grant', () => {
    const parts = { grants: [grant()] }
    expect(gist(review(parts, podOf(), now + hour - 1))).to.equal(waived)
    expect(gist(review(parts, podOf(), now + hour))).to.equal(refused)
  })

  const without: readonly (readonly [sentence: string, parts: WorldParts])[] = [
    ['of a grant that is not Active yet, though its record is written', { grants: [grant({ state: 'Pending' })] }],
    ['of a grant whose record does not say when it is over', { grants: [grant({ notAfter: null })] }],
    ['of a grant whose record does not say under which version', { grants: [grant({ policyDigest: null })] }],
    ['of another check', { grants: [grant({ waive: ['host-ports'] })] }],
    ['in another namespace', { grants: [grant({ namespace: 'payments' })] }],
    [
      'for another account of the namespace',
      { grants: [grant({ subject: { kind: 'ServiceAccount', namespace: 'ci', name: 'other' } })] },
    ],
    [
      'for an account of that name in another namespace',
      { grants: [grant({ subject: { kind: 'ServiceAccount', namespace: 'payments', name: 'deployer' } })] },
    ],
    [
      'for a group of the account',
      { grants: [grant({ subject: { kind: 'Group', name: 'system:serviceaccounts:ci' } })] },
    ],
    ['under another policy', { grants: [grant({ policy: 'search' })] }],
    ['under a version that was superseded', { grants: [grant({ policyDigest: 'sha256:digest of 1.3.0' })] }],
    [
      'that the policy does not let be waived any more',
      { policies: [policy({ grants: { ...terms, waivable: ['host-ports'] } })], grants: [grant()] },
    ],
    ['under a policy that issues no grants', { policies: [policy({ grants: null })], grants: [grant()] }],
    [
      'for an account that was deleted and created again',
      { serviceAccounts: { 'ci/deployer': { uid: 'uid-2' } }, grants: [grant()] },
    ],
    [
      "in a namespace that left the policy's scope",
      { policies: [policy({ scope: { matchLabels: { team: 'search' } } })], grants: [grant()] },
    ],
  ]
  for (const [sentence, parts] of without)
    it(`is none ${sentence}`, () => expect(gist(review(parts))).to.equal(refused))

  it('reaches a subject that is spelled out as User', () => {
    const subject = { kind: 'User', name: 'system:serviceaccount:ci:deployer' } as const
    expect(gist(review({ grants: [grant({ subject })] }))).to.equal(waived)
  })

  it('of several counts by the one that lasts longest', () => {
    const grants = [
      grant(),
      grant({ name: 'longer', notAfter: now + 2 * hour }),
      grant({ name: 'over', notAfter: now }),
    ]
    expect(gist(review({ grants }))).to.equal('Allow: host-path by longer')
  })

  it('lets nothing else pass', () => {
    const both = podOf({ hostPID: true, volumes: [{ name: 'node', hostPath: { path: '/etc' } }] })
    expect(gist(review({ grants: [grant()] }, both))).to.equal('Deny: host-namespaces, host-path by debug')
  })

  describe('where two policies find the same', () => {
    const warns = { ...judged, enforcement: 'Warn' } as const

    it('is needed under each, by a grant of its own', () => {
      const policies = [policy(), second()]
      expect(gist(review({ policies, grants: [grant()] }))).to.equal('Deny: host-path, host-path by debug')
      const grants = [grant(), grant({ name: 'other', policy: 'second' })]
      expect(gist(review({ policies, grants }))).to.equal('Allow: host-path by debug, host-path by other')
    })

    it('is no waiver of the warning of the other', () => {
      const policies = [policy(), second({ workloads: warns })]
      expect(gist(review({ policies, grants: [grant()] }))).to.equal('Warn: host-path, host-path by debug')
    })

    it('is of no use under the one that only warns', () => {
      const policies = [policy({ workloads: warns }), second()]
      expect(gist(review({ policies, grants: [grant()] }))).to.equal('Deny: host-path, host-path by debug')
    })
  })

  describe('of a check in whose place at level restricted a baseline one would stand', () => {
    const restricted = { ...judged, podSecurity: { level: 'restricted', version: 'latest' } } as const
    const lists = { ...terms, waivable: ['capabilities', 'capabilities-restricted'] } as const
    const policies = [policy({ workloads: restricted, grants: lists })]
    it('lets pass what the baseline allows', () => {
      const grants = [grant({ waive: ['capabilities-restricted'] })]
      expect(gist(review({ policies, grants }, withCapability('CHOWN')))).to.equal(
        'Allow: capabilities-restricted by debug',
      )
    })

    it('leaves the baseline check in force, which has a waiver of its own', () => {
      const grants = [grant({ waive: ['capabilities-restricted'] })]
      expect(gist(review({ policies, grants }, withCapability('SYS_ADMIN')))).to.equal(
        'Deny: capabilities, capabilities-restricted by debug',
      )
      const both = [grant({ waive: ['capabilities', 'capabilities-restricted'] })]
      expect(review({ policies, grants: both }, withCapability('SYS_ADMIN')).verdict).to.equal('Allow')
    })
  })

  it('of a capability concerns admission only: what the account holds, it holds', () => {
    const rbac = rbacOf(
      role('ci/reader', rule('list secrets')),
      binding('ci/legacy', 'Role reader', 'ServiceAccount ci/deployer'),
    )
    const policies = [policy({ workloads: { ...judged, forbid: ['secrets-read'] } })]
    const mounts = podOf({ automountServiceAccountToken: true })
    expect(gist(review({ policies, rbac }, mounts))).to.equal('Deny: secrets-read')
    const grants = [grant({ waive: ['secrets-read'] })]
    expect(gist(review({ policies, rbac, grants }, mounts))).to.equal('Allow: secrets-read by debug')
  })
})

const steps = (parts: WorldParts, workload = podOf()): readonly string[] => {
  const world = worldOf({ policies: [policy()], ...parts })
  return nextSteps(
    reviewWorkload(workload, 'ci', world, now).findings,
    { namespace: 'ci', accounts: [workload.serviceAccountName] },
    world,
  )
}

const exception = (name: string, ...checks: readonly string[]): string =>
  `to ask for an exception: lapse request -n ci --as-subject sa/deployer --policy ${name} ${checks.map((check) => `--waive ${check}`).join(' ')} --reason TEXT`

describe('the next steps after a refusal', () => {
  it('name the exception that can be asked for, under each policy', () => {
    expect(
      steps({ policies: [policy(), policy({ name: 'second', grants: { ...terms, waivable: ['host-ports'] } })] }),
    ).to.deep.equal([exception('payments-deploy', 'host-path')])
    const both = podOf({
      hostPID: true,
      volumes: [
        { name: 'a', hostPath: {} },
        { name: 'b', hostPath: {} },
      ],
    })
    const wide = policy({ grants: { ...terms, waivable: ['host-path', 'host-namespaces', 'exec'] } })
    expect(steps({ policies: [wide] }, both)).to.deep.equal([
      exception('payments-deploy', 'host-namespaces', 'host-path'),
    ])
  })

  it('name none for what is waived already', () => {
    expect(steps({ grants: [grant()] })).to.deep.equal([])
  })

  it('name none where the policy lets nothing be waived, or not there', () => {
    expect(steps({ policies: [policyOf({ workloads: judged })] })).to.deep.equal([])
    expect(steps({ policies: [policy({ scope: { matchLabels: { team: 'search' } } })] })).to.deep.equal([])
  })
})

describe('a waived capability by which an account becomes another', () => {
  it('does not cover what it leads to', () => {
    const rbac = rbacOf(
      role('ci/tokens', rule('create serviceaccounts/token')),
      binding('ci/tokens', 'Role tokens', 'ServiceAccount ci/deployer'),
      role('boss', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }),
      binding('boss', 'ClusterRole boss', 'ServiceAccount ci/boss'),
    )
    const ours = policy({
      grants: { ...terms, waivable: ['token-request'] },
      workloads: { ...judged, podSecurity: null, forbid: ['full-admin', 'token-request'] },
    })
    const judge = (grants: readonly LiveGrant[]) =>
      gist(review({ policies: [ours], rbac, grants }, podOf({ automountServiceAccountToken: true })))
    expect(judge([])).to.equal('Deny: token-request')
    expect(judge([grant({ waive: ['token-request'] })])).to.equal('Deny: escalation, token-request by debug')
  })
})
