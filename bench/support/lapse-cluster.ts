import type { AdminApi, KubeObject } from '../../test/support/admin-api.ts'
import { startControlPlane, type ControlPlane } from '../../test/support/control-plane.ts'
import { eventually } from '../../test/support/eventually.ts'
import { installLapse, type Installation } from '../../test/support/installation.ts'
import type { Subject } from './access-probe.ts'
import { progress } from './progress.ts'
import { sideBySide } from './side-by-side.ts'

export const policyName = 'bench'
const policyPath = '/apis/lapse.dev/v1alpha1/accesspolicies'

export interface LapseCluster {
  readonly controlPlane: ControlPlane
  readonly lapse: Installation
  readonly api: AdminApi
  /** Governed by the policy, and in the scope of its grants. */
  readonly namespace: string
}

/** A control plane with Lapse installed from its chart and one AccessPolicy in force, for as long as `use` runs. */
export async function withLapse<T>(use: (cluster: LapseCluster) => Promise<T>): Promise<T> {
  progress('starting a control plane, installing Lapse')
  const controlPlane = await startControlPlane()
  try {
    const lapse = await installLapse(controlPlane)
    try {
      const api = controlPlane.admin
      const namespace = await controlPlane.namespace({ team: 'bench' })
      await applyPolicies(api, 1)
      return await use({ controlPlane, lapse, api, namespace })
    } finally {
      await lapse.stop()
    }
  } finally {
    await controlPlane.stop()
  }
}

/** Makes ServiceAccounts that the policy governs. */
export async function createSubjects(
  { api, namespace }: Pick<LapseCluster, 'api' | 'namespace'>,
  names: readonly string[],
): Promise<readonly Subject[]> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts`
  await sideBySide(names, 8, (name) =>
    api.create(path, { metadata: { name, labels: { 'lapse.dev/nhi': 'deployer' } } }),
  )
  return names.map((name) => ({ namespace, name }))
}

/** So many policies in all, of which the first is there from the start. */
export async function applyPolicies(api: AdminApi, count: number, present = 0): Promise<void> {
  for (let index = present; index < count; index++) {
    const policy = policyOf(index)
    await api.create(policyPath, policy)
    await eventually('the policy is ready', async () => {
      const { status } = await api.get(`${policyPath}/${policy.metadata!['name']}`)
      const conditions = (status?.conditions ?? []) as readonly KubeObject[]
      return conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True') || undefined
    })
  }
}

/** Capabilities that the policies forbid. */
export const forbidden = ['full-admin', 'wildcard', 'secrets-read', 'workload-create', 'exec', 'escalate'] as const

/** The first issues grants and asks for its pin. All judge the same ServiceAccounts by the same terms. */
export function policyOf(index: number): KubeObject {
  const expiresAt = new Date(Date.now() + 30 * 24 * 3_600_000).toISOString()
  const ours = { matchLabels: { team: 'bench' } }
  return {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'AccessPolicy',
    metadata: { name: index === 0 ? policyName : `${policyName}-${index}` },
    spec: {
      version: '1.0.0',
      owner: { name: 'bench', contact: 'bench@example.com' },
      change: { request: 'CHG-1', reason: 'Measure it', approvedBy: ['ana@example.com'], expiresAt },
      subjects: [
        { kind: 'ServiceAccount', namespaceSelector: ours, selector: { matchLabels: { 'lapse.dev/nhi': 'deployer' } } },
      ],
      ...(index === 0 && {
        scope: { namespaceSelector: ours },
        permissions: [
          {
            name: 'rollout',
            rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch', 'patch'] }],
          },
        ],
        grants: { maxDuration: '1h', maxActivePerSubject: 2, requesters: [{ kind: 'Group', name: 'system:masters' }] },
      }),
      workloads: {
        podSecurity: { level: 'restricted' },
        forbid: forbidden,
        ...(index === 0 && { pin: { required: true } }),
      },
    },
  }
}
