import { expect } from 'chai'
import { parseAccessPolicy } from '../../../src/api/v1alpha1/parse-access-policy.ts'
import { waivableChecks } from '../../../src/core/workload/waivers.ts'
import type { Policy } from '../../../src/core/policy/policy.ts'
import { capabilityIds } from '../../../src/core/rbac/capability.ts'
import { accessPolicy, type Wire } from './wire.ts'

function parse(change?: (policy: Wire) => void): Policy {
  const parsed = parseAccessPolicy(accessPolicy(change))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

function problemsOf(object: unknown): readonly string[] {
  const parsed = parseAccessPolicy(object)
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`)
}

/** Leaves out what has a default. */
function bare(spec: Wire): void {
  spec.workloads = { pin: {}, podSecurity: { level: 'baseline' } }
  delete spec.grants.maxActivePerSubject
}

describe('parseAccessPolicy', () => {
  it('reads every field', () => {
    const { digest, ...policy } = parse()
    expect(digest).to.match(/^sha256:[0-9a-f]{64}$/)
    expect(policy).to.deep.equal({
      name: 'payments-deploy',
      version: '1.4.0',
      owner: { name: 'payments-platform', contact: 'oncall@example.com' },
      change: {
        request: 'CHG-20841',
        reason: 'Deployers no longer read Secrets',
        approvedBy: ['ana@example.com'],
        expiresAt: Date.UTC(2027, 2, 1),
      },
      subjects: [
        {
          kind: 'ServiceAccount',
          namespaceSelector: { matchLabels: { team: 'payments' } },
          selector: { matchExpressions: [{ key: 'lapse.dev/nhi', operator: 'In', values: ['deployer'] }] },
          names: [],
        },
        { kind: 'User', names: ['ci:acme/payments'] },
      ],
      scope: { matchLabels: { team: 'payments' } },
      clusterScope: true,
      permissions: [
        {
          kind: 'Rules',
          name: 'rollout',
          rules: [{ verbs: ['get', 'list', 'watch', 'patch'], apiGroups: ['apps'], resources: ['deployments'] }],
        },
        { kind: 'ClusterRole', name: 'read-logs', clusterRole: 'payments-log-reader' },
      ],
      grants: {
        maxDuration: 3_600_000,
        defaultDuration: 900_000,
        maxActivePerSubject: 3,
        requesters: [{ kind: 'Self' }, { kind: 'Group', name: 'payments-leads' }],
        waivable: ['host-path', 'exec'],
        conditions: [],
        approval: { required: 1, by: [{ kind: 'Group', name: 'payments-leads' }], within: 14_400_000 },
        breakGlass: {
          requesters: [{ kind: 'User', name: 'ana' }],
          maxDuration: 300_000,
          reviewWithin: 86_400_000,
          reviewers: [{ kind: 'Group', name: 'security' }],
        },
        until: [{ apiVersion: 'batch/v1', kind: 'Job' }],
        onRevoke: 'EvictPods',
        retention: 2_592_000_000,
      },
      workloads: {
        enforcement: 'Warn',
        podSecurity: { level: 'restricted', version: 'v1.36' },
        forbid: ['secrets-read', 'exec'],
        checks: ['needless-token', 'secret-in-env'],
        maxTokenLifetime: 7_200_000,
        standing: null,
        pin: { required: true, grace: 86_400_000 },
        conditions: [],
      },
    })
  })

  describe('takes what is omitted as', () => {
    it('no scope, no permissions and no grants', () => {
      const policy = parse(({ spec }) => {
        for (const field of ['scope', 'permissions', 'grants']) delete spec[field]
      })
      expect(policy).to.deep.include({ scope: null, permissions: [], grants: null })
    })

    it('no judgement of workloads', () => {
      const policy = parse(({ spec }) => {
        delete spec.workloads
        delete spec.grants.waivable
      })
      expect(policy.workloads).to.equal(null)
    })

    it('Deny, and nothing else, of workloads', () => {
      const { workloads } = parse(({ spec }) => (spec.workloads = {}))
      expect(workloads).to.deep.equal({
        enforcement: 'Deny',
        podSecurity: null,
        forbid: [],
        checks: [],
        maxTokenLifetime: null,
        standing: null,
        pin: null,
        conditions: [],
      })
    })

    it('nothing that may be held only where `standing` says so', () => {
      const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }]
      const held = [undefined, [], rules].map(
        (standing) => parse(({ spec }) => (spec.workloads = { standing })).workloads?.standing,
      )
      expect(held).to.deep.equal([null, [], rules])
    })

    it('the latest Pod Security rules, no required pin and no grace', () => {
      const { workloads } = parse(({ spec }) => (spec.workloads = { podSecurity: { level: 'baseline' }, pin: {} }))
      expect(workloads).to.deep.include({
        podSecurity: { level: 'baseline', version: 'latest' },
        pin: { required: false, grace: 0 },
      })
    })

    it('nothing that grants may waive', () => {
      expect(parse(({ spec }) => delete spec.grants.waivable).grants?.waivable).to.deep.equal([])
    })

    it('no permissions, where grants only waive', () => {
      expect(parse(({ spec }) => delete spec.permissions)).to.deep.include({ permissions: [] })
    })

    it('F18: one active grant of 15 minutes', () => {
      const { grants } = parse(({ spec }) => {
        delete spec.grants.defaultDuration
        delete spec.grants.maxActivePerSubject
      })
      expect(grants).to.include({ defaultDuration: 900_000, maxActivePerSubject: 1 })
    })

    it('a default no longer than the maximum', () => {
      const { grants } = parse(({ spec }) => {
        delete spec.grants.defaultDuration
        spec.grants.maxDuration = '5m'
      })
      expect(grants?.defaultDuration).to.equal(300_000)
    })

    it('the same as null', () => {
      const policy = parse(({ spec }) => {
        spec.owner.contact = null
        spec.workloads.enforcement = null
        spec.subjects[1].selector = null
      })
      expect(policy.owner.contact).to.equal(null)
      expect(policy.workloads?.enforcement).to.equal('Deny')
    })
  })

  describe('gives a digest that', () => {
    const { digest } = parse()

    it('does not depend on the order of keys', () => {
      const reversed = (value: Wire): Wire => {
        if (Array.isArray(value)) return value.map(reversed)
        if (typeof value !== 'object') return value
        return Object.fromEntries(
          Object.entries(value)
            .toReversed()
            .map(([key, item]) => [key, reversed(item)]),
        )
      }
      expect(parse((policy) => (policy.spec = reversed(policy.spec))).digest).to.equal(digest)
    })

    it('does not depend on defaults being written out', () => {
      const written = parse(({ spec }) => {
        bare(spec)
        Object.assign(spec.workloads, { enforcement: 'Deny', podSecurity: { level: 'baseline', version: 'latest' } })
        Object.assign(spec.workloads.pin, { required: false, grace: '0s' })
        spec.grants.maxActivePerSubject = 1
      })
      expect(written.digest).to.equal(parse(({ spec }) => bare(spec)).digest)
    })

    it('does not depend on null being written out', () => {
      expect(parse(({ spec }) => (spec.subjects[1].selector = null)).digest).to.equal(digest)
    })

    it('does not depend on name, labels or status', () => {
      const other = parse((policy) => {
        policy.metadata = { name: 'other', labels: { a: 'b' }, generation: 7 }
        policy.status = { activeVersion: '0.1.0' }
      })
      expect(other.digest).to.equal(digest)
    })

    it('changes with every word of the spec', () => {
      expect(parse(({ spec }) => (spec.change.reason += '!')).digest).to.not.equal(digest)
      expect(parse(({ spec }) => spec.subjects.push(spec.subjects.shift())).digest).to.not.equal(digest)
    })
  })

  describe('names field and fault of', () => {
    const table: readonly (readonly [sentence: string, change: (policy: Wire) => void, problem: string])[] = [
      [
        'an unknown field',
        ({ spec }) => (spec.grants.maxDurations = '1h'),
        'spec.grants.maxDurations: is not a known field',
      ],
      ['an unknown field beside spec', (policy) => (policy.sepc = {}), 'sepc: is not a known field'],
      [
        'a field that every JavaScript object has',
        ({ spec }) => Object.defineProperty(spec, 'constructor', { value: {}, enumerable: true }),
        'spec.constructor: is not a known field',
      ],
      [
        'a wrong enum',
        ({ spec }) => (spec.workloads.enforcement = 'deny'),
        'spec.workloads.enforcement: must be one of Deny, Warn, Audit, not "deny"',
      ],
      [
        'an unknown capability',
        ({ spec }) => spec.workloads.forbid.push('fly'),
        `spec.workloads.forbid[2]: must be one of ${capabilityIds.join(', ')}, not "fly"`,
      ],
      [
        'a negative duration',
        ({ spec }) => (spec.grants.maxDuration = '-1h'),
        'spec.grants.maxDuration: "-1h" does not have the expected form',
      ],
      [
        'a malformed duration',
        ({ spec }) => (spec.workloads.pin.grace = '1 day'),
        'spec.workloads.pin.grace: "1 day" does not have the expected form',
      ],
      [
        'an absurd duration',
        ({ spec }) => (spec.grants.maxDuration = '9999999999h'),
        'spec.grants.maxDuration: "9999999999h" does not have the expected form',
      ],
      [
        'a duration that is too long to read',
        ({ spec }) => (spec.grants.maxDuration = '1'.repeat(99)),
        'spec.grants.maxDuration: must have at most 20 characters',
      ],
      [
        'a duration as a number',
        ({ spec }) => (spec.grants.maxDuration = 60),
        'spec.grants.maxDuration: must be a string, not number "60"',
      ],
      [
        'a rule without verbs',
        ({ spec }) => delete spec.permissions[0].rules[0].verbs,
        'spec.permissions[0].rules[0].verbs: is required',
      ],
      [
        'a rule with an empty list of verbs',
        ({ spec }) => (spec.permissions[0].rules[0].verbs = []),
        'spec.permissions[0].rules[0].verbs: must not be empty',
      ],
      [
        'a rule for URLs, which no namespaced grant could give',
        ({ spec }) => (spec.permissions[0].rules[0].nonResourceURLs = ['/metrics']),
        'spec.permissions[0].rules[0].nonResourceURLs: is not a known field',
      ],
      [
        'one verb instead of a list',
        ({ spec }) => (spec.permissions[0].rules[0].verbs = 'get'),
        'spec.permissions[0].rules[0].verbs: must be a list, not string "get"',
      ],
      [
        'null in a list',
        ({ spec }) => (spec.permissions[0].rules[0].verbs = [null]),
        'spec.permissions[0].rules[0].verbs[0]: must be a string, not nothing',
      ],
      [
        'two permission sets of one name',
        ({ spec }) => (spec.permissions[1].name = 'rollout'),
        'spec.permissions[1]: is the same as item 0: ["rollout"]',
      ],
      [
        'a permission set whose name is no label',
        ({ spec }) => (spec.permissions[0].name = 'Roll out'),
        'spec.permissions[0].name: "Roll out" does not have the expected form',
      ],
      [
        'one approver twice',
        ({ spec }) => spec.change.approvedBy.push('ana@example.com'),
        'spec.change.approvedBy[1]: is the same as item 0: "ana@example.com"',
      ],
      [
        'nobody who approved it',
        ({ spec }) => (spec.change.approvedBy = []),
        'spec.change.approvedBy: must not be empty',
      ],
      ['nobody who may ask', ({ spec }) => (spec.grants.requesters = []), 'spec.grants.requesters: must not be empty'],
      ['no subjects', ({ spec }) => (spec.subjects = []), 'spec.subjects: must not be empty'],
      ['a missing version', ({ spec }) => delete spec.version, 'spec.version: is required'],
      ['a missing owner', ({ spec }) => (spec.owner = null), 'spec.owner: is required'],
      ['a missing maxDuration', ({ spec }) => delete spec.grants.maxDuration, 'spec.grants.maxDuration: is required'],
      ['a missing review date', ({ spec }) => delete spec.change.expiresAt, 'spec.change.expiresAt: is required'],
      [
        'a review date that is no date',
        ({ spec }) => (spec.change.expiresAt = 'never'),
        'spec.change.expiresAt: "never" is no RFC 3339 timestamp',
      ],
      [
        'a review date that is in no calendar',
        ({ spec }) => (spec.change.expiresAt = '2027-02-30T00:00:00Z'),
        'spec.change.expiresAt: "2027-02-30T00:00:00Z" is no RFC 3339 timestamp',
      ],
      [
        'a version with build metadata, which has no order',
        ({ spec }) => (spec.version = '1.4.0+build.7'),
        'spec.version: "1.4.0+build.7" does not have the expected form',
      ],
      [
        'a version with a v',
        ({ spec }) => (spec.version = 'v1.4.0'),
        'spec.version: "v1.4.0" does not have the expected form',
      ],
      [
        'a version with a leading zero',
        ({ spec }) => (spec.version = '1.04.0'),
        'spec.version: "1.04.0" does not have the expected form',
      ],
      [
        'a version in YAML that became a number',
        ({ spec }) => (spec.version = 1.4),
        'spec.version: must be a string, not number "1.4"',
      ],
      [
        'too many active grants',
        ({ spec }) => (spec.grants.maxActivePerSubject = 101),
        'spec.grants.maxActivePerSubject: must be at most 100, not 101',
      ],
      [
        'no active grants',
        ({ spec }) => (spec.grants.maxActivePerSubject = 0),
        'spec.grants.maxActivePerSubject: must be at least 1, not 0',
      ],
      [
        'half a grant',
        ({ spec }) => (spec.grants.maxActivePerSubject = 1.5),
        'spec.grants.maxActivePerSubject: must be a whole number, not number "1.5"',
      ],
      [
        'yes for true',
        ({ spec }) => (spec.workloads.pin.required = 'yes'),
        'spec.workloads.pin.required: must be true or false, not string "yes"',
      ],
      [
        'a label that is no text',
        ({ spec }) => (spec.scope.namespaceSelector.matchLabels.tier = 1),
        'spec.scope.namespaceSelector.matchLabels["tier"]: must be a string, not number "1"',
      ],
      [
        'an empty label key in an expression',
        ({ spec }) => (spec.subjects[0].selector.matchExpressions[0].key = ''),
        'spec.subjects[0].selector.matchExpressions[0].key: must not be empty',
      ],
      ['a list for a section', ({ spec }) => (spec.grants = []), 'spec.grants: must be an object, not a list'],
      ['no spec', (policy) => delete policy.spec, 'spec: is required'],
      ['false for a spec', (policy) => (policy.spec = false), 'spec: must be an object, not boolean "false"'],
      ['a text for a spec', (policy) => (policy.spec = ''), 'spec: must be an object, not string ""'],
      ['no name', (policy) => delete policy.metadata, 'metadata.name: is required'],
      [
        'another version of the API',
        (policy) => (policy.apiVersion = 'lapse.dev/v1'),
        'apiVersion: must be lapse.dev/v1alpha1, not "lapse.dev/v1"',
      ],
      ['another kind', (policy) => (policy.kind = 'Policy'), 'kind: must be AccessPolicy, not "Policy"'],
    ]
    for (const [sentence, change, problem] of table) {
      it(sentence, () => expect(problemsOf(accessPolicy(change))).to.deep.equal([problem]))
    }

    for (const [text, object] of [
      ['nothing', null],
      ['a list', []],
      ['a text', 'apiVersion: lapse.dev/v1alpha1'],
    ] as const) {
      it(`a document that is ${text}`, () => expect(problemsOf(object)).to.deep.equal([': must be an object']))
    }

    it('everything that is wrong, not only the first', () => {
      const problems = problemsOf(
        accessPolicy(({ spec }) => {
          delete spec.version
          spec.grants.maxDuration = '-1h'
          spec.workloads.podSecurity.level = 'strict'
        }),
      )
      expect(problems).to.deep.equal([
        'spec.version: is required',
        'spec.grants.maxDuration: "-1h" does not have the expected form',
        'spec.workloads.podSecurity.level: must be one of privileged, baseline, restricted, not "strict"',
      ])
    })
  })

  it('says what to do about an unknown field and a missing one', () => {
    const parsed = parseAccessPolicy(
      accessPolicy(({ spec }) => {
        spec.owner.email = 'a@example.com'
        delete spec.change.request
      }),
    )
    expect(parsed.ok ? [] : parsed.problems.map((problem) => problem.remedy)).to.deep.equal([
      'Known here: name, contact',
      'The ticket or pull request.',
    ])
  })

  for (const check of ['hostPath', 'pin-stale', 'duration-too-long'])
    it(`does not know ${check} as a check that grants may waive`, () => {
      const [problem, ...others] = problemsOf(accessPolicy(({ spec }) => spec.grants.waivable.push(check)))
      const known = waivableChecks.join(', ')
      expect(problem).to.equal(`spec.grants.waivable[2]: must be one of ${known}, not "${check}"`)
      expect(others).to.deep.equal([])
    })

  it('does not repeat a long value', () => {
    const [problem = ''] = problemsOf(accessPolicy(({ spec }) => (spec.workloads.enforcement = 'x'.repeat(1_000))))
    expect(problem).to.equal(`spec.workloads.enforcement: must be one of Deny, Warn, Audit, not "${'x'.repeat(61)}..."`)
  })

  it('leaves the object as it is', () => {
    const object = accessPolicy(({ spec }) => (spec.workloads = { pin: {} }))
    const before = structuredClone(object)
    parseAccessPolicy(object)
    expect(object).to.deep.equal(before)
  })

  it('takes nothing from the prototype of the object', () => {
    const spec = Object.create(accessPolicy().spec) as object
    expect(problemsOf(accessPolicy((policy) => (policy.spec = spec)))).to.include('spec.version: is required')
  })
})
