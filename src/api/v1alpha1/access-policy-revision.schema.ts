import type { Schema, Static } from '../schema.ts'
import { accessPolicySpecSchema } from './access-policy.schema.ts'

export const accessPolicyRevisionSpecSchema = {
  type: 'object',
  description: 'The accepted version, and who brought it. Immutable.',
  required: ['policyName', 'digest', 'appliedAt', 'policy'],
  'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'a revision is a record and cannot be changed' }],
  properties: {
    policyName: { type: 'string', description: 'Name of the AccessPolicy.', minLength: 1, maxLength: 63 },
    digest: { type: 'string', description: 'SHA-256 of the policy in RFC 8785 form.', maxLength: 80 },
    appliedBy: {
      type: 'string',
      description:
        'User name of who applied it, as the API server saw them. Omitted: not recorded, the webhook was not there.',
      maxLength: 512,
    },
    appliedAt: { type: 'string', format: 'date-time', description: 'When the operator accepted it.' },
    policy: {
      ...accessPolicySpecSchema,
      description: 'The spec of the AccessPolicy, as accepted.',
    },
  },
} as const satisfies Schema

export const accessPolicyRevisionStatusSchema = {
  type: 'object',
  description: 'What became of the version. Written by the operator only.',
  properties: {
    supersededAt: { type: 'string', format: 'date-time', description: 'When a newer version was accepted.' },
    revokedAt: { type: 'string', format: 'date-time', description: 'When the policy was withdrawn.' },
    roles: {
      type: 'array',
      description: 'The ClusterRole that carries each permission set. Recorded before it is created, never reassigned.',
      maxItems: 16,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['set'],
      items: {
        type: 'object',
        required: ['set', 'clusterRole'],
        properties: {
          set: { type: 'string', description: 'Name of the permission set.', maxLength: 63 },
          clusterRole: { type: 'string', description: 'Name of the ClusterRole, from the pool.', maxLength: 253 },
        },
      },
    },
  },
} as const satisfies Schema

export const accessPolicyRevisionSchema = {
  type: 'object',
  description:
    'The record of one accepted version of an AccessPolicy. Written by the operator, refused to everyone else.',
  required: ['spec'],
  properties: { spec: accessPolicyRevisionSpecSchema, status: accessPolicyRevisionStatusSchema },
} as const satisfies Schema

export type AccessPolicyRevisionSpec = Static<typeof accessPolicyRevisionSpecSchema>
export type AccessPolicyRevisionStatus = Static<typeof accessPolicyRevisionStatusSchema>
