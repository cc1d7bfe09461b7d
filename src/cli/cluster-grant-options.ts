import type { ClusterGrantTerms } from '../core/world.ts'
import type { OptionTable } from '../runtime/config.ts'

/** The controller and the webhook must have them alike. */
export const clusterGrantOptions = {
  clusterGrants: {
    kind: 'boolean',
    default: false,
    description:
      'whether ClusterNHIGrants are given, which hold in every namespace: controller and webhook alike; without it they are denied',
  },
  approvalNamespace: {
    kind: 'string',
    default: null,
    description: 'where approvals of ClusterNHIGrants must be; without it the own namespace',
  },
} as const satisfies OptionTable

export function clusterGrantTerms(
  { clusterGrants, approvalNamespace }: { readonly clusterGrants: boolean; readonly approvalNamespace: string | null },
  ownNamespace: string,
): ClusterGrantTerms {
  return { enabled: clusterGrants, approvalNamespace: approvalNamespace ?? ownNamespace }
}
