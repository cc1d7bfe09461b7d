import type { Schema, Static } from '../schema.ts'

export const nhiGrantApprovalSpecSchema = {
  type: 'object',
  description:
    'What somebody says of a grant. Immutable: another opinion is another object, and the same one again is refused.',
  required: ['grant', 'grantDigest', 'decision', 'reason'],
  'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'an approval is immutable; create another one' }],
  properties: {
    grant: {
      type: 'object',
      description: 'The grant that is meant.',
      required: ['name', 'uid'],
      properties: {
        kind: {
          type: 'string',
          description:
            'Its kind. Omitted: NHIGrant, in the namespace of the approval. What is said of a ClusterNHIGrant counts in the namespace of the operator only.',
          enum: ['NHIGrant', 'ClusterNHIGrant'],
        },
        name: { type: 'string', description: 'Its name.', minLength: 1, maxLength: 253 },
        uid: {
          type: 'string',
          description: 'Its UID: another grant of the same name is not meant.',
          minLength: 1,
          maxLength: 64,
        },
      },
    },
    grantDigest: {
      type: 'string',
      description:
        "What was looked at: status.approvals.digest of the grant. It covers the grant's spec and the policy version.",
      minLength: 1,
      maxLength: 80,
    },
    decision: {
      type: 'string',
      description: 'Approve; Deny, which ends it; or Review, of a break-glass grant that is over.',
      enum: ['Approve', 'Deny', 'Review'],
    },
    reason: { type: 'string', description: 'Why, in a sentence.', minLength: 1, maxLength: 1024 },
    approver: {
      type: 'string',
      description: 'User name of who says it. Set from the request at admission; what is written here is replaced.',
      minLength: 1,
      maxLength: 512,
    },
  },
} as const satisfies Schema

export const nhiGrantApprovalSchema = {
  type: 'object',
  description: 'An approval, a denial or a review of one grant, by one person or machine. It is never changed.',
  required: ['spec'],
  properties: { spec: nhiGrantApprovalSpecSchema },
} as const satisfies Schema

export type NHIGrantApprovalSpec = Static<typeof nhiGrantApprovalSpecSchema>
