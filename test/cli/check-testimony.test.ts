import { expect } from 'chai'
import { load } from 'js-yaml'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAccessPolicy } from '../../src/api/v1alpha1/parse-access-policy.ts'
import { parseCheckArgs } from '../../src/cli/check-args.ts'
import { readInput, type Input } from '../../src/cli/check-input.ts'
import { addAllowedGrant, place } from '../../src/cli/check-world.ts'
import type { CommandIo } from '../../src/cli/command.ts'
import { readManifests } from '../../src/cli/manifest/read-manifests.ts'
import { Progress } from '../../src/cli/progress.ts'
import { WorldIndex } from '../../src/world/world-index.ts'
import { lapse, now } from './fake-io.ts'
import { deployment, documents, grant, grantTerms, namespace, policy, serviceAccount } from './manifests.ts'

const rbac = 'apiVersion: rbac.authorization.k8s.io/v1'
const canDelete = `${rbac}
kind: Role
metadata: {namespace: payments, name: remover}
rules: [{apiGroups: [""], resources: [pods], verbs: [delete]}]
`
const binding = `${rbac}
kind: RoleBinding
metadata: {namespace: payments, name: legacy, uid: b-1}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: remover}
subjects: [{kind: ServiceAccount, name: api}]
`
const governing = policy({
  workloads: '{standing: [], podSecurity: {level: baseline}, pin: {required: false, grace: 24h}}',
  grants: grantTerms().replace('maxDuration: 1h,', 'maxDuration: 1h, waivable: [host-path],'),
})
const parsed = parseAccessPolicy(load(governing))
const digest = parsed.ok ? parsed.value.digest : ''
const account = (uid: string): string => serviceAccount.replace('name: api,', `name: api, uid: ${uid},`)
/** Says of itself that it was issued, carries the binding, and waives host-path. */
const issued = `${grant({ name: 'look', requestedBy: 'system:serviceaccount:payments:api' })
  .replace('name: look', 'name: look, uid: g-1')
  .replace('permissions: [rollout]', 'waive: [host-path]')}status:
  state: Active
  notAfter: 2026-12-01T12:30:00Z
  waive: [host-path]
  objects: [{kind: RoleBinding, name: legacy, uid: b-1}]
  policy: {name: deploy, version: 1.4.0, digest: "${digest}"}
  subject: {uid: u-api}
`
const mounting = deployment({ pod: '      volumes: [{name: v, hostPath: {path: /}}]\n' })
const pinned = deployment().replace(
  '  template:\n',
  '  template:\n    metadata: {annotations: {lapse.dev/policy: deploy@1.3.0}}\n',
)
const revision = `apiVersion: lapse.dev/v1alpha1
kind: AccessPolicyRevision
metadata: {name: deploy-1.3.0}
spec: {policyName: deploy, digest: "sha256:0", appliedAt: 2026-01-01T00:00:00Z, policy: {version: 1.3.0}}
status: {supersededAt: 2026-12-01T11:00:00Z}
`

/** Which checks refuse what, in order. */
async function refusals(judged: readonly string[], known: readonly string[]): Promise<readonly string[]> {
  const files = { 'a.yaml': documents(...judged), 'world.yaml': documents(namespace, governing, ...known) }
  const { stdout, stderr } = await lapse(['check', '-f', 'a.yaml', '--policy', 'world.yaml', '-o', 'json'], { files })
  expect(stdout, stderr).to.not.equal('')
  const { results } = JSON.parse(stdout) as {
    readonly results: readonly {
      readonly object: { readonly kind: string }
      readonly verdict: string
      readonly findings: readonly { readonly check: string; readonly waivedBy?: object }[]
    }[]
  }
  return results
    .filter(({ verdict }) => verdict === 'Deny')
    .flatMap(({ object, findings }) => findings.map(({ check }) => `${object.kind} ${check}`))
}

/** Reads the one with -f and the other with --policy. */
async function read(
  { judged, known }: { readonly judged: string; readonly known: string },
  options: readonly string[],
  world: WorldIndex,
): Promise<Input> {
  const cwd = mkdtempSync(join(tmpdir(), 'lapse-testimony-'))
  try {
    writeFileSync(join(cwd, 'judged.yaml'), judged)
    const output = { write: () => {}, isTerminal: false }
    const stdin = async (): Promise<Uint8Array> => new TextEncoder().encode(known)
    const io: CommandIo = { stdout: output, stderr: output, stdin, ask: async () => null, env: {}, cwd, now: () => now }
    const args = parseCheckArgs(['-f', 'judged.yaml', '--policy', '-', ...options])
    return await readInput(args, world, io, new Progress(io))
  } finally {
    rmSync(cwd, { recursive: true })
  }
}

describe('lapse check believes', () => {
  const record = account('u-api')
  for (const [sentence, judged, known, told] of [
    ['--policy, that a grant waives', [mounting], [record, issued], []],
    ['not -f, that a grant waives', [issued, mounting], [record], ['Deployment host-path']],
    ['not -f, that a grant carries a binding', [binding, issued], [record, canDelete], ['RoleBinding standing-access']],
    [
      'not -f, which binding it is that a grant carries',
      [binding],
      [record, canDelete, issued],
      ['RoleBinding standing-access'],
    ],
    [
      'not -f, which account it is that a grant was issued to',
      [account('u-api'), mounting],
      [issued],
      ['Deployment host-path'],
    ],
    ['--policy, that a version was in force until lately', [pinned], [record, revision], []],
    ['not -f, that a version was in force until lately', [pinned, revision], [record], ['Deployment pin-stale']],
  ] as const) {
    it(sentence, async () => {
      expect(await refusals(judged, known)).to.deep.equal(told)
    })
  }

  it('no file of --policy either, when the cluster is asked', async () => {
    const files = { judged: mounting, known: documents(governing, account('u-forged'), issued, revision) }
    const believed = async (...options: readonly string[]): Promise<object> => {
      const world = new WorldIndex()
      world.put('ServiceAccount', load(account('u-cluster')))
      const { bad } = await read(files, options, world)
      expect(bad).to.deep.equal([])
      return {
        uid: world.serviceAccount('payments', 'api')?.uid,
        grants: world.liveGrantsOf('system:serviceaccount:payments:api').length,
        bindings: [...world.grantBindings()],
        revisions: world.revisions('deploy').length,
      }
    }
    expect(await believed()).to.deep.equal({ uid: 'u-forged', grants: 1, bindings: ['b-1'], revisions: 1 })
    expect(await believed('--live')).to.deep.equal({ uid: 'u-cluster', grants: 0, bindings: [], revisions: 0 })
  })

  it('no file over the cluster, of a grant that is there', () => {
    const world = new WorldIndex()
    world.put('NHIGrant', load(issued))
    const [manifest] = readManifests('g.yaml', issued.replace('12:30', '23:30')).manifests
    addAllowedGrant(place(manifest!, 'default', 'Manifest'), world)
    const known = world.liveGrantsOf('system:serviceaccount:payments:api')
    expect(known.map(({ uid, state, notAfter }) => [uid, state, notAfter])).to.deep.equal([
      ['g-1', 'Active', Date.parse('2026-12-01T12:30:00Z')],
    ])
  })
})
