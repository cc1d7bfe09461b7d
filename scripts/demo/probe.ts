import { eventually } from '../../test/support/eventually.ts'
import type { ControlPlane } from '../../test/support/control-plane.ts'

/** One permission of one ServiceAccount, put to the API server as SubjectAccessReview. */
export interface Question {
  readonly username: string
  readonly namespace: string
  readonly verb: string
  readonly group: string
  readonly resource: string
}

/** Asks until the answer is the wanted one; the instant (ms since the epoch) at which it came. */
export async function untilAnswer(
  controlPlane: ControlPlane,
  question: Question,
  wanted: boolean,
  within = 30_000,
): Promise<number> {
  const end = Date.now() + within
  while (Date.now() < end) {
    if ((await isAllowed(controlPlane, question)) === wanted) return Date.now()
  }
  throw new Error(`the API server did not say ${wanted ? 'yes' : 'no'} within ${within} ms`)
}

async function isAllowed(controlPlane: ControlPlane, question: Question): Promise<boolean> {
  const { username, namespace, verb, group, resource } = question
  const review = (await controlPlane.admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: username, resourceAttributes: { namespace, verb, group, resource } },
  })) as { readonly status: { readonly allowed: boolean } }
  return review.status.allowed
}

/**
 * Waits until the garbage collector follows NHIGrants: it looks for new kinds only now and then. The ended grant of the
 * tour is deleted with something that it owns, until that goes too.
 */
export async function untilCollectorKnows(controlPlane: ControlPlane): Promise<void> {
  const { admin } = controlPlane
  const grantPath = '/apis/lapse.dev/v1alpha1/namespaces/payments/nhigrants/rollout-2041'
  const configMaps = '/api/v1/namespaces/payments/configmaps'
  const { metadata } = await admin.get(grantPath)
  const owner = { apiVersion: 'lapse.dev/v1alpha1', kind: 'NHIGrant', name: metadata?.name, uid: metadata?.uid }
  await admin.create(configMaps, { metadata: { name: 'owned', ownerReferences: [owner] } })
  await admin.delete(grantPath)
  await eventually(
    'the garbage collector knows NHIGrants',
    async () => {
      const owned = (await admin.list(configMaps)).some((item) => item.metadata?.name === 'owned')
      return owned ? undefined : true
    },
    40_000,
  )
}
