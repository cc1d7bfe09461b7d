import { expect } from 'chai'
import { decideGrant, type GrantDecision, type GrantRequest } from '../../../src/core/grant/decide.ts'
import type { GrantSpec } from '../../../src/core/grant/grant.ts'
import type { Identity, Requester } from '../../../src/core/identity.ts'
import type { GrantTerms, Policy, RequesterRule } from '../../../src/core/policy/policy.ts'
import type { LiveGrant, World } from '../../../src/core/world.ts'
import { hour, minute, now, policyOf, terms } from '../policy/policy-of.ts'
import { revisionOf, worldOf } from '../policy/world-of.ts'
import { rbacOf, role, rule } from '../rbac/rbac-of.ts'
import { deployer, deployerName, requestOf } from './request-of.ts'

interface Sentence {
  readonly sentence: string
  readonly spec?: Partial<GrantSpec>
  readonly request?: Partial<GrantRequest>
  readonly policy?: Partial<Policy>
  readonly world?: World
  /** `check at path: message`, each; none: it is allowed. */
  readonly says: readonly string[]
}

function judge({ spec, request, policy, world }: Omit<Sentence, 'sentence' | 'says'>): GrantDecision {
  const judged = policy === undefined ? (world ?? worldOf()) : worldOf({ policies: [policyOf(policy)] })
  return decideGrant(requestOf(spec, request), judged, now)
}

const bindsOthers = { verbs: ['create'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['rolebindings'] }
const many = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)

function tell(sentences: readonly Sentence[]): void {
  for (const { sentence, says, ...question } of sentences) {
    it(sentence, () => {
      const decision = judge(question)
      const findings = decision.allowed ? [] : decision.findings
      expect(findings.map(({ check, path, message }) => `${check} at ${path}: ${message}`)).to.deep.equal(says)
      expect(decision.allowed).to.equal(says.length === 0)
    })
  }
}

function withTerms(fields: Partial<GrantTerms>): Partial<Policy> {
  return { grants: { ...terms, ...fields } }
}

function withExpiry(expiresAt: number): Partial<Policy> {
  return { change: { ...policyOf().change, expiresAt } }
}

function withSets(permissions: Policy['permissions']): Partial<Policy> {
  return { permissions }
}

function asks(username: string, groups: readonly string[] | null): { requester: Requester } {
  return { requester: { username, groups } }
}

function only(...requesters: readonly RequesterRule[]): Partial<Policy> {
  return withTerms({ requesters })
}

function refused(who: string): readonly string[] {
  return [
    `requester-not-allowed at spec.requestedBy: policy payments-deploy@1.4.0 does not let ${who} ask for ServiceAccount ci/deployer`,
  ]
}

function after(duration: number): Partial<GrantSpec> {
  return { end: { kind: 'After', duration } }
}

function until(notAfter: number): Partial<GrantSpec> {
  return { end: { kind: 'At', notAfter } }
}

function live(name: string, fields: Partial<LiveGrant> = {}): LiveGrant {
  return {
    uid: `uid of ${name}`,
    namespace: 'payments',
    name,
    policy: 'payments-deploy',
    subject: deployer,
    state: 'Active',
    issued: true,
    bindings: [],
    notAfter: null,
    policyDigest: null,
    subjectUid: null,
    ending: false,
    waive: [],
    ...fields,
  }
}

