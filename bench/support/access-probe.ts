import type { AdminApi } from '../../test/support/admin-api.ts'

const reviews = '/apis/authorization.k8s.io/v1/subjectaccessreviews'

/** Of a ServiceAccount: may it patch Deployments in its own namespace? It is what every grant of the benchmarks gives. */
export interface Subject {
  readonly namespace: string
  readonly name: string
}

/** Asks the API server as anybody would, by a SubjectAccessReview. */
export async function isAllowed(api: AdminApi, { namespace, name }: Subject): Promise<boolean> {
  const answer = await api.create(reviews, {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: `system:serviceaccount:${namespace}:${name}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      resourceAttributes: { namespace, verb: 'patch', group: 'apps', resource: 'deployments' },
    },
  })
  return answer['status'].allowed === true
}

const patience = 30_000

/** Asks again and again, without a pause, until the answer is `wanted`. */
export async function untilAnswer(api: AdminApi, subject: Subject, wanted: 'yes' | 'no'): Promise<void> {
  const deadline = performance.now() + patience
  while ((await isAllowed(api, subject)) !== (wanted === 'yes')) {
    if (performance.now() > deadline) throw new Error(`${subject.name}: no ${wanted} within ${patience} ms`)
  }
}
