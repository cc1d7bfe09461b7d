import { expect } from 'chai'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { run as check } from '../../src/cli/check.ts'
import type { CommandIo } from '../../src/cli/command.ts'
import type { KubeObject } from '../support/admin-api.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { installLapse, type Installation } from '../support/installation.ts'

const examples = join(import.meta.dirname, '../../examples/payments')
const asker = 'system:serviceaccount:payments:deployer'
const worldKinds = 'nhip,nhir,namespaces,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings'

interface Verdict {
  readonly verdict: 'Deny' | 'Warn' | 'Allow'
  /** `[check] path: message`, sorted. */
  readonly findings: readonly string[]
}

const container = {
  name: 'app',
  image: 'registry.example.com/app:1',
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
}
const secure = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }
const pinned = { 'lapse.dev/policy': 'payments-deploy@1.4.0' }

const template = (spec: object, annotations: object = pinned): object => ({
  metadata: { labels: { app: 'x' }, annotations },
  spec: { serviceAccountName: 'api', securityContext: secure, containers: [container], ...spec },
})
const deployment = (spec: object, annotations?: object): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { namespace: 'payments', name: 'x' },
  spec: { selector: { matchLabels: { app: 'x' } }, template: template(spec, annotations) },
})
const cronJob = (spec: object): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { namespace: 'payments', name: 'x' },
  spec: { schedule: '0 0 * * *', jobTemplate: { spec: { template: template({ restartPolicy: 'Never', ...spec }) } } },
})
const pod = (spec: object): KubeObject => {
  const { metadata, spec: whole } = template({ ...spec }) as { metadata: object; spec: object }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, namespace: 'payments', name: 'x' }, spec: whole }
}
const grant = (spec: object): KubeObject => ({
  apiVersion: 'lapse.dev/v1alpha1',
  kind: 'NHIGrant',
  metadata: { namespace: 'payments', name: 'x' },
  spec: {
    policy: { name: 'payments-deploy' },
    subject: { kind: 'ServiceAccount', namespace: 'payments', name: 'deployer' },
    permissions: ['rollout'],
    reason: 'a test',
    ...spec,
  },
})
const rule = (verbs: readonly string[], resourceNames: readonly string[] = []): object => ({
  apiGroups: ['apps'],
  resources: ['deployments'],
  verbs,
  ...(resourceNames.length > 0 && { resourceNames }),
})

const binding = (role: string, subject: object = { kind: 'ServiceAccount', name: 'api' }): KubeObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { namespace: 'strict', name: 'x' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: role },
  subjects: [subject],
})
const strictAccess = `---
{apiVersion: v1, kind: Namespace, metadata: {name: strict, labels: {team: strict}}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: strict, name: api, labels: {lapse.dev/nhi: workload}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {namespace: strict, name: pods}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {namespace: strict, name: secrets}
rules: [{apiGroups: [""], resources: [secrets], verbs: [list]}]
`

