import { waivableChecks } from '../../core/workload/waivers.ts'
import type { Schema, Static, ValidationRule } from '../schema.ts'
import {
  dnsSubdomain,
  durationSchema,
  identitySchema,
  mostWaived,
  policyRulesSchema,
  versionPattern,
} from './common.schema.ts'
import { nhiGrantStatusSchema } from './nhi-grant-status.schema.ts'

const optionalFields = [
  'permissions',
  'rules',
  'waive',
  'duration',
  'notAfter',
  'notBefore',
  'ticket',
  'requestedBy',
  'until',
  'credential',
  'breakGlass',
] as const
const requiredFields = ['policy', 'subject', 'reason'] as const

/** A grant is what was judged and approved: nothing but a revocation may be added to it. */
export function immutable(required: readonly string[], optional: readonly string[]): readonly ValidationRule[] {
  return [
    ...required.map((field) => ({
      rule: `self.${field} == oldSelf.${field}`,
      message: `${field} is immutable; create a new grant instead`,
    })),
    ...optional.map((field) => ({
      rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
      message: `${field} is immutable; create a new grant instead`,
    })),
    {
      rule: '!has(oldSelf.revoke) || (has(self.revoke) && self.revoke == oldSelf.revoke)',
      message: 'revoke may be set once and never taken back',
    },
  ]
}

/** When a grant may begin and end. */
export const windowRules: readonly ValidationRule[] = [
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
]

export const nhiGrantSpecSchema = {
  type: 'object',
  description: 'What is asked for. Immutable, except that revoke may be set once.',
  required: requiredFields,
  'x-kubernetes-validations': [
    ...immutable(requiredFields, optionalFields),
    {
      rule: 'has(self.permissions) || has(self.waive)',
      message: 'a grant needs permissions or waive, otherwise it asks for nothing',
    },
    {
      rule: 'has(self.permissions) || !has(self.rules) || size(self.rules) == 0',
      message: 'rules are what is granted of the named permissions: give permissions too',
    },
    ...windowRules,
    {
      rule: "!has(self.until) || (has(self.until.expression) ? has(self.until.apiVersion) : !has(self.until.apiVersion) && self.until.kind in ['Job', 'Pod'])",
      message: 'until names a Job or a Pod, or gives apiVersion and an expression for any other object',
    },
    {
      rule: "!has(self.credential) || (has(self.permissions) && self.subject.kind == 'ServiceAccount')",
      message: 'a credential is for permissions that a ServiceAccount asks for',
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
    subject: identitySchema('The one identity that gets the access.'),
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
    until: {
      type: 'object',
      description: 'Ends the grant early, when this object ends or is gone. Omitted: only time ends it.',
      required: ['kind', 'name'],
      properties: {
        apiVersion: {
          type: 'string',
          description: 'Of the object, with expression; omitted for a Job (batch/v1) and a Pod (v1).',
          minLength: 1,
          maxLength: 253,
        },
        kind: {
          type: 'string',
          description: 'Job or Pod, which end with their success or failure; any other with expression.',
          minLength: 1,
          maxLength: 63,
        },
        name: {
          type: 'string',
          description: 'Its name, in the namespace of the grant.',
          pattern: dnsSubdomain,
          maxLength: 253,
        },
        expression: {
          type: 'string',
          description:
            'In CEL over object: true ends the grant. The policy must list the kind in grants.until. One that cannot be judged ends nothing.',
          minLength: 1,
          maxLength: 4096,
        },
      },
    },
    credential: {
      type: 'object',
      description:
        "Gives the access to an identity of the grant's own, whose token is written into a Secret and dies with it. Omitted: the subject itself gets the access.",
      required: ['secretName'],
      properties: {
        secretName: {
          type: 'string',
          description: 'Name of the Secret, in the namespace of the grant; it must not exist.',
          pattern: dnsSubdomain,
          maxLength: 253,
        },
        audiences: {
          type: 'array',
          description: 'Who may accept the token. Omitted: the API server.',
          minItems: 1,
          maxItems: 8,
          'x-kubernetes-list-type': 'set',
          items: { type: 'string', minLength: 1, maxLength: 253 },
        },
      },
    },
    breakGlass: {
      type: 'object',
      description:
        'Asks for it as an emergency: without approval, for a shorter time, and to be reviewed afterwards. Omitted: it is none.',
      required: ['incident'],
      properties: {
        incident: { type: 'string', description: 'The incident that asks for it.', minLength: 1, maxLength: 253 },
      },
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

export const nhiGrantSchema = {
  type: 'object',
  description: 'One piece of access, for one machine identity in one namespace, that ends by itself.',
  required: ['spec'],
  properties: { spec: nhiGrantSpecSchema, status: nhiGrantStatusSchema },
} as const satisfies Schema

export type NHIGrantSpec = Static<typeof nhiGrantSpecSchema>
