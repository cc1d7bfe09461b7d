import { waivableChecks } from '../../core/workload/waivers.ts'
import type { Schema } from '../schema.ts'
import { dnsLabel, durationSchema, policyConditionsSchema } from './common.schema.ts'

/** Longest grant that a policy may allow, in hours: 90 days. */
const maxDurationLimit = '2160h'

/** Exact identities, of people or machines. */
function whoSchema<const D extends string, const K extends readonly string[], const M extends number>(
  description: D,
  kinds: K,
  minItems: M,
) {
  return {
    type: 'array',
    description,
    minItems,
    maxItems: 32,
    'x-kubernetes-list-type': 'atomic',
    items: {
      type: 'object',
      required: ['kind'],
      'x-kubernetes-validations': [
        {
          rule: "(self.kind == 'Self') == !has(self.name)",
          message: 'name is required for User, Group and ServiceAccount, and not allowed for Self',
        },
        {
          rule: "(self.kind == 'ServiceAccount') == has(self.namespace)",
          message: 'namespace is required for ServiceAccount, and not allowed for any other kind',
        },
      ],
      properties: {
        kind: { type: 'string', description: 'Self is the subject of the grant asking for itself.', enum: kinds },
        name: { type: 'string', description: 'Exact name; omitted for Self.', minLength: 1, maxLength: 253 },
        namespace: {
          type: 'string',
          description: 'Namespace of a ServiceAccount; omitted for every other kind.',
          pattern: dnsLabel,
          maxLength: 63,
        },
      },
    },
  } as const
}

const everyKind = ['Self', 'User', 'Group', 'ServiceAccount'] as const
const others = ['User', 'Group', 'ServiceAccount'] as const

const approvalSchema = {
  type: 'object',
  description:
    'Who must agree before a grant is issued. Omitted: nobody, and nobody may where a condition asks for it (otherwise: StepUp).',
  required: ['by'],
  properties: {
    required: {
      type: 'integer',
      format: 'int32',
      description:
        'How many must approve every grant. Omitted: 0, none but where a condition steps up, which takes one.',
      minimum: 0,
      maximum: 5,
    },
    by: whoSchema(
      'Who may approve, and deny. Never who asked for the grant, nor its subject. Empty: nobody.',
      others,
      0,
    ),
    within: durationSchema(
      'How long a grant waits for its approvals, from its creation; then it is denied. At most 168h. Omitted: 24h.',
    ),
  },
} as const satisfies Schema

const breakGlassSchema = {
  type: 'object',
  description:
    'Grants for emergencies: they name an incident, need no approval, and must be reviewed afterwards. Omitted: there are none.',
  required: ['requesters', 'maxDuration', 'reviewWithin', 'reviewers'],
  properties: {
    requesters: whoSchema('Who may ask for one. At least one.', everyKind, 1),
    maxDuration: durationSchema('The longest that one may last; at most grants.maxDuration.'),
    reviewWithin: durationSchema(
      'How long after its end it must have been reviewed. From then on it blocks every other one of this policy. At most 720h.',
    ),
    reviewers: whoSchema('Who may review one. Never who asked for it, nor its subject. At least one.', others, 1),
  },
} as const satisfies Schema

const grantConditionsSchema = {
  ...policyConditionsSchema(
    'What must hold, in CEL, for a grant to be created, to be issued, and for as long as it lives, over grant, request, namespaceObject, subject, policy and now; docs/cel.md says what each is. A condition that cannot be judged does not hold. Omitted: nothing.',
  ),
} as const

const grantConditionItems = grantConditionsSchema.items