describe('decideGrant', () => {
  it('gives the sets, their rules and the end', () => {
    const decision = judge({ spec: { permissions: ['rollout', 'read-logs'] } })
    expect(decision).to.deep.equal({
      allowed: true,
      policy: policyOf(),
      sets: [policyOf().permissions[0], policyOf().permissions[2]],
      rules: [rule('get,list,watch,patch deployments.apps'), rule('get pods/log')],
      from: now,
      notAfter: now + 30 * minute,
      required: 0,
      outcome: 'Allow',
      reasons: [],
    })
  })

  describe('asks the policy, and', () => {
    tell([
      {
        sentence: 'refuses when there is none of that name',
        spec: { policy: { name: 'ghost', version: null } },
        says: ['policy-missing at spec.policy.name: there is no policy ghost'],
      },
      {
        sentence: 'refuses when it issues no grants',
        policy: { grants: null },
        says: ['policy-grants-nothing at spec.policy.name: policy payments-deploy@1.4.0 issues no grants'],
      },
      {
        sentence: 'refuses from the instant at which it had to be reviewed',
        policy: withExpiry(now),
        says: [
          'policy-expired at spec.policy: policy payments-deploy@1.4.0 was due for review at 2027-01-15T12:00:00.000Z and issues nothing since',
        ],
      },
      { sentence: 'allows up to that instant', policy: withExpiry(now + 1), says: [] },
      {
        sentence: 'refuses a version that is not the active one',
        spec: { policy: { name: 'payments-deploy', version: '1.3.0' } },
        says: ['policy-version at spec.policy.version: version 1.3.0 is not active; active is 1.4.0'],
      },
      {
        sentence: 'allows the active version by name',
        spec: { policy: { name: 'payments-deploy', version: '1.4.0' } },
        says: [],
      },
    ])
  })

  describe('looks at the subject and the place, and', () => {
    const search: Identity = { kind: 'ServiceAccount', namespace: 'search', name: 'deployer' }
    const anyone = withTerms({ requesters: [{ kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' }] })
    tell([
      {
        sentence: 'refuses a ServiceAccount that is not there',
        spec: { subject: { ...deployer, name: 'ghost' } },
        policy: anyone,
        says: ['subject-missing at spec.subject: there is no ServiceAccount ci/ghost'],
      },
      {
        sentence: 'refuses a User that spells out a ServiceAccount that is not there',
        spec: { subject: { kind: 'User', name: 'system:serviceaccount:ci:ghost' } },
        policy: anyone,
        says: ['subject-missing at spec.subject: there is no ServiceAccount ci/ghost'],
      },
      {
        sentence: 'refuses a subject that the policy does not govern',
        spec: { subject: search },
        policy: anyone,
        says: [
          'subject-not-governed at spec.subject: policy payments-deploy@1.4.0 does not govern ServiceAccount search/deployer',
        ],
      },
      {
        sentence: 'refuses a Group that has the name of a governed User',
        spec: { subject: { kind: 'Group', name: 'ci:acme/payments' } },
        policy: anyone,
        says: [
          'subject-not-governed at spec.subject: policy payments-deploy@1.4.0 does not govern Group ci:acme/payments',
        ],
      },
      {
        sentence: 'allows a governed User, who need not be known',
        spec: { subject: { kind: 'User', name: 'ci:acme/payments' } },
        policy: anyone,
        says: [],
      },
      {
        sentence: 'refuses a namespace that is not there',
        request: { namespace: 'ghost' },
        says: ['namespace-missing at metadata.namespace: there is no namespace ghost'],
      },
      {
        sentence: 'refuses a namespace outside the scope',
        request: { namespace: 'search' },
        says: [
          'namespace-out-of-scope at metadata.namespace: policy payments-deploy@1.4.0 issues no grants in namespace search',
        ],
      },
      {
        sentence: 'refuses every namespace when the policy has no scope',
        policy: { scope: null },
        says: [
          'namespace-out-of-scope at metadata.namespace: policy payments-deploy@1.4.0 issues no grants in namespace payments',
        ],
      },
    ])
  })

  describe('looks at who asks, and', () => {
    tell([
      { sentence: 'refuses somebody unknown', request: { requester: null }, says: refused('an unknown requester') },
      { sentence: 'allows the subject to ask for itself', policy: only({ kind: 'Self' }), says: [] },
      {
        sentence: 'refuses the subject where Self is not listed',
        policy: only({ kind: 'User', name: 'ana' }),
        says: refused(deployerName),
      },
      {
        sentence: 'refuses somebody else where only Self is listed',
        policy: only({ kind: 'Self' }),
        request: asks('ana', []),
        says: refused('ana'),
      },
      {
        sentence: 'lets a ServiceAccount be itself when the subject spells it out as User',
        spec: { subject: { kind: 'User', name: deployerName } },
        policy: only({ kind: 'Self' }),
        says: [],
      },
      {
        sentence: 'lets nobody be Self for a Group',
        spec: { subject: { kind: 'Group', name: 'bots' } },
        policy: { ...only({ kind: 'Self' }), subjects: [{ kind: 'Group', names: ['bots'] }] },
        request: asks('bots', ['bots']),
        says: [
          'requester-not-allowed at spec.requestedBy: policy payments-deploy@1.4.0 does not let bots ask for Group bots',
        ],
      },
      {
        sentence: 'allows a listed User',
        policy: only({ kind: 'User', name: 'ana' }),
        request: asks('ana', []),
        says: [],
      },
      {
        sentence: 'allows a listed ServiceAccount',
        policy: only({ kind: 'ServiceAccount', namespace: 'ci', name: 'bot' }),
        request: asks('system:serviceaccount:ci:bot', []),
        says: [],
      },
      {
        sentence: 'refuses the namesake of a listed ServiceAccount',
        policy: only({ kind: 'ServiceAccount', namespace: 'ci', name: 'bot' }),
        request: asks('system:serviceaccount:qa:bot', []),
        says: refused('system:serviceaccount:qa:bot'),
      },
      {
        sentence: 'allows a member of a listed Group',
        policy: only({ kind: 'Group', name: 'payments-leads' }),
        request: asks('ana', ['payments-leads']),
        says: [],
      },
      {
        sentence: 'refuses somebody whose groups are known and do not include it',
        policy: only({ kind: 'Group', name: 'payments-leads' }),
        request: asks('ana', ['payments']),
        says: refused('ana'),
      },
      {
        sentence: 'relies on admission where the groups are not known',
        policy: only({ kind: 'Group', name: 'payments-leads' }),
        request: asks('ana', null),
        says: [],
      },
      {
        sentence: 'relies on it when the active version had been accepted by then, to the second',
        request: { ...asks('ana', null), createdAt: now - 60_000 },
        world: worldOf({ revisions: [revisionOf('1.4.0', { appliedAt: now - 60_000 + 999 })] }),
        says: [],
      },
      {
        sentence: 'does not rely on admission under an earlier version, which may have let others ask',
        request: { ...asks('ana', null), createdAt: now - 60_000 },
        world: worldOf({ revisions: [revisionOf('1.4.0', { appliedAt: now - 60_000 + 1_000 })] }),
        says: refused('ana'),
      },
      {
        sentence: 'does not rely on admission while the active version is not on record',
        request: { ...asks('ana', null), createdAt: now - 60_000 },
        says: refused('ana'),
      },
      {
        sentence: 'refuses a User of the name of a listed Group',
        policy: only({ kind: 'Group', name: 'payments-leads' }),
        request: asks('payments-leads', []),
        says: refused('payments-leads'),
      },
      { sentence: 'refuses everybody when nobody is listed', policy: only(), says: refused(deployerName) },
    ])

    it('says who may ask', () => {
      const decision = judge({ request: { requester: null } })
      expect(decision.allowed ? [] : decision.findings.map((finding) => finding.remedy)).to.deep.equal([
        'allowed to ask: the subject itself, Group payments-leads',
      ])
    })
  })

  describe('looks at the time, and', () => {
    tell([
      { sentence: 'allows a duration of exactly the maximum', spec: after(hour), says: [] },
      {
        sentence: 'refuses one millisecond more',
        spec: after(hour + 1),
        says: ['duration-too-long at spec.duration: 1h1s is longer than the 1h that the policy allows'],
      },
      { sentence: 'allows an end that is exactly the maximum ahead', spec: until(now + hour), says: [] },
      {
        sentence: 'refuses an end that is further ahead',
        spec: until(now + 2 * hour),
        says: ['duration-too-long at spec.notAfter: 2h is longer than the 1h that the policy allows'],
      },
      { sentence: 'counts from notBefore', spec: { ...after(hour), notBefore: now + 5 * hour }, says: [] },
      {
        sentence: 'counts from notBefore to an end as well',
        spec: { ...until(now + 7 * hour), notBefore: now + 5 * hour },
        says: ['duration-too-long at spec.notAfter: 2h is longer than the 1h that the policy allows'],
      },
      {
        sentence: 'counts from now when notBefore is past, so that waiting gains nothing',
        spec: { ...until(now + hour + minute), notBefore: now - hour },
        says: ['duration-too-long at spec.notAfter: 1h1m is longer than the 1h that the policy allows'],
      },
      {
        sentence: 'F19: refuses a window that ends at this very instant',
        spec: until(now),
        says: ['window-passed at spec.notAfter: the window ended at 2027-01-15T12:00:00.000Z'],
      },
      { sentence: 'allows a window that ends a millisecond later', spec: until(now + 1), says: [] },
      {
        sentence: 'refuses a duration of nothing',
        spec: after(0),
        says: ['window-passed at spec.duration: the window ended at 2027-01-15T12:00:00.000Z'],
      },
    ])

    const ends: readonly (readonly [sentence: string, spec: Partial<GrantSpec>, notAfter: number])[] = [
      ['after the duration', after(30 * minute), now + 30 * minute],
      ['after the default duration when nothing is said', { end: { kind: 'Default' } }, now + 15 * minute],
      ['at the instant that is named', until(now + 42 * minute), now + 42 * minute],
      [
        'after the duration from notBefore',
        { ...after(30 * minute), notBefore: now + 2 * hour },
        now + 2 * hour + 30 * minute,
      ],
      ['after the duration from now when notBefore is past', { ...after(minute), notBefore: now - hour }, now + minute],
    ]
    for (const [sentence, spec, notAfter] of ends) {
      it(`ends it ${sentence}`, () => expect(judge({ spec })).to.include({ allowed: true, notAfter }))
    }
  })

  describe('looks at what is asked for, and', () => {
    tell([
      {
        sentence: 'refuses a permission that the policy does not have',
        spec: { permissions: ['rollout', 'admin'] },
        says: ['permission-unknown at spec.permissions[1]: policy payments-deploy@1.4.0 has no permission admin'],
      },
      {
        sentence: 'refuses a permission whose ClusterRole is not there',
        spec: { permissions: ['read-logs'] },
        world: worldOf({ rbac: rbacOf() }),
        says: [
          'permission-unknown at spec.permissions[0]: ClusterRole payments-log-reader of permission read-logs does not exist',
        ],
      },
      {
        sentence: 'allows narrower rules within the named permissions',
        spec: { rules: [rule('patch deployments.apps', 'api')] },
        says: [],
      },
      {
        sentence: 'refuses a verb beyond them, and names what is missing',
        spec: { rules: [rule('get,delete deployments.apps')] },
        says: [
          'beyond-ceiling at spec.rules[0]: beyond what the named permissions of payments-deploy@1.4.0 allow: delete deployments.apps',
        ],
      },
      {
        sentence: 'refuses what only a permission that was not named allows',
        spec: { rules: [rule('get pods/log')] },
        says: [
          'beyond-ceiling at spec.rules[0]: beyond what the named permissions of payments-deploy@1.4.0 allow: get pods/log',
        ],
      },
      {
        sentence: 'allows one of the names that the policy lists',
        spec: { permissions: ['one-secret'], rules: [rule('get secrets', 'tls')] },
        says: [],
      },
      {
        sentence: 'refuses a rule without names under a ceiling with names: no names are all names',
        spec: { permissions: ['one-secret'], rules: [rule('get secrets')] },
        says: [
          'beyond-ceiling at spec.rules[0]: beyond what the named permissions of payments-deploy@1.4.0 allow: get secrets',
        ],
      },
      {
        sentence: 'refuses empty resourceNames in the same way',
        spec: { permissions: ['one-secret'], rules: [{ ...rule('get secrets'), resourceNames: [] }] },
        says: [
          'beyond-ceiling at spec.rules[0]: beyond what the named permissions of payments-deploy@1.4.0 allow: get secrets',
        ],
      },
      {
        sentence: 'refuses a name that the policy does not list',
        spec: { permissions: ['one-secret'], rules: [rule('get secrets', 'tls', 'root')] },
        says: [
          'beyond-ceiling at spec.rules[0]: beyond what the named permissions of payments-deploy@1.4.0 allow: get secrets (resourceNames: root)',
        ],
      },
      {
        sentence: 'judges each rule by itself, at its place',
        spec: { rules: [rule('get deployments.apps'), rule('* deployments.apps'), rule('get nodes')] },
        says: [
          'beyond-ceiling at spec.rules[1]: beyond what the named permissions of payments-deploy@1.4.0 allow: * deployments.apps',
          'beyond-ceiling at spec.rules[2]: beyond what the named permissions of payments-deploy@1.4.0 allow: get nodes',
        ],
      },
    ])

    it('gives the narrower rules, not the sets', () => {
      const rules = [rule('patch deployments.apps', 'api')]
      expect(judge({ spec: { rules } })).to.deep.include({ allowed: true, rules })
    })
  })

  describe('counts the grants of the subject, and', () => {
    const three = [live('c'), live('a', { namespace: 'ci' }), live('b', { state: 'Pending', issued: false })]
    const tooMany = [
      'too-many-active at spec.subject: ServiceAccount ci/deployer already has 3 of at most 3 grants: ci/a, payments/b, payments/c',
    ]
    const ana: Identity = { kind: 'User', name: 'ana' }
    tell([
      { sentence: 'allows one below the limit', world: worldOf({ grants: three.slice(1) }), says: [] },
      { sentence: 'refuses at the limit, and names them', world: worldOf({ grants: three }), says: tooMany },
      {
        sentence: 'counts a subject that is spelled out as User',
        spec: { subject: { kind: 'User', name: deployerName } },
        world: worldOf({ grants: three }),
        says: [
          `too-many-active at spec.subject: User ${deployerName} already has 3 of at most 3 grants: ci/a, payments/b, payments/c`,
        ],
      },
      {
        sentence: 'does not count the grant itself',
        world: worldOf({ grants: [...three.slice(1), live('rollout-2041', { uid: 'grant-1' })] }),
        says: [],
      },
      {
        sentence: 'counts an earlier grant of the same name, which is another',
        world: worldOf({ grants: [...three.slice(1), live('rollout-2041', { uid: 'grant-0' })] }),
        says: [
          'too-many-active at spec.subject: ServiceAccount ci/deployer already has 3 of at most 3 grants: ci/a, payments/b, payments/rollout-2041',
        ],
      },
      {
        sentence: 'knows a grant from a file by its name',
        request: { uid: null },
        world: worldOf({ grants: [...three.slice(1), live('rollout-2041', { uid: '' })] }),
        says: [],
      },
      {
        sentence: 'does not count grants of others',
        world: worldOf({ grants: [...three.slice(1), live('d', { subject: ana })] }),
        says: [],
      },
      {
        sentence: 'does not count grants of another policy',
        world: worldOf({ grants: [...three.slice(1), live('d', { policy: 'search' })] }),
        says: [],
      },
    ])
  })

  describe('gives credentials where the operator does, and', () => {
    const credential = { secretName: 'token', audiences: [] }
    const lasting = (duration: number) => ({ credential, end: { kind: 'After', duration } }) as const
    tell([
      { sentence: 'allows one', spec: { credential }, says: [] },
      { sentence: 'allows the shortest that there is', spec: lasting(10 * minute + 10_000), says: [] },
      {
        sentence: 'refuses it where the operator issues none',
        spec: { credential },
        world: worldOf({ credentialNamespaces: ['ci'] }),
        says: ['credential-namespace at spec.credential: the operator issues no credentials in namespace payments'],
      },
      {
        sentence: 'refuses it when that is not known',
        spec: { credential },
        world: worldOf({ credentialNamespaces: null }),
        says: [
          'credential-namespace at spec.credential: it is not known whether the operator may issue credentials in namespace payments',
        ],
      },
      {
        sentence: 'refuses a grant that is over before a token can be',
        spec: lasting(10 * minute),
        says: [
          'credential-too-short at spec.credential: a credential lasts at least 10m and takes seconds to issue, and 10m would be left',
        ],
      },
      {
        sentence: 'counts from when it begins, not from now',
        spec: { credential, notBefore: now + 25 * minute, end: { kind: 'At', notAfter: now + 30 * minute } },
        says: [
          'credential-too-short at spec.credential: a credential lasts at least 10m and takes seconds to issue, and 5m would be left',
        ],
      },
      {
        sentence: 'counts to where a policy that ends sooner cuts it',
        spec: { credential },
        policy: { change: { ...policyOf().change, expiresAt: now + minute } },
        says: [
          'credential-too-short at spec.credential: a credential lasts at least 10m and takes seconds to issue, and 1m would be left',
        ],
      },
      { sentence: 'asks nothing of that of a grant without', world: worldOf({ credentialNamespaces: [] }), says: [] },
    ])
  })

  describe('waives what the policy lets be waived, and', () => {
    const api: Identity = { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' }
    const lists = (...waivable: GrantTerms['waivable']) => withTerms({ waivable })
    const there = { namespace: 'ci' }
    tell([
      {
        sentence: 'allows a grant that waives beside its permissions',
        spec: { waive: ['host-path'] },
        request: there,
        policy: lists('exec', 'host-path'),
        says: [],
      },
      {
        sentence: 'allows a grant that only waives',
        spec: { permissions: [], waive: ['host-path'] },
        request: there,
        policy: { ...lists('host-path'), permissions: [] },
        says: [],
      },
      {
        sentence: 'allows a subject that is spelled out as User',
        spec: { subject: { kind: 'User', name: deployerName }, waive: ['host-path'] },
        request: there,
        policy: lists('host-path'),
        says: [],
      },
      {
        sentence: 'refuses each check that it does not list',
        spec: { waive: ['host-path', 'exec', 'privileged'] },
        request: there,
        policy: lists('exec'),
        says: [
          'waiver-not-allowed at spec.waive[0]: policy payments-deploy@1.4.0 does not let grants waive host-path',
          'waiver-not-allowed at spec.waive[2]: policy payments-deploy@1.4.0 does not let grants waive privileged',
        ],
      },
      {
        sentence: 'refuses every waiver when it lists nothing',
        spec: { permissions: [], waive: ['host-path'] },
        request: there,
        says: ['waiver-not-allowed at spec.waive[0]: policy payments-deploy@1.4.0 does not let grants waive host-path'],
      },
      {
        sentence: 'refuses a subject whose workloads are in another namespace',
        spec: { subject: api, waive: ['host-path'] },
        policy: lists('host-path'),
        says: [
          'waiver-subject at spec.subject: no workload in namespace payments runs as ServiceAccount ci/deployer, so that there is nothing to waive',
        ],
      },
      {
        sentence: 'refuses a subject that has no workloads',
        spec: { subject: { kind: 'User', name: 'ci:acme/payments' }, waive: ['host-path'] },
        request: { ...asks('ci:acme/payments', []), namespace: 'ci' },
        policy: lists('host-path'),
        says: [
          'waiver-subject at spec.subject: no workload in namespace ci runs as User ci:acme/payments, so that there is nothing to waive',
        ],
      },
      {
        sentence: 'counts a grant that only waives like any other',
        spec: { permissions: [], waive: ['host-path'] },
        request: there,
        world: worldOf({
          policies: [policyOf(withTerms({ waivable: ['host-path'], maxActivePerSubject: 1 }))],
          grants: [live('other')],
        }),
        says: [
          'too-many-active at spec.subject: ServiceAccount ci/deployer already has 1 of at most 1 grants: payments/other',
        ],
      },
    ])
  })

  it('names every reason at once', () => {
    const decision = judge({
      spec: { permissions: ['admin'], end: { kind: 'After', duration: 2 * hour } },
      request: { namespace: 'search', requester: null },
      policy: withExpiry(now - 1),
    })
    expect(decision.allowed ? [] : decision.findings.map((finding) => finding.check)).to.deep.equal([
      'policy-expired',
      'namespace-out-of-scope',
      'requester-not-allowed',
      'duration-too-long',
      'permission-unknown',
    ])
  })

  describe('on what no policy can give', () => {
    tell([
      {
        sentence: 'refuses a permission that outlives the grant, whatever the policy lists',
        policy: withSets([{ kind: 'Rules', name: 'rollout', rules: [bindsOthers] }]),
        says: [
          'hands-on-access at spec.permissions[0]: allows create rolebindings.rbac.authorization.k8s.io, with which access can be kept or handed on beyond the end of a grant',
        ],
      },
      {
        sentence: 'refuses the same from a ClusterRole that somebody has changed since',
        spec: { permissions: ['read-logs'] },
        world: worldOf({ rbac: rbacOf(role('payments-log-reader', bindsOthers)) }),
        says: [
          'hands-on-access at spec.permissions[0]: allows create rolebindings.rbac.authorization.k8s.io, with which access can be kept or handed on beyond the end of a grant',
        ],
      },
      {
        sentence: 'refuses more than a grant can record, without spelling it out',
        policy: withSets([
          {
            kind: 'Rules',
            name: 'rollout',
            rules: [
              {
                verbs: many('v', 32),
                apiGroups: many('g', 32),
                resources: many('r', 64),
                resourceNames: many('n', 64),
              },
            ],
          },
        ]),
        says: [
          'too-many-rules at spec.permissions: comes to 1 rules and 4194304 single permissions; at most 64 and 2048 are granted at a time',
        ],
      },
    ])
  })
})
