import type { Schema, Static } from '../schema.ts'
import { conditionsSchema, mostWaived, policyRulesSchema } from './common.schema.ts'

export const nhiGrantStatusSchema = {
  type: 'object',
  description: 'What became of the grant. Written by the operator only.',
  properties: {
    observedGeneration: { type: 'integer', format: 'int64', description: 'The generation that this status speaks of.' },
    state: {
      type: 'string',
      description: 'Where the grant is in its life. Expired, Completed, Revoked and Denied are final.',
      enum: ['Pending', 'AwaitingApproval', 'Active', 'Expired', 'Completed', 'Revoked', 'Denied'],
    },
    policy: {
      type: 'object',
      description: 'The policy version that it was issued under.',
      properties: {
        version: { type: 'string', description: 'Its version.', maxLength: 40 },
        digest: { type: 'string', description: 'Its digest.', maxLength: 80 },
      },
    },
    subject: {
      type: 'object',
      description: 'The subject as it was when the access was issued.',
      properties: {
        username: {
          type: 'string',
          description: 'The user name, or group name, that the API server sees.',
          maxLength: 512,
        },
        uid: {
          type: 'string',
          description: "A ServiceAccount's UID: another account of the same name gets nothing.",
          maxLength: 64,
        },
      },
    },
    rules: { ...policyRulesSchema, description: 'The rules that were granted.' },
    decision: {
      type: 'object',
      description: 'What the conditions of the policy made of it.',
      properties: {
        outcome: {
          type: 'string',
          description: 'Allow: all that was asked for. StepUp: once it was approved. Constrain: less.',
          enum: ['Allow', 'StepUp', 'Constrain'],
        },
        reasons: {
          type: 'array',
          description: 'The conditions that did not hold.',
          maxItems: 16,
          'x-kubernetes-list-type': 'atomic',
          items: {
            type: 'object',
            properties: {
              condition: { type: 'string', description: 'Its name.', maxLength: 63 },
              message: { type: 'string', description: 'What it says.', maxLength: 2048 },
            },
          },
        },
      },
    },
    approvals: {
      type: 'object',
      description: 'The approvals that it needs, and has.',
      properties: {
        required: { type: 'integer', format: 'int32', description: 'How many it needs.' },
        digest: {
          type: 'string',
          description: 'What an NHIGrantApproval must name as grantDigest: the spec and the policy version.',
          maxLength: 80,
        },
        given: {
          type: 'array',
          description: 'Those that count.',
          maxItems: 16,
          'x-kubernetes-list-type': 'atomic',
          items: {
            type: 'object',
            properties: {
              name: { type: 'string', description: 'Name of the NHIGrantApproval.', maxLength: 253 },
              approver: { type: 'string', description: 'User name of who approved.', maxLength: 512 },
            },
          },
        },
      },
    },
    until: {
      type: 'object',
      description: 'The object that it ends with.',
      properties: {
        uid: { type: 'string', description: 'Its UID: another object of the same name is not it.', maxLength: 64 },
      },
    },
    review: {
      type: 'object',
      description: 'Of a break-glass grant: its review.',
      properties: {
        dueBy: { type: 'string', format: 'date-time', description: 'Until when it must have been reviewed.' },
        reviewedAt: { type: 'string', format: 'date-time', description: 'When it was.' },
        reviewedBy: { type: 'string', description: 'User name of who did.', maxLength: 512 },
      },
    },
    credential: {
      type: 'object',
      description: 'The token that was issued.',
      properties: {
        expiresAt: { type: 'string', format: 'date-time', description: 'When it dies by itself.' },
      },
    },
    onRevoke: { type: 'string', description: 'What else happens when it is revoked.', enum: ['EvictPods'] },
    waive: {
      type: 'array',
      description: 'The checks that were waived.',
      maxItems: mostWaived,
      'x-kubernetes-list-type': 'set',
      items: { type: 'string', maxLength: 63 },
    },
    issuedAt: { type: 'string', format: 'date-time', description: 'When the access was issued.' },
    notAfter: { type: 'string', format: 'date-time', description: 'When it is over. Never moves later.' },
    endedAt: { type: 'string', format: 'date-time', description: 'When the grant ended.' },
    endedReason: { type: 'string', description: 'Why it ended, for people.', maxLength: 32768 },
    objects: {
      type: 'array',
      description: 'The objects that carry the access. Recorded before they are created.',
      maxItems: 34,
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        required: ['kind', 'name'],
        properties: {
          kind: {
            type: 'string',
            description: 'Its kind.',
            enum: ['Role', 'RoleBinding', 'ClusterRole', 'ClusterRoleBinding', 'ServiceAccount', 'Secret'],
          },
          name: { type: 'string', description: "Its name, derived from the grant's UID.", maxLength: 253 },
          uid: { type: 'string', description: 'Its UID, once it was created.', maxLength: 64 },
        },
      },
    },
    ending: {
      type: 'object',
      description: 'An end that was carried out before its time, until it is proved and told. It is never taken back.',
      properties: {
        state: { type: 'string', description: 'What the grant will be.', enum: ['Expired', 'Completed', 'Revoked'] },
        at: { type: 'string', format: 'date-time', description: 'When it came.' },
        reason: { type: 'string', description: 'Why, for people.', maxLength: 32768 },
      },
    },
    revocation: {
      type: 'object',
      description: 'The proof that the access is gone.',
      properties: {
        verifiedAt: {
          type: 'string',
          format: 'date-time',
          description: 'When the API server last denied, or still allowed, what had been granted.',
        },
        bindingsRemovedAt: {
          type: 'string',
          format: 'date-time',
          description: 'When the API server had acknowledged the removal of the last binding.',
        },
        secretRemovedAt: {
          type: 'string',
          format: 'date-time',
          description: 'When it had acknowledged that of the Secret with the token.',
        },
        overstay: { type: 'string', description: 'How long the access outlived its end, such as 38ms.', maxLength: 32 },
        residual: {
          type: 'array',
          description: 'Bindings that still give some of the access, though not by this grant. Empty: nothing is left.',
          maxItems: 64,
          'x-kubernetes-list-type': 'atomic',
          items: { type: 'string', maxLength: 1024 },
        },
      },
    },
    conditions: conditionsSchema,
  },
} as const satisfies Schema

export type NHIGrantStatus = Static<typeof nhiGrantStatusSchema>
