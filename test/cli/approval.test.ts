import { expect } from 'chai'
import { nhiGrantSpecSchema } from '../../src/api/v1alpha1/nhi-grant.schema.ts'
import { parseAccessPolicy } from '../../src/api/v1alpha1/parse-access-policy.ts'
import { approvalText } from '../../src/cli/approval-text.ts'
import { saidOfCheck } from '../../src/cli/cluster-failure.ts'
import { grantRow } from '../../src/cli/grant-row.ts'
import { suspensionName } from '../../src/cli/suspension-name.ts'
import { Conflict, Forbidden } from '../../src/cluster/errors.ts'
import type { Identity } from '../../src/core/identity.ts'
import type { Policy } from '../../src/core/policy/policy.ts'
import { load } from 'js-yaml'
import { lapse, now } from './fake-io.ts'
import { storedGrant } from './stored-grant.ts'

function policy(): Policy {
  const parsed = parseAccessPolicy(
    load(`
apiVersion: lapse.dev/v1alpha1
kind: AccessPolicy
metadata: {name: deploy}
spec:
  version: 1.4.0
  owner: {name: platform}
  change: {request: CHG-1, reason: first, approvedBy: [ana@example.com], expiresAt: '2027-03-01T00:00:00Z'}
  subjects: [{kind: ServiceAccount, namespaceSelector: {}, selector: {}}]
  scope: {namespaceSelector: {}}
  permissions:
  - {name: rollout, rules: [{apiGroups: [apps], resources: [deployments], verbs: [get, patch]}]}
  - {name: read-logs, clusterRole: log-reader}
  grants: {maxDuration: 1h, requesters: [{kind: Self}]}
`),
  )
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

const waiting = { state: 'AwaitingApproval', notAfter: undefined, issuedAt: undefined }

describe('lapse approve', () => {
  it('shows all that it answers for', () => {
    const spec = {
      permissions: ['rollout', 'read-logs', 'gone'],
      ticket: 'CHG-7',
      until: { kind: 'Job', name: 'migrate' },
      waive: ['host-path'],
      credential: { secretName: 'token' },
    }
    const decision = { outcome: 'StepUp', reasons: [{ condition: 'office-hours', message: 'it is night' }] }
    const grant = grantRow(storedGrant({ spec, status: { ...waiting, decision } }))
    expect(approvalText(grant, policy(), now)).to.equal(`  grant:     payments/debug (AwaitingApproval)
  subject:   ServiceAccount payments/api
  policy:    deploy@1.4.0
  asked by:  ana@example.com
  for:       Release 41
  ticket:    CHG-7
  lasts:     1h from its issue
  ends with: Job migrate
  token in:  Secret token
  waives:    host-path
  fails:     office-hours: it is night
  may:       rollout
      get,patch deployments.apps
  may:       read-logs
      whatever ClusterRole log-reader says
  may:       gone (the policy does not have it now)
`)
  })

  /** By the path of each field that is approved: a grant that has it, and how it is shown. */
  const fields: Readonly<Record<string, readonly [spec: object, shown: string | RegExp]>> = {
    'policy.name': [{ policy: { name: 'other' } }, '  policy:    other@'],
    'policy.version': [
      { policy: { name: 'deploy', version: '1.4.0' } },
      '  version:   1.4.0 and no other is asked for\n',
    ],
    'subject.kind': [{ subject: { kind: 'Group', name: 'ci' } }, '  subject:   Group ci\n'],
    'subject.name': [{ subject: { kind: 'User', name: 'ci' } }, '  subject:   User ci\n'],
    'subject.namespace': [{}, '  subject:   ServiceAccount payments/api\n'],
    permissions: [{ permissions: ['rollout', 'read-logs'] }, /may: {7}rollout[^]*may: {7}read-logs/],
    rules: [{ rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }, '      get pods\n'],
    waive: [{ waive: ['host-path', 'host-ports'] }, '  waives:    host-path, host-ports\n'],
    duration: [{ duration: '40m' }, '  lasts:     40m from its issue\n'],
    notAfter: [
      { duration: undefined, notAfter: '2026-12-01T13:00:00Z' },
      '  lasts:     until 2026-12-01T13:00:00.000Z (1h left)\n',
    ],
    notBefore: [{ notBefore: '2026-12-24T00:00:00Z' }, '  begins:    not before 2026-12-24T00:00:00Z\n'],
    reason: [{ reason: 'Release 42' }, '  for:       Release 42\n'],
    ticket: [{ ticket: 'CHG-7' }, '  ticket:    CHG-7\n'],
    'until.apiVersion': [{ until: { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' } }, ' v1 ConfigMap x\n'],
    'until.kind': [{ until: { kind: 'Pod', name: 'migrate' } }, '  ends with: Pod migrate\n'],
    'until.name': [{ until: { kind: 'Job', name: 'migrate' } }, '  ends with: Job migrate\n'],
    'until.expression': [
      { until: { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', expression: 'object.data.over' } },
      '  ends with: v1 ConfigMap x, once object.data.over\n',
    ],
    'credential.secretName': [{ credential: { secretName: 'token' } }, '  token in:  Secret token\n'],
    'credential.audiences': [
      { credential: { secretName: 'token', audiences: ['https://a.example', 'vault'] } },
      '  token in:  Secret token, for https://a.example, vault\n',
    ],
    'breakGlass.incident': [{ breakGlass: { incident: 'INC-7' } }, '  incident:  INC-7\n'],
  }
  /** What is written after the approval, or by us. */
  const notApproved = ['revoke', 'requestedBy']

  it('shows every field that a grant may have', () => {
    const known = Object.entries(nhiGrantSpecSchema.properties).flatMap(([name, schema]) =>
      'properties' in schema ? Object.keys(schema.properties).map((field) => `${name}.${field}`) : [name],
    )
    const approved = known.filter((path) => !notApproved.some((each) => path.startsWith(each)))
    expect(Object.keys(fields).sort()).to.deep.equal(approved.sort())
  })

  for (const [path, [spec, shown]] of Object.entries(fields)) {
    it(`shows ${path}`, () => {
      const status = { ...waiting, policy: undefined }
      const text = approvalText(
        grantRow(storedGrant({ spec, status })),
        path.startsWith('policy') ? null : policy(),
        now,
      )
      if (typeof shown === 'string') expect(text).to.include(shown)
      else expect(text).to.match(shown)
    })
  }

  it('shows how long the policy lets one last that says nothing', () => {
    const text = approvalText(grantRow(storedGrant({ spec: { duration: undefined }, status: waiting })), policy(), now)
    expect(text).to.include('  lasts:     15m from its issue, as the policy says\n')
  })

  it('shows narrower rules in place of what they are part of', () => {
    const spec = {
      rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'], resourceNames: ['api'] }],
    }
    const text = approvalText(grantRow(storedGrant({ spec, status: waiting })), policy(), now)
    expect(text).to.match(/\n {2}only: {6}of rollout\n {6}get deployments\.apps \(resourceNames: api\)\n$/)
  })

  it('lets no text pass for another line of it, or steer the terminal', () => {
    const spec = { reason: 'fine\n  subject:   User root\u001B[1A\u202E' }
    const text = approvalText(grantRow(storedGrant({ spec })), policy(), now)
    expect(text).to.include('  for:       fine   subject:   User root [1A \n')
  })

  for (const command of ['approve', 'deny', 'review'] as const) {
    for (const [sentence, argv, stderr] of [
      ['needs a grant', ['--reason', 'r'], `lapse ${command}: GRANT is missing; see lapse ${command} --help\n`],
      ['needs a reason', ['debug'], `lapse ${command}: --reason is missing; see lapse ${command} --help\n`],
    ] as const) {
      it(`${sentence} to ${command}`, async () => {
        expect(await lapse([command, ...argv])).to.deep.equal({ code: 2, stdout: '', stderr })
      })
    }
  }
})

describe('what the webhook says of one check', () => {
  const request = { method: 'POST', path: '/apis' }
  const head =
    'admission webhook "own-kinds.lapse.dev" denied the request: denied by lapse: NHIGrantApproval x says nothing new'
  const repeated = '  [approval-repeated] spec: a: b has already approved this grant as it is: first'
  const of = (text: string) => saidOfCheck(new Forbidden(request, text), 'approval-repeated')

  it('is its line, without the path', () => {
    const said = 'a: b has already approved this grant as it is: first'
    expect(of(`${head}\n${repeated}\n → leave it`)).to.equal(said)
  })

  for (const [sentence, error] of [
    [
      'another check refuses, and quotes it',
      new Forbidden(request, `${head}\n  [invalid] x: not [approval-repeated] `),
    ],
    [
      'another check refuses, whose message has a line like it',
      new Forbidden(request, `${head}\n  [x] y\n${repeated}`),
    ],
    ['nobody says who refuses', new Forbidden(request, repeated)],
    [
      'somebody else refuses',
      new Forbidden(request, `${head.replace('own-kinds.lapse.dev', 'quota.example')}\n${repeated}`),
    ],
    ['it is refused in another way', new Conflict(request, `${head}\n${repeated}`, 'AlreadyExists')],
    ['it is no failure of a call', new Error(`${head}\n${repeated}`)],
  ] as const)
    it(`is nothing when ${sentence}`, () => expect(saidOfCheck(error, 'approval-repeated')).to.equal(null))
})

const account = (name: string): Identity => ({ kind: 'ServiceAccount', namespace: 'payments', name })
const user = (name: string): Identity => ({ kind: 'User', name })

describe('lapse revoke', () => {
  for (const [sentence, argv, stderr] of [
    ['a grant or a subject', ['--reason', 'r'], /^lapse revoke: GRANT is missing/],
    ['not both', ['debug', '--subject', 'sa/api', '--reason', 'r'], /unexpected argument "debug"/],
    ['a reason', ['debug'], /--reason is missing/],
    ['a subject to lift', ['debug', '--lift'], /--lift needs --subject/],
  ] as const) {
    it(`needs ${sentence}`, async () => {
      const outcome = await lapse(['revoke', ...argv])
      expect(outcome.stderr).to.match(stderr)
      expect(outcome.code).to.equal(2)
    })
  }

  for (const [sentence, identity, name] of [
    ['an account', account('api'), 'sa.payments.api'],
    ['an account with dots', account('api.v1'), 'sa.payments.api.v1'],
    ['a user whom an object can be named after', user('ci'), 'user.ci'],
    ['a group that it cannot', { kind: 'Group', name: 'payments:Leads' }, /^group\.payments-leads\.[0-9a-f]{8}$/],
    ['a user of signs only', user('::'), /^user\.[0-9a-f]{8}$/],
    ['a very long one', user('x'.repeat(253)), /^user\.x{200}\.[0-9a-f]{8}$/],
  ] as const) {
    it(`suspends ${sentence} by an object of one name`, () => {
      const found = suspensionName(identity)
      if (typeof name === 'string') expect(found).to.equal(name)
      else expect(found).to.match(name)
    })
  }

  it('names the suspensions of two users who look alike differently', () => {
    expect(suspensionName(user('a:b'))).to.not.equal(suspensionName(user('a/b')))
  })
})
