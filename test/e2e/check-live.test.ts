import { expect } from 'chai'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { kinds } from '../../src/api/v1alpha1/crds.ts'
import { lapse, type CommandOutcome } from '../cli/fake-io.ts'
import { deployment, grant, grantTerms, policy } from '../cli/manifests.ts'
import type { KubeObject } from '../support/admin-api.ts'
import type { ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { controlPlane } from '../support/shared-control-plane.ts'

const hostNetwork = '      hostNetwork: true\n'

interface Result {
  readonly verdict: string
  readonly findings: readonly { readonly check: string; readonly message: string }[]
}

describe('lapse check --live', () => {
  let cp: ControlPlane
  /** Unique, because policies have no namespace. */
  let namespace: string
  let live: readonly string[]

  before(async () => {
    cp = controlPlane()
    namespace = await cp.namespace()
    live = ['--live', '--kubeconfig', cp.kubeconfigPath]
    await succeed(['apply', '--server-side', '--force-conflicts', '-f', join(import.meta.dirname, '../../crds')])
    await succeed(['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all'])
    // kubectl asks by what discovery lists, which comes after what is served
    await eventually('the kinds are listed', async () => {
      const { resources } = await cp.admin.get('/apis/lapse.dev/v1alpha1')
      const listed = (resources as readonly KubeObject[]).map(({ kind }) => kind)
      return kinds.every(({ kind }) => listed.includes(kind)) || undefined
    })
    await succeed(['label', 'namespace', namespace, `team=${namespace}`])
    await succeed(['create', 'serviceaccount', 'api', '-n', namespace])
    await succeed(['create', 'role', 'reader', '--verb=list', '--resource=secrets', '-n', namespace])
    await succeed([
      'create',
      'rolebinding',
      'legacy',
      '--role=reader',
      `--serviceaccount=${namespace}:api`,
      '-n',
      namespace,
    ])
    await succeed([
      'create',
      'rolebinding',
      'dangling',
      '--role=gone',
      `--serviceaccount=${namespace}:api`,
      '-n',
      namespace,
    ])
    const terms = { workloads: '{podSecurity: {level: baseline}, forbid: [secrets-read]}', grants: grantTerms() }
    await succeed(['apply', '-f', '-'], here(policy({ name: namespace, ...terms })))
  })
  after(async () => void (await cp?.kubectl(['delete', 'nhip', namespace, '--ignore-not-found'])))

  /** The manifest with the names of this test. */
  function here(text: string): string {
    return text
      .replaceAll('namespace: payments', `namespace: ${namespace}`)
      .replaceAll('team: payments', `team: ${namespace}`)
      .replace('policy: {name: deploy}', `policy: {name: ${namespace}}`)
  }

  async function succeed(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await cp.kubectl(args, input === undefined ? {} : { input })
    expect(code, stderr).to.equal(0)
    return stdout
  }

  async function check(text: string, ...argv: readonly string[]): Promise<Result> {
    const outcome = await lapse(['check', '-f', '-', ...live, '-o', 'json', ...argv], { stdin: here(text) })
    expect(outcome.stdout, outcome.stderr).to.not.equal('')
    return (JSON.parse(outcome.stdout) as { readonly results: readonly [Result] }).results[0]
  }

  it('judges by the policies and the access that the cluster has', async () => {
    const { verdict, findings } = await check(deployment({ pod: hostNetwork }))
    expect(verdict).to.equal('Deny')
    expect(findings.map(({ message }) => message)).to.include.members([
      'hostNetwork: true is not allowed at level baseline',
      `ServiceAccount ${namespace}/api can list secrets in ${namespace} (RoleBinding ${namespace}/legacy → Role reader)`,
    ])
  })

  it('knows that a role gives nothing when the cluster has none of its name', async () => {
    expect(checksOf(await check(deployment()))).to.deep.equal(['secrets-read'])
  })

  it('takes what the files say in place of what the cluster says', async () => {
    const role = `apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {namespace: payments, name: reader}\nrules: []\n`
    const lax = policy({ name: namespace, workloads: '{enforcement: Warn, podSecurity: {level: baseline}}' })
    expect(await check(`${deployment()}---\n${role}`)).to.deep.include({ verdict: 'Allow', findings: [] })
    const files = { 'p.yaml': here(lax), 'w.yaml': here(deployment({ pod: hostNetwork })) }
    const outcome = await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml', ...live, '-o', 'json'], { files })
    expect((JSON.parse(outcome.stdout) as { readonly results: readonly [Result] }).results[0].verdict).to.equal('Warn')
  })

  it('says of an account that the cluster does not have that it does not exist', async () => {
    const outcome = await lapse(['check', '-f', '-', ...live], {
      stdin: here(deployment()).replace('serviceAccountName: api', 'serviceAccountName: nobody'),
    })
    expect(outcome.stdout).to.contain(`ServiceAccount ${namespace}/nobody does not exist`)
  })

  it('counts the grants of the cluster, and not the one that it judges', async () => {
    const as = ['--as', `system:serviceaccount:${namespace}:api`]
    const first = here(grant({ name: 'first' }))
    expect((await check(first, ...as)).verdict).to.equal('Allow')
    await succeed(['apply', '-f', '-'], first)
    expect((await check(first, ...as)).verdict, 'the same again').to.equal('Allow')
    expect(checksOf(await check(grant({ name: 'second' }), ...as))).to.deep.equal(['too-many-active'])
  })

  it('judges a policy as the successor of the one that the cluster has', async () => {
    const own = policy({ name: namespace })
    expect(checksOf(await check(own))).to.deep.equal(['version-not-rising'])
    expect((await check(policy({ name: namespace, version: '1.4.1' }))).verdict).to.equal('Allow')
  })

  it('writes nothing', async () => {
    await check(deployment())
    const events = await cp.auditEvents(({ userAgent = '' }) => userAgent.startsWith('lapse-check/'))
    expect(events.length).to.be.above(9)
    expect([...new Set(events.map(({ verb }) => verb))].sort()).to.deep.equal(['get', 'list'])
  })

  describe('ends with code 4', () => {
    it('where it may not list something, and says what', async () => {
      const stranger = await cp.kubeconfigForServiceAccount(namespace, 'default')
      const { code, stdout, stderr } = await judge('--kubeconfig', stranger)
      const lists = [
        ...stderr.matchAll(/^lapse check: --live: the cluster forbids to list (\S+): \S+ is forbidden: User/gm),
      ]
      expect(lists.map(([, name]) => name)).to.deep.equal([
        'accesspolicies.lapse.dev',
        'accesspolicyrevisions.lapse.dev',
        'clusterrolebindings.rbac.authorization.k8s.io',
        'clusterroles.rbac.authorization.k8s.io',
        'namespaces',
        'nhisuspensions.lapse.dev',
        'rolebindings.rbac.authorization.k8s.io',
        'roles.rbac.authorization.k8s.io',
        'serviceaccounts',
      ])
      expect({ code, stdout }).to.deep.equal({ code: 4, stdout: '' })
    })

    it('where nobody listens', async () => {
      const config = join(cp.directory, 'nobody.kubeconfig')
      const text = await readFile(cp.kubeconfigPath, 'utf8')
      await writeFile(config, text.replaceAll(cp.url, `https://127.0.0.1:${await freePort()}`))
      const { code, stdout, stderr } = await judge('--kubeconfig', config)
      expect(stderr).to.match(/^lapse check: --live: the cluster cannot be reached: .*\n$/)
      expect({ code, stdout }).to.deep.equal({ code: 4, stdout: '' })
    })

    it('where there is no such kubeconfig', async () => {
      const { code, stdout, stderr } = await judge('--kubeconfig', join(cp.directory, 'missing'))
      expect(stderr).to.match(/^lapse check: the kubeconfig cannot be read: ENOENT/)
      expect({ code, stdout }).to.deep.equal({ code: 4, stdout: '' })
    })
  })
})

function checksOf({ findings }: Result): readonly string[] {
  return findings.map(({ check }) => check)
}

function judge(...argv: readonly string[]): Promise<CommandOutcome> {
  return lapse(['check', '-f', '-', '--live', ...argv], { stdin: deployment() })
}
