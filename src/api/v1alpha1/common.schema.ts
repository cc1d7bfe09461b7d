import { durationPattern } from '../../core/time.ts'
import type { Schema } from '../schema.ts'

export const conditionsSchema = {
  type: 'array',
  description: 'Observations of the latest state, one per type, in the form of metav1.Condition.',
  maxItems: 16,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: {
    type: 'object',
    required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
    properties: {
      type: { type: 'string', description: 'What is observed, in CamelCase.', maxLength: 316 },
      status: { type: 'string', description: 'Whether it holds.', enum: ['True', 'False', 'Unknown'] },
      reason: { type: 'string', description: 'Why, as one CamelCase word for programs.', maxLength: 1024 },
      message: { type: 'string', description: 'Why, for people.', maxLength: 32768 },
      lastTransitionTime: { type: 'string', format: 'date-time', description: 'When status last changed.' },
      observedGeneration: {
        type: 'integer',
        format: 'int64',
        description: 'The metadata.generation that this was observed of.',
      },
    },
  },
} as const satisfies Schema

export const labelSelectorSchema = {
  type: 'object',
  description: 'A Kubernetes label selector: all parts must hold; {} matches everything; omitted matches nothing.',
  'x-kubernetes-map-type': 'atomic',
  properties: {
    matchLabels: {
      type: 'object',
      description: 'Labels that must be there with exactly these values.',
      additionalProperties: { type: 'string', maxLength: 63 },
      maxProperties: 32,
    },
    matchExpressions: {
      type: 'array',
      description: 'Requirements that must all hold.',
      maxItems: 32,
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        required: ['key', 'operator'],
        'x-kubernetes-validations': [
          {
            rule: "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",
            message: 'values must be given for In and NotIn, and for no other operator',
          },
        ],
        properties: {
          key: { type: 'string', description: 'The label key.', minLength: 1, maxLength: 317 },
          operator: {
            type: 'string',
            description: 'How the label is compared with values.',
            enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'],
          },
          values: {
            type: 'array',
            description: 'For In and NotIn; omitted for Exists and DoesNotExist.',
            maxItems: 64,
            'x-kubernetes-list-type': 'atomic',
            items: { type: 'string', maxLength: 63 },
          },
        },
      },
    },
  },
} as const satisfies Schema

const ruleListItem = { type: 'string', minLength: 1, maxLength: 253 } as const satisfies Schema

export const policyRulesSchema = {
  type: 'array',
  description: 'Rules in the form of rbac.authorization.k8s.io PolicyRule.',
  maxItems: 64,
  'x-kubernetes-list-type': 'atomic',
  items: {
    type: 'object',
    required: ['verbs', 'apiGroups', 'resources'],
    properties: {
      verbs: {
        type: 'array',
        description: 'Verbs, such as get, list, watch, create, update, patch, delete; * is every verb.',
        minItems: 1,
        maxItems: 32,
        'x-kubernetes-list-type': 'atomic',
        items: ruleListItem,
      },
      apiGroups: {
        type: 'array',
        description: 'API groups; "" is the core group, * is every group.',
        minItems: 1,
        maxItems: 32,
        'x-kubernetes-list-type': 'atomic',
        items: { type: 'string', maxLength: 253 },
      },
      resources: {
        type: 'array',
        description: 'Resources in the plural, subresources as pods/log; * is every resource and subresource.',
        minItems: 1,
        maxItems: 64,
        'x-kubernetes-list-type': 'atomic',
        items: ruleListItem,
      },
      resourceNames: {
        type: 'array',
        description: 'Names of single objects. Omitted or empty means every object of these resources.',
        maxItems: 64,
        'x-kubernetes-list-type': 'atomic',
        items: ruleListItem,
      },
    },
  },
} as const satisfies Schema

/** As many checks as a grant may waive. */
export const mostWaived = 16

/** RFC 1123 label, the form of most Kubernetes names. */
export const dnsLabel = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'
/** RFC 1123 subdomain. */
export const dnsSubdomain = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'

const prereleasePart = '(0|[1-9][0-9]{0,8}|[0-9]{0,8}[a-z]([-0-9a-z]*[0-9a-z])?)'
const numberPart = '(0|[1-9][0-9]{0,8})'

/** Semantic version 2.0.0 without build metadata (which has no order), in lower case (it becomes part of a name). */
export const versionPattern = `^${numberPart}\\.${numberPart}\\.${numberPart}(-${prereleasePart}(\\.${prereleasePart})*)?$`

/** A duration property; the bounds are checked by the rules of the kind that holds it. */
export function durationSchema<const D extends string>(description: D) {
  return { type: 'string', description, pattern: durationPattern, minLength: 2, maxLength: 20 } as const
}

/** One identity. */
export function identitySchema<const D extends string>(description: D) {
  return {
    type: 'object',
    description,
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
  } as const
}

/** What must hold, in CEL; the expressions themselves are compiled by the parser. */
export function policyConditionsSchema<const D extends string>(description: D) {
  return {
    type: 'array',
    description,
    maxItems: 16,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
    items: {
      type: 'object',
      required: ['name', 'expression'],
      properties: {
        name: { type: 'string', description: 'How refusals call the condition.', pattern: dnsLabel, maxLength: 63 },
        expression: {
          type: 'string',
          description: 'In CEL, true or false; the webhook refuses what does not compile, with line and column.',
          minLength: 1,
          maxLength: 4096,
        },
        message: {
          type: 'string',
          description: 'What a refusal says when it does not hold. Omitted: that the condition of that name does not.',
          minLength: 1,
          maxLength: 1024,
        },
      },
    },
  } as const
}