const noToken = { automountServiceAccountToken: false }
const cases: readonly [sentence: string, object: KubeObject, expected: Verdict['verdict']][] = [
  ['a Deployment within the policy', deployment(noToken), 'Allow'],
  [
    'a Deployment with a hostPath',
    deployment({ ...noToken, volumes: [{ name: 'v', hostPath: { path: '/' } }] }),
    'Deny',
  ],
  ['a Deployment that reaches a token of an account that reads Secrets', deployment({}), 'Deny'],
  ['a Deployment without a pin', deployment(noToken, {}), 'Deny'],
  [
    'a Deployment pinned to a version that is not on record',
    deployment(noToken, { 'lapse.dev/policy': 'payments-deploy@1.3.0' }),
    'Deny',
  ],
  [
    'a Deployment with a pin of another policy beside its own',
    deployment(noToken, { 'lapse.dev/policy': 'payments-deploy@1.4.0,other@1.0.0' }),
    'Deny',
  ],
  [
    'a Deployment with everything wrong at once',
    deployment(
      {
        hostNetwork: true,
        hostPID: true,
        securityContext: {},
        containers: [{ name: 'app', image: 'a', securityContext: { privileged: true } }],
      },
      {},
    ),
    'Deny',
  ],
  ['a CronJob that runs as root', cronJob({ ...noToken, securityContext: { ...secure, runAsUser: 0 } }), 'Deny'],
  [
    'a Pod with an init container that adds a capability',
    pod({
      ...noToken,
      initContainers: [
        {
          ...container,
          name: 'init',
          securityContext: { ...container.securityContext, capabilities: { drop: ['ALL'], add: ['NET_RAW'] } },
        },
      ],
    }),
    'Deny',
  ],
  ['a Pod within the policy', pod(noToken), 'Allow'],
  [
    'a Deployment that nobody governs',
    {
      ...deployment({ serviceAccountName: 'default', hostNetwork: true }),
      metadata: { namespace: 'payments', name: 'free' },
    },
    'Allow',
  ],
  [
    'a Deployment in a namespace whose policy only warns',
    { ...deployment({ hostNetwork: true, containers: [{ ...container }] }), metadata: { namespace: 'lab', name: 'x' } },
    'Warn',
  ],
  ['a grant within the policy', grant({ duration: '5m' }), 'Allow'],
  ['a grant that is too long', grant({ duration: '2h' }), 'Deny'],
  ['a grant of a permission that the policy does not have', grant({ permissions: ['rollout', 'everything'] }), 'Deny'],
  ['a grant of narrower rules', grant({ rules: [rule(['patch'], ['api'])] }), 'Allow'],
  ['a grant of rules beyond the ceiling', grant({ rules: [rule(['get', 'delete', '*'])] }), 'Deny'],
  [
    'a grant for a subject that the policy does not govern',
    grant({ subject: { kind: 'User', name: 'mallory' } }),
    'Deny',
  ],
  [
    'a grant for an account that does not exist',
    grant({ subject: { kind: 'ServiceAccount', namespace: 'payments', name: 'nobody' } }),
    'Deny',
  ],
  [
    'a grant under a version that is not active',
    grant({ policy: { name: 'payments-deploy', version: '1.3.0' } }),
    'Deny',
  ],
  ['a binding within standing access', binding('pods'), 'Allow'],
  ['a binding beyond standing access', binding('secrets'), 'Deny'],
  ['a binding of somebody whom nobody governs', binding('secrets', { kind: 'User', name: 'ana' }), 'Allow'],
  [
    'a Secret for a token without an end',
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: 'strict', name: 'x', annotations: { 'kubernetes.io/service-account.name': 'api' } },
      type: 'kubernetes.io/service-account-token',
    },
    'Deny',
  ],
  [
    'an account that is somebody else to a cloud',
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: {
        namespace: 'strict',
        name: 'x',
        labels: { 'lapse.dev/nhi': 'workload' },
        annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/x' },
      },
    },
    'Warn',
  ],
]

/** What is judged so only by a webhook that has heard of everything that the test writes down. */
const telling: readonly (readonly [object: KubeObject, verdict: Verdict['verdict']])[] = [
  [deployment({}), 'Deny'],
  [deployment(noToken), 'Allow'],
  [{ ...deployment({ hostNetwork: true }), metadata: { namespace: 'lab', name: 'x' } }, 'Warn'],
  [binding('secrets'), 'Deny'],
  [binding('pods'), 'Allow'],
  [grant({ duration: '5m' }), 'Allow'],
]

