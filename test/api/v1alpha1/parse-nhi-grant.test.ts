import { expect } from 'chai'
import { loadConditionEngine } from '../../../src/core/cel/engine.ts'
import { parseNHIGrant, type ParsedGrant } from '../../../src/api/v1alpha1/parse-nhi-grant.ts'
import { nhiGrant, type Wire } from './wire.ts'

function parse(change?: (grant: Wire) => void): ParsedGrant {
  const parsed = parseNHIGrant(nhiGrant(change))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

function problemsOf(object: unknown): readonly string[] {
  const parsed = parseNHIGrant(object)
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`)
}

describe('parseNHIGrant', () => {
  before(loadConditionEngine)

  it('reads every field', () => {
    const { namespace, name, spec } = parse(({ spec: wire }) => (wire.revoke = { reason: 'leaked' }))
    expect([namespace, name]).to.deep.equal(['payments', 'rollout-2041'])
    expect(spec).to.deep.equal({
      policy: { name: 'payments-deploy', version: '1.4.0' },
      subject: { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' },
      permissions: ['rollout'],
      rules: [{ verbs: ['patch'], apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['api'] }],
      waive: ['host-path'],
      end: { kind: 'After', duration: 1_800_000 },
      notBefore: Date.UTC(2027, 0, 15, 12),
      reason: 'Roll out release 2041',
      ticket: 'CHG-20855',
      requestedBy: 'system:serviceaccount:ci:deployer',
      until: { apiVersion: 'batch/v1', kind: 'Job', name: 'migrate', condition: null },
      credential: { secretName: 'rollout-token', audiences: ['vault'] },
      breakGlass: { incident: 'INC-77' },
      revoke: { reason: 'leaked' },
    })
  })

  it('compiles the expression that it ends by', () => {
    const { spec } = parse(({ spec: wire }) =>
      Object.assign(wire.until, { apiVersion: 'batch/v1', expression: 'object.status.failed > 2' }),
    )
    const object = { status: { failed: 3 } }
    expect(spec.until?.condition?.evaluate({ object })).to.deep.include({ ok: true, value: true })
    const broken = nhiGrant(({ spec: wire }) =>
      Object.assign(wire.until, { apiVersion: 'batch/v1', expression: 'object.status.failed >' }),
    )
    expect(problemsOf(broken).join()).to.match(/^spec\.until\.expression: line 1, column \d+: /)
  })

  it('takes what is omitted, or null, as not given', () => {
    const optional = [
      'rules',
      'waive',
      'duration',
      'notBefore',
      'ticket',
      'requestedBy',
      'until',
      'credential',
      'breakGlass',
    ]
    const omitted = parse(({ spec }) => {
      for (const field of optional) delete spec[field]
      delete spec.policy.version
    })
    const nulls = parse(({ spec }) => {
      for (const field of [...optional, 'notAfter', 'revoke']) spec[field] = null
      spec.policy.version = null
    })
    expect(omitted.spec).to.deep.equal({
      policy: { name: 'payments-deploy', version: null },
      subject: { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' },
      permissions: ['rollout'],
      rules: [],
      waive: [],
      end: { kind: 'Default' },
      notBefore: null,
      reason: 'Roll out release 2041',
      ticket: null,
      requestedBy: null,
      until: null,
      credential: null,
      breakGlass: null,
      revoke: null,
    })
    expect(nulls.spec).to.deep.equal(omitted.spec)
  })

  it('reads a grant that only waives', () => {
    const { spec } = parse(({ spec: wire }) => {
      delete wire.permissions
      delete wire.rules
      delete wire.credential
    })
    expect(spec).to.deep.include({ permissions: [], rules: [], waive: ['host-path'] })
  })

  it('reads an end at an instant', () => {
    const { spec } = parse(({ spec: wire }) => {
      delete wire.duration
      wire.notAfter = '2027-01-15T13:00:00+00:30'
    })
    expect(spec.end).to.deep.equal({ kind: 'At', notAfter: Date.UTC(2027, 0, 15, 12, 30) })
  })

  it('reads a subject that is no ServiceAccount', () => {
    const { spec } = parse(({ spec: wire }) => {
      wire.subject = { kind: 'User', name: 'ci:acme' }
      delete wire.credential
    })
    expect(spec.subject).to.deep.equal({ kind: 'User', name: 'ci:acme' })
  })

  it('reads a grant that the API server has yet to name', () => {
    expect(parse((grant) => (grant.metadata = { generateName: 'rollout-' })).name).to.equal('rollout-')
  })

  describe('names field and fault of', () => {
    const table: readonly (readonly [sentence: string, change: (spec: Wire) => void, problem: string])[] = [
      ['an unknown field', (spec) => (spec.maxUses = 3), 'spec.maxUses: is not a known field'],
      [
        'a wrong enum',
        (spec) => (spec.subject.kind = 'Robot'),
        'spec.subject.kind: must be one of ServiceAccount, User, Group, not "Robot"',
      ],
      [
        'a negative duration',
        (spec) => (spec.duration = '-30m'),
        'spec.duration: "-30m" does not have the expected form',
      ],
      [
        'a fraction of an hour',
        (spec) => (spec.duration = '0.5h'),
        'spec.duration: "0.5h" does not have the expected form',
      ],
      ['an empty duration', (spec) => (spec.duration = ''), 'spec.duration: must have at least 2 characters'],
      ['minutes as a number', (spec) => (spec.duration = 30), 'spec.duration: must be a string, not number "30"'],
      [
        'a begin that is no timestamp',
        (spec) => (spec.notBefore = '2027-01-15'),
        'spec.notBefore: "2027-01-15" is no RFC 3339 timestamp',
      ],
      ['no permissions', (spec) => (spec.permissions = []), 'spec.permissions: must not be empty'],
      [
        'one permission twice',
        (spec) => (spec.permissions = ['rollout', 'rollout']),
        'spec.permissions[1]: is the same as item 0: "rollout"',
      ],
      ['a rule without verbs', (spec) => delete spec.rules[0].verbs, 'spec.rules[0].verbs: is required'],
      [
        'a rule without apiGroups',
        (spec) => (spec.rules[0].apiGroups = []),
        'spec.rules[0].apiGroups: must not be empty',
      ],
      ['a rule without resources', (spec) => delete spec.rules[0].resources, 'spec.rules[0].resources: is required'],
      [
        'an empty object name',
        (spec) => (spec.rules[0].resourceNames = ['']),
        'spec.rules[0].resourceNames[0]: must not be empty',
      ],
      ['nothing to waive', (spec) => (spec.waive = []), 'spec.waive: must not be empty'],
      ['one waiver twice', (spec) => (spec.waive = ['exec', 'exec']), 'spec.waive[1]: is the same as item 0: "exec"'],
      ['no reason', (spec) => delete spec.reason, 'spec.reason: is required'],
      ['an empty reason', (spec) => (spec.reason = ''), 'spec.reason: must not be empty'],
      ['a revocation without reason', (spec) => (spec.revoke = {}), 'spec.revoke.reason: is required'],
      ['true for a revocation', (spec) => (spec.revoke = true), 'spec.revoke: must be an object, not boolean "true"'],
      ['no policy', (spec) => delete spec.policy, 'spec.policy: is required'],
      [
        'the name of a policy alone',
        (spec) => (spec.policy = 'payments'),
        'spec.policy: must be an object, not string "payments"',
      ],
      [
        'a namespace that is no label',
        (spec) => (spec.subject.namespace = 'ci/x'),
        'spec.subject.namespace: "ci/x" does not have the expected form',
      ],
    ]
    for (const [sentence, change, problem] of table) {
      it(sentence, () => expect(problemsOf(nhiGrant((grant) => change(grant.spec)))).to.deep.equal([problem]))
    }
  })

  it('refuses rules that come to more single permissions than can be judged', () => {
    const names = Array.from({ length: 64 }, (_, index) => `n${index}`)
    const grant = nhiGrant(({ spec }) => {
      spec.rules = [{ verbs: names.slice(0, 32), apiGroups: ['apps'], resources: ['a', 'b'], resourceNames: names }]
    })
    expect(problemsOf(grant)).to.deep.equal([
      'spec.rules: comes to 4096 single permissions (verbs × groups × resources × names); at most 2048 are allowed',
    ])
  })
})
