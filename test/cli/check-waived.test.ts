import { expect } from 'chai'
import { load } from 'js-yaml'
import { parseAccessPolicy } from '../../src/api/v1alpha1/parse-access-policy.ts'
import { lapse, type CommandOutcome } from './fake-io.ts'
import { deployment, documents, grant, grantTerms, namespace, policy, serviceAccount } from './manifests.ts'

const waiving = policy({
  grants: grantTerms().replace('maxDuration: 1h,', 'maxDuration: 1h, waivable: [host-path],'),
})
const parsed = parseAccessPolicy(load(waiving))
const digest = parsed.ok ? parsed.value.digest : ''
const look = grant({ name: 'look' })
  .replace('name: look', 'name: look, uid: u-1')
  .replace('permissions: [rollout]', 'waive: [host-path]')

/** The policy lets host-path be waived, and a grant that a cluster has stored waives it until half past twelve. */
const world = documents(
  namespace,
  serviceAccount.replace('name: api,', 'name: api, uid: u-api,'),
  waiving,
  `${look}status:
  state: Active
  notAfter: 2026-12-01T12:30:00Z
  waive: [host-path]
  policy: {name: deploy, version: 1.4.0, digest: "${digest}"}
  subject: {uid: u-api}
`,
)
const mounting = deployment({ pod: '      volumes: [{name: v, hostPath: {path: /}}]\n' })

describe('lapse check of what a grant waives', () => {
  it('passes, and says by which grant and until when', async () => {
    const { code, stdout, stderr } = await check(mounting)
    expect(stdout, stderr).to.equal(`w.yaml:1
waived by NHIGrant payments/look until 2026-12-01T12:30:00.000Z: Deployment payments/api [host-path] spec.template.spec.volumes[0]: hostPath is not allowed at level baseline (policy deploy@1.4.0)
  → Use a persistentVolumeClaim, an emptyDir, a configMap or a csi volume instead

1 object: 0 denied, 0 warned, 1 allowed, 0 ungoverned
`)
    expect(code).to.equal(0)
  })

  it('is a finding in JSON that says so', async () => {
    const { stdout } = await check(mounting, '-o', 'json')
    const [result] = (JSON.parse(stdout) as { readonly results: readonly { readonly findings: readonly object[] }[] })
      .results
    expect(result).to.deep.include({ verdict: 'Allow' })
    expect(result!.findings[0]).to.deep.include({
      check: 'host-path',
      enforcement: 'Deny',
      waivedBy: { namespace: 'payments', name: 'look', notAfter: '2026-12-01T12:30:00.000Z' },
    })
  })

  it('is suppressed in SARIF, and a notice on GitHub', async () => {
    const sarif = JSON.parse((await check(mounting, '-o', 'sarif')).stdout) as {
      readonly runs: readonly [{ readonly results: readonly object[] }]
    }
    expect(sarif.runs[0].results[0]).to.deep.include({
      suppressions: [
        { kind: 'external', justification: 'waived by NHIGrant payments/look until 2026-12-01T12:30:00.000Z' },
      ],
    })
    expect((await check(mounting, '-o', 'github')).stdout).to.match(/^::notice /)
  })

  it('is not written into a baseline', async () => {
    expect((await check(mounting, '--write-baseline', 'b.yaml')).stderr).to.equal('b.yaml: 0 findings written\n')
  })

  it('is denied once the grant is over', async () => {
    const { code, stdout } = await check(mounting, '--now', '2026-12-01T12:30:00Z')
    expect(stdout).to.match(/^w.yaml:1\ndenied by lapse/)
    expect(code).to.equal(1)
  })

  it('does not let anything else pass', async () => {
    const { code, stdout } = await check(mounting.replace('      volumes', '      hostNetwork: true\n      volumes'))
    expect(stdout).to.match(/\[host-namespaces\] .*\n.*\n(?!.*\[host-path\])/)
    expect(stdout).to.contain('\nwaived by NHIGrant payments/look')
    expect(code).to.equal(1)
  })
})

function check(text: string, ...argv: readonly string[]): Promise<CommandOutcome> {
  return lapse(['check', '-f', 'w.yaml', '--policy', 'world.yaml', ...argv], {
    files: { 'w.yaml': text, 'world.yaml': world },
  })
}
