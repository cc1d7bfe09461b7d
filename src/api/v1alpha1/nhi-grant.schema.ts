import { waivableChecks } from '../../core/workload/waivers.ts'
import type { Schema, Static, ValidationRule } from '../schema.ts'
import { conditionsSchema, dnsLabel, durationSchema, policyRulesSchema, versionPattern } from './common.schema.ts'

const optionalFields = [
  'permissions',
  'rules',
  'waive',
  'duration',
  'notAfter',
  'notBefore',
  'ticket',
  'requestedBy',
] as const
const requiredFields = ['policy', 'subject', 'reason'] as const

/** As many as a grant may waive. */
const mostWaived = 16

/** A grant is what was judged and approved: nothing but a revocation may be added to it. */
const immutable: readonly ValidationRule[] = [
  ...requiredFields.map((field) => ({
    rule: `self.${field} == oldSelf.${field}`,
    message: `${field} is immutable; create a new grant instead`,
  })),
  ...optionalFields.map((field) => ({
    rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
    message: `${field} is immutable; create a new grant instead`,
  })),
  {
    rule: '!has(oldSelf.revoke) || (has(self.revoke) && self.revoke == oldSelf.revoke)',
    message: 'revoke may be set once and never taken back',
  },
]

export const nhiGrantSpecSchema = {
  type: 'object',
  description: 'What is asked for. Immutable, except that revoke may be set once.',
  required: requiredFields,
  'x-kubernetes-validations': [
    ...immutable,
    {
      rule: 'has(self.permissions) || has(self.waive)',
      message: 'a grant needs permissions or waive, otherwise it asks for nothing',
    },
    {
      rule: 'has(self.permissions) || !has(self.rules) || size(self.rules) == 0',
      message: 'rules are what is granted of the named permissions: give permissions too',
    },
    {
      rule: '!(has(self.duration) && has(self.notAfter))',
      message: 'give duration or notAfter, not both',
    },
    {
      rule: "!has(self.duration) || (duration(self.duration) > duration('0s') && duration(self.duration) <= duration('2160h'))",
      message: 'duration must be longer than 0s and at most 2160h',
    },
    {
      rule: '!(has(self.notBefore) && has(self.notAfter)) || timestamp(self.notBefore) < timestamp(self.notAfter)',
      message: 'notBefore must be earlier than notAfter',
    },
  ],
  properties: {
    policy: {
      type: 'object',
      description: 'The AccessPolicy that is asked.',
      required: ['name'],
      properties: {
        name: { type: 'string', description: 'Its name.', minLength: 1, maxLength: 63 },
        version: {
          type: 'string',
          description: 'The version that the request was written for. Omitted: whatever is active when it is issued.',
          pattern: versionPattern,
          maxLength: 40,
        },
      },
    },
    subject: {
      type: 'object',
      description: 'The one identity that gets the access.',
      required: ['kind', 'name'],
      'x-kubernetes-validations': [
        {
          rule: "(self.kind == 'ServiceAccount') == has(self.namespace)",
          message: 'namespace is required for ServiceAccount, and not allowed for any other kind',
        },
      ],
      properties: {
        kind: { type: 'string', description: 'The kind of identity.', enum: ['ServiceAccount', 'User', 'Group'] },
        namespace: {
          type: 'string',
          description: 'Namespace of a ServiceAccount; omitted for every other kind.',
          pattern: dnsLabel,
          maxLength: 63,
        },
        name: { type: 'string', description: 'Exact name.', minLength: 1, maxLength: 253 },
      },
    },
    permissions: {
      type: 'array',
      description: "Names of the policy's permission sets. Omitted: no access is asked for, only what waive lists.",
      minItems: 1,
      maxItems: 16,
      'x-kubernetes-list-type': 'set',
      items: { type: 'string', minLength: 1, maxLength: 63 },
    },
    rules: {
      ...policyRulesSchema,
      description:
        'Narrower rules: only these are granted, and the named permissions must cover them. Omitted or empty: the whole of the named permissions.',
    },
    waive: {
      type: 'array',
      description:
        'Checks that pass, while the grant is Active, for workloads that run as the subject in the namespace of the grant, under this policy. Its grants.waivable must list each. Omitted: none.',
      minItems: 1,
      maxItems: mostWaived,
      'x-kubernetes-list-type': 'set',
      items: { type: 'string', enum: waivableChecks },
    },
    duration: durationSchema(
      "How long the access lasts from the moment of issue, such as 30m. Omitted: until notAfter, or else the policy's defaultDuration.",
    ),
    notAfter: {
      type: 'string',
      format: 'date-time',
      description: 'The instant at which the access is over. Omitted: duration decides.',
      maxLength: 40,
    },
    notBefore: {
      type: 'string',
      format: 'date-time',
      description: 'The instant before which nothing is issued. Omitted: at once.',
      maxLength: 40,
    },
    reason: { type: 'string', description: 'What the access is for, in a sentence.', minLength: 1, maxLength: 1024 },
    ticket: {
      type: 'string',
      description: 'The ticket that asks for it. Omitted: none.',
      minLength: 1,
      maxLength: 253,
    },
    requestedBy: {
      type: 'string',
      description:
        'User name of who created the grant. Set from the request at admission; what is written here is replaced.',
      minLength: 1,
      maxLength: 512,
    },
    revoke: {
      type: 'object',
      description: 'Set it to end the grant now. Omitted: it ends by itself.',
      required: ['reason'],
      properties: {
        reason: { type: 'string', description: 'Why, in a sentence.', minLength: 1, maxLength: 1024 },
      },
    },
  },
} as const satisfies Schema

export const nhiGrantStatusSchema = {
  type: 'object',
  description: 'What became of the grant. Written by the operator only.',
  properties: {
    observedGeneration: { type: 'integer', format: 'int64', description: 'The generation that this status speaks of.' },
    state: {
      type: 'string',
      description: 'Where the grant is in its life. Expired, Revoked and Denied are final.',
      enum: ['Pending', 'Active', 'Expired', 'Revoked', 'Denied'],
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
          kind: { type: 'string', description: 'Role or RoleBinding.', enum: ['Role', 'RoleBinding'] },
          name: { type: 'string', description: "Its name, derived from the grant's UID.", maxLength: 253 },
          uid: { type: 'string', description: 'Its UID, once it was created.', maxLength: 64 },
        },
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

export const nhiGrantSchema = {
  type: 'object',
  description: 'One piece of access, for one machine identity in one namespace, that ends by itself.',
  required: ['spec'],
  properties: { spec: nhiGrantSpecSchema, status: nhiGrantStatusSchema },
} as const satisfies Schema

export type NHIGrantSpec = Static<typeof nhiGrantSpecSchema>
export type NHIGrantStatus = Static<typeof nhiGrantStatusSchema>
