import type { AdminApi } from './admin-api.ts'
import { eventually } from './eventually.ts'

/** Resolves when RBAC allows that to a user: the authorizer of the API server follows a watch of its own, behind what is stored. */
export function untilAllowed(
  admin: AdminApi,
  who: { readonly user: string; readonly groups?: readonly string[] },
  resourceAttributes: object,
): Promise<true> {
  return eventually(`RBAC has heard of what ${who.user} may`, async () => {
    const review = await admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      spec: { ...who, resourceAttributes },
    })
    return review['status'].allowed === true || undefined
  })
}
