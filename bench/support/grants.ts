import type { AdminApi, KubeObject } from '../../test/support/admin-api.ts'
import { eventually } from '../../test/support/eventually.ts'
import type { Subject } from './access-probe.ts'
import { policyName } from './lapse-cluster.ts'

/** What a grant of the benchmarks says, under whatever API group it is created. */
export function grantSpec(
  subject: Subject,
  end: { readonly duration: string } | { readonly notAfter: string },
): object {
  return {
    policy: { name: policyName, version: '1.0.0' },
    subject: { kind: 'ServiceAccount', namespace: subject.namespace, name: subject.name },
    permissions: ['rollout'],
    ...end,
    reason: 'Roll out release 2041',
    ticket: 'CHG-20855',
  }
}

export type GrantEnd = Parameters<typeof grantSpec>[1]

export async function createGrant(api: AdminApi, subject: Subject, end: GrantEnd): Promise<void> {
  await api.create(grantsPath(subject.namespace), {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'NHIGrant',
    metadata: { name: subject.name },
    spec: grantSpec(subject, end),
  })
}

export function grantsPath(namespace: string): string {
  return `/apis/lapse.dev/v1alpha1/namespaces/${namespace}/nhigrants`
}

/** The grant as soon as its status says so; the operator's last write on it is then done. */
export async function grantInState(api: AdminApi, subject: Subject, name: string, state: string): Promise<KubeObject> {
  return eventually(
    `grant ${name} is ${state}`,
    async () => {
      const grant = await api.get(`${grantsPath(subject.namespace)}/${name}`)
      const status = grant['status'] as KubeObject | undefined
      if (status?.['state'] === 'Denied') throw new Error(`denied: ${String(status['endedReason'])}`)
      return status?.['state'] === state ? grant : undefined
    },
    30_000,
  )
}