describe('webhook and lapse check', function () {
  this.timeout(180_000)
  let controlPlane: ControlPlane
  let lapse: Installation
  let world: string

  before(async () => {
    controlPlane = await startControlPlane()
    lapse = await installLapse(controlPlane)
    const policy = (await readFile(join(examples, 'policy-1.4.0.yaml'), 'utf8')).replace(
      /expiresAt: \S+/,
      `expiresAt: ${new Date(Date.now() + 90 * 86_400_000).toISOString()}`,
    )
    const labPolicy = policy
      .replace('name: payments-deploy', 'name: lab')
      .replace('enforcement: Deny', 'enforcement: Warn')
      .replaceAll('team: payments', 'team: lab')
    const strictPolicy = policy
      .replace('name: payments-deploy', 'name: strict')
      .replaceAll('team: payments', 'team: strict')
      .replace(
        '    enforcement: Deny\n',
        '    enforcement: Deny\n    standing: [{apiGroups: [""], resources: [pods], verbs: [get]}]\n',
      )
    const lab =
      '---\n{apiVersion: v1, kind: Namespace, metadata: {name: lab, labels: {team: lab}}}\n---\n{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: lab, name: api, labels: {lapse.dev/nhi: workload}}}\n'
    const files = ['namespace', 'serviceaccount', 'request-access', 'legacy-access']
    const texts = await Promise.all(files.map((file) => readFile(join(examples, `${file}.yaml`), 'utf8')))
    await succeed(['apply', '-f', '-'], [...texts, lab, strictAccess, policy, labPolicy, strictPolicy].join('\n---\n'))
    await succeed(['wait', '--for=condition=Ready', 'nhip/payments-deploy', 'nhip/lab', 'nhip/strict', '--timeout=30s'])
    await eventually('the webhook knows policies, versions, roles and bindings', async () => {
      const told = await Promise.all(telling.map(async ([object]) => (await byWebhook(object)).verdict))
      if (telling.every(([, verdict], index) => told[index] === verdict)) return true
      throw new Error(`it says ${told.join()}`)
    })
    world = join(controlPlane.directory, 'world.json')
    await writeFile(world, await succeed(['get', worldKinds, '-A', '-o', 'json']))
  })
  after(async () => {
    await lapse?.stop()
    await controlPlane?.stop()
  })

  async function succeed(args: readonly string[], input?: string): Promise<string> {
    const result = await controlPlane.kubectl(args, input === undefined ? {} : { input })
    expect(result.code, result.stderr).to.equal(0)
    return result.stdout
  }

  for (const [sentence, object, expected] of cases) {
    it(`say the same of ${sentence}: ${expected}`, async () => {
      const online = await byWebhook(object)
      expect(await byCheck(object, ['--policy', world]), 'with what kubectl get printed').to.deep.equal(online)
      const live = ['--live', '--kubeconfig', controlPlane.kubeconfigPath]
      expect(await byCheck(object, live), 'with --live').to.deep.equal(online)
      expect(online.verdict).to.equal(expected)
      expect(online.findings.length > 0).to.equal(expected !== 'Allow')
    })
  }

  /** What kubectl prints when the real API server asks the real webhook. */
  async function byWebhook(object: KubeObject): Promise<Verdict> {
    const identity = object.kind === 'NHIGrant' ? ['--as', asker, '--as-group', 'system:authenticated'] : []
    const input = JSON.stringify(object)
    const { code, stderr } = await controlPlane.kubectl(['create', '--dry-run=server', '-f', '-', ...identity], {
      input,
    })
    if (code !== 0) return { verdict: 'Deny', findings: linesOf(stderr, /^ {2}(\[[a-z-]+\] +\S.*)$/gm) }
    const warnings = linesOf(stderr, /^Warning: (\[.*) \(policy \S+\)$/gm)
    return { verdict: warnings.length > 0 ? 'Warn' : 'Allow', findings: warnings }
  }

  async function byCheck(object: KubeObject, argv: readonly string[]): Promise<Verdict> {
    let stdout = ''
    const io: CommandIo = {
      stdout: { write: (text) => void (stdout += text), isTerminal: false },
      stderr: { write: () => {}, isTerminal: false },
      stdin: () => Promise.resolve(Buffer.from(JSON.stringify(object))),
      ask: () => Promise.resolve(null),
      env: {},
      cwd: controlPlane.directory,
      now: () => Date.now(),
    }
    await check(['-f', '-', ...argv, '--as', asker, '--output', 'json'], io)
    const [result] = (JSON.parse(stdout) as { readonly results: readonly CheckedObject[] }).results
    const verdict = result === undefined || result.verdict === 'Ungoverned' ? 'Allow' : result.verdict
    const findings = (result?.findings ?? []).map(
      ({ check: id, path, message }) => `[${id}] ${path === '' ? '' : `${path}: `}${message}`,
    )
    return { verdict: verdict as Verdict['verdict'], findings: findings.sort() }
  }
})

interface CheckedObject {
  readonly verdict: string
  readonly findings: readonly { readonly check: string; readonly path: string; readonly message: string }[]
}

/** The matches, with the padding behind the check's id taken out, sorted. */
function linesOf(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([, line = '']) => line.replace(/\] +/, '] ')).sort()
}
