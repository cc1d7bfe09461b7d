import { expect } from 'chai'
import { load } from 'js-yaml'
import { parseNHIGrant } from '../../src/api/v1alpha1/parse-nhi-grant.ts'
import { parseRequestArgs } from '../../src/cli/request-args.ts'
import { generateName, grantManifest } from '../../src/cli/request-manifest.ts'
import { lapse } from './fake-io.ts'

const needed = ['--as-subject', 'sa/api', '--permission', 'rollout', '--reason', 'Release 41']

function manifestOf(...argv: readonly string[]): object {
  const args = parseRequestArgs([...needed, ...argv])
  if (args === null) throw new Error('that asks for help')
  return grantManifest(args.wish, args.wish.policy ?? { name: 'deploy', version: null }, 'payments')
}

describe('lapse request', () => {
  it('asks for no more than was said', () => {
    expect(manifestOf()).to.deep.equal(
      load(`
apiVersion: lapse.dev/v1alpha1
kind: NHIGrant
metadata: {namespace: payments, generateName: api-}
spec:
  policy: {name: deploy}
  subject: {kind: ServiceAccount, namespace: payments, name: api}
  permissions: [rollout]
  reason: Release 41
`),
    )
  })

  it('asks for everything that a grant can say', () => {
    const said = `--policy payments-deploy@1.4.0 --permission a,b --waive host-path --for 30m --ticket CHG-1 --until job/migrate
      --break-glass INC-7 --name debug --credential debug-token --audience vault`
    const manifest = manifestOf(...said.split(/\s+/))
    expect(manifest).to.deep.equal(
      load(`
apiVersion: lapse.dev/v1alpha1
kind: NHIGrant
metadata: {namespace: payments, name: debug}
spec:
  policy: {name: payments-deploy, version: 1.4.0}
  subject: {kind: ServiceAccount, namespace: payments, name: api}
  permissions: [rollout, a, b]
  waive: [host-path]
  duration: 30m
  reason: Release 41
  ticket: CHG-1
  until: {kind: Job, name: migrate}
  breakGlass: {incident: INC-7}
  credential: {secretName: debug-token, audiences: [vault]}
`),
    )
    expect(parseNHIGrant(manifest)).to.deep.include({ ok: true })
  })

  it('asks for the whole cluster by another kind, and for nothing there that lives in a namespace', () => {
    const manifest = manifestOf('--cluster', '--for', '30m')
    expect(manifest).to.deep.equal(
      load(`
apiVersion: lapse.dev/v1alpha1
kind: ClusterNHIGrant
metadata: {generateName: api-}
spec:
  policy: {name: deploy}
  subject: {kind: ServiceAccount, namespace: payments, name: api}
  permissions: [rollout]
  duration: 30m
  reason: Release 41
`),
    )
    expect(parseNHIGrant(manifest)).to.deep.include({ ok: true })
    for (const option of ['waive', 'until', 'credential'])
      expect(() => parseRequestArgs([...needed, '--cluster', `--${option}`, 'job/x']), option).to.throw(
        `--${option} is for a grant in a namespace, not with --cluster`,
      )
  })

  it('takes an instant in any zone', () => {
    expect(manifestOf('--until-time', '2027-03-01T02:00:00+02:00')).to.have.nested.property(
      'spec.notAfter',
      '2027-03-01T00:00:00.000Z',
    )
  })

  for (const [name, expected] of [
    ['api', 'api-'],
    ['ci:Acme/Payments', 'ci-acme-payments-'],
    ['---', 'grant-'],
    ['ünï', 'n-'],
    [`${'a'.repeat(49)}-b`, `${'a'.repeat(49)}-`],
  ] as const) {
    it(`names the grant of ${name} ${expected} and something random`, () => {
      expect(generateName({ kind: 'User', name })).to.equal(expected)
    })
  }

  for (const [sentence, argv, stderr] of [
    ['no subject', ['--permission', 'rollout', '--reason', 'r'], /^lapse request: --as-subject is missing; see lapse/],
    ['nothing that is asked for', ['--as-subject', 'sa/api', '--reason', 'r'], /say what to ask for: --permission or/],
    ['no reason', ['--as-subject', 'sa/api', '--permission', 'rollout'], /--reason is missing/],
    ['an empty reason', [...needed, '--reason', ' '], /--reason is missing/],
    ['a subject of no kind', [...needed, '--as-subject', 'api'], /--as-subject must be sa\/NAME, .*, not "api"/],
    ['a subject of another kind', [...needed, '--as-subject', 'pod/api'], /must be sa\/NAME, .*, not "pod\/api"/],
    ['a subject with too many parts', [...needed, '--as-subject', 'sa/a/b/c'], /not "sa\/a\/b\/c"/],
    [
      'a subject in no namespace',
      [...needed, '--as-subject', 'sa/A/b'],
      /the namespace in --as-subject must be .* "A"/,
    ],
    ['two ends', [...needed, '--for', '1h', '--until-time', '2027-03-01T00:00:00Z'], /--for or --until-time, not both/],
    ['a duration that is none', [...needed, '--for', '1d'], /--for must be a duration such as 1h30m, not "1d"/],
    [
      'an instant that is none',
      [...needed, '--until-time', 'tomorrow'],
      /--until-time must be a timestamp .*"tomorrow"/,
    ],
    ['an end with a Deployment', [...needed, '--until', 'deploy/api'], /--until must be job\/NAME or pod\/NAME/],
    ['a policy without a version', [...needed, '--policy', 'deploy@'], /--policy must be NAME or NAME@VERSION/],
    ['to wait and not to wait', [...needed, '--wait', '1s', '--no-wait'], /give --wait or --no-wait, not both/],
    ['a credential that is not asked for', [...needed, '--print-credential', 'token'], /needs --credential/],
    [
      'a credential in another form',
      [...needed, '--credential', 's', '--print-credential', 'pem'],
      /--print-credential must be token or kubeconfig, not "pem"/,
    ],
    [
      'a document beside a credential',
      [...needed, '--credential', 's', '--print-credential', 'token', '-o', 'json'],
      /--print-credential is all that is printed/,
    ],
    ['an audience of nothing', [...needed, '--audience', 'vault'], /--audience needs --credential/],
    ['groups of nobody', [...needed, '--as-group', 'leads'], /--as-group needs --as/],
    ['another format', [...needed, '-o', 'table'], /--output must be text, json or yaml, not "table"/],
    ['a namespace that is none', [...needed, '-n', 'A_B'], /--namespace must be the name of a namespace, not "A_B"/],
    ['further words', [...needed, 'now'], /unexpected argument "now"/],
  ] as const) {
    it(`refuses ${sentence}`, async () => {
      const { code, stdout, stderr: said } = await lapse(['request', ...argv])
      expect(said).to.match(stderr)
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' })
    })
  }
})
