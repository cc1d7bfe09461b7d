import type { ControlPlane } from './control-plane.ts'
import { eventually } from './eventually.ts'
import { installLapse, type Installation } from './installation.ts'
import { conditionOf, paths } from './scene.ts'
import type { FuzzTarget } from './fuzz-run.ts'
import type { FuzzScene } from './fuzz-seeds.ts'

/** Lapse installed, a policy in force over one account of a namespace, and the webhook's process to ask directly. */
export interface FuzzStage {
  readonly scene: FuzzScene
  readonly target: FuzzTarget
  readonly lapse: Installation
}

export async function setFuzzStage(controlPlane: ControlPlane): Promise<FuzzStage> {
  const lapse = await installLapse(controlPlane)
  const namespace = await controlPlane.namespace({ team: 'fuzz' })
  const scene: FuzzScene = {
    namespace,
    account: 'app',
    policy: 'fuzz',
    operatorUser: `system:serviceaccount:${lapse.namespace}:lapse-controller`,
  }
  await applyScene(controlPlane, scene)
  return { scene, target: await targetOf(controlPlane, lapse), lapse }
}

async function applyScene({ admin }: ControlPlane, { namespace, account, policy }: FuzzScene): Promise<void> {
  await admin.create(paths.serviceAccounts(namespace), { metadata: { name: account } })
  await admin.create(paths.policies, {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'AccessPolicy',
    metadata: { name: policy },
    spec: {
      version: '1.0.0',
      owner: { name: 'fuzz' },
      change: {
        request: 'CHG-1',
        reason: 'Spoilt reviews',
        approvedBy: ['ana@example.com'],
        expiresAt: new Date(Date.now() + 30 * 86_400_000).toISOString(),
      },
      subjects: [{ kind: 'ServiceAccount', namespaceSelector: { matchLabels: { team: 'fuzz' } }, names: [account] }],
      workloads: { podSecurity: { level: 'baseline' }, forbid: ['secrets-read'] },
    },
  })
  await eventually('the policy is ready', async () => {
    const ready = conditionOf(await admin.get(`${paths.policies}/${policy}`), 'Ready')
    return ready?.['status'] === 'True' || undefined
  })
  await eventually('the webhook judges by it', async () => {
    const spec = { serviceAccountName: account, hostPID: true, containers: [{ name: 'app', image: 'app' }] }
    const pods = `/api/v1/namespaces/${namespace}/pods?dryRun=All`
    const told = await admin.create(pods, { metadata: { name: 'probe' }, spec }).then(
      () => 'allowed',
      (error: Error) => error.message,
    )
    return told.includes('[host-namespaces]') || undefined
  })
}

async function targetOf({ admin }: ControlPlane, { namespace, webhook }: Installation): Promise<FuzzTarget> {
  const { data } = await admin.get(`/api/v1/namespaces/${namespace}/secrets/lapse-webhook-tls`)
  return {
    port: webhook.localPort('webhook'),
    ca: Buffer.from(data['ca.crt'] as string, 'base64').toString('utf8'),
    servername: `lapse-webhook.${namespace}.svc`,
    pid: webhook.pid,
  }
}
