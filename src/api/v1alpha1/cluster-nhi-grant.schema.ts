import type { Schema } from '../schema.ts'
import { nhiGrantStatusSchema } from './nhi-grant-status.schema.ts'
import { immutable, nhiGrantSpecSchema, windowRules } from './nhi-grant.schema.ts'

const optionalFields = ['rules', 'duration', 'notAfter', 'notBefore', 'ticket', 'requestedBy', 'breakGlass'] as const
const requiredFields = ['policy', 'subject', 'permissions', 'reason'] as const

/** What lives in one namespace is not for it: an object that it ends with, a credential, workloads. */
const { waive: _, until: __, credential: ___, ...properties } = nhiGrantSpecSchema.properties

export const clusterNHIGrantSpecSchema = {
  type: 'object',
  description: 'What is asked for. Immutable, except that revoke may be set once.',
  required: requiredFields,
  'x-kubernetes-validations': [...immutable(requiredFields, optionalFields), ...windowRules],
  properties: {
    ...properties,
    permissions: { ...properties.permissions, description: "Names of the policy's permission sets." },
    rules: {
      ...properties.rules,
      description: 'Narrower rules: a grant for the whole cluster cannot have any, and is denied with them.',
    },
  },
} as const satisfies Schema

export const clusterNHIGrantSchema = {
  type: 'object',
  description:
    'One piece of access, for one machine identity in every namespace and to what has none, that ends by itself. The policy must have scope.cluster.',
  required: ['spec'],
  properties: { spec: clusterNHIGrantSpecSchema, status: nhiGrantStatusSchema },
} as const satisfies Schema