export const grantsSchema = {
  type: 'object',
  description: 'The terms on which access is issued. Omitted: the policy issues no grants.',
  required: ['maxDuration', 'requesters'],
  'x-kubernetes-validations': [
    {
      rule: `duration(self.maxDuration) > duration('0s') && duration(self.maxDuration) <= duration('${maxDurationLimit}')`,
      message: `maxDuration must be longer than 0s and at most ${maxDurationLimit}`,
    },
    {
      rule: "!has(self.defaultDuration) || (duration(self.defaultDuration) > duration('0s') && duration(self.defaultDuration) <= duration('1h') && duration(self.defaultDuration) <= duration(self.maxDuration))",
      message: 'defaultDuration must be longer than 0s, at most 1h, and at most maxDuration',
    },
    {
      rule: "!has(self.breakGlass) || (duration(self.breakGlass.maxDuration) > duration('0s') && duration(self.breakGlass.maxDuration) <= duration(self.maxDuration))",
      message: 'breakGlass.maxDuration must be longer than 0s and at most maxDuration',
    },
    {
      rule: "!has(self.breakGlass) || (duration(self.breakGlass.reviewWithin) > duration('0s') && duration(self.breakGlass.reviewWithin) <= duration('720h'))",
      message: 'breakGlass.reviewWithin must be longer than 0s and at most 720h',
    },
    {
      rule: "!has(self.approval) || !has(self.approval.within) || (duration(self.approval.within) > duration('0s') && duration(self.approval.within) <= duration('168h'))",
      message: 'approval.within must be longer than 0s and at most 168h',
    },
    {
      rule: "!has(self.retention) || duration(self.retention) >= duration('1m')",
      message: 'retention must be at least 1m',
    },
    {
      rule: '!has(self.approval) || !has(self.approval.required) || self.approval.required == 0 || size(self.approval.by) > 0',
      message: 'approval.required needs somebody in approval.by, otherwise nobody may approve',
    },
  ],
  properties: {
    maxDuration: durationSchema('The longest that a grant may last, such as 1h or 30m. At most 2160h.'),
    defaultDuration: durationSchema(
      'How long a grant lasts that says nothing. At most 1h. Omitted: 15m, or maxDuration if that is shorter.',
    ),
    maxActivePerSubject: {
      type: 'integer',
      format: 'int32',
      description: 'How many grants of this policy one subject may hold at a time, in all namespaces. Omitted: 1.',
      minimum: 1,
      maximum: 100,
      default: 1,
    },
    requesters: whoSchema(
      'Who may create grants under this policy. At least one: nobody may by omission.',
      everyKind,
      1,
    ),
    approval: approvalSchema,
    conditions: {
      ...grantConditionsSchema,
      items: {
        ...grantConditionItems,
        'x-kubernetes-validations': [
          {
            rule: "(has(self.otherwise) && self.otherwise == 'Constrain') == has(self.constrain)",
            message: 'constrain is required for otherwise: Constrain, and not allowed for any other',
          },
          {
            rule: "!has(self.constrain) || ((has(self.constrain.maxDuration) || has(self.constrain.permissions)) && (!has(self.constrain.maxDuration) || duration(self.constrain.maxDuration) > duration('0s')))",
            message: 'constrain needs maxDuration, longer than 0s, or permissions',
          },
        ],
        properties: {
          ...grantConditionItems.properties,
          otherwise: {
            type: 'string',
            description:
              'What becomes of a grant for which it does not hold. Deny: refused, or ended. StepUp: issued once approval.by has approved it. Constrain: less is granted. Omitted: Deny.',
            enum: ['Deny', 'StepUp', 'Constrain'],
          },
          constrain: {
            type: 'object',
            description: 'With otherwise: Constrain, the most that is granted while the condition does not hold.',
            properties: {
              maxDuration: durationSchema('The longest that the grant may last from its issue. Omitted: no shorter.'),
              permissions: {
                type: 'array',
                description: 'Names of the permission sets that may be granted; others are left out. Omitted: all.',
                minItems: 1,
                maxItems: 16,
                'x-kubernetes-list-type': 'set',
                items: { type: 'string', minLength: 1, maxLength: 63 },
              },
            },
          },
        },
      },
    },
    breakGlass: breakGlassSchema,
    waivable: {
      type: 'array',
      description:
        'Checks of workloads that grants may waive: while such a grant is Active, they pass for what runs as its subject in its namespace. Omitted: none.',
      maxItems: 64,
      'x-kubernetes-list-type': 'set',
      items: { type: 'string', enum: waivableChecks },
    },
    until: {
      type: 'array',
      description:
        'Kinds of objects by which a grant may end early, with an expression over the object (spec.until). Jobs and Pods end without one, listed or not. Omitted: none.',
      maxItems: 16,
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        required: ['apiVersion', 'kind'],
        properties: {
          apiVersion: { type: 'string', description: 'Such as batch/v1.', minLength: 1, maxLength: 253 },
          kind: { type: 'string', description: 'Such as Job.', minLength: 1, maxLength: 63 },
        },
      },
    },
    onRevoke: {
      type: 'string',
      description:
        'What else happens when a grant is revoked. EvictPods: Pods of the namespace that run as its ServiceAccount are evicted, since open streams outlive a revocation. Omitted: nothing.',
      enum: ['EvictPods'],
    },
    retention: durationSchema(
      'How long an ended grant stays as its own record; then it is deleted, unless a GitOps tool tracks it or its review is due. Omitted: for ever.',
    ),
  },
} as const satisfies Schema
