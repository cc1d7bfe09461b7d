import type { Schema, Static } from '../schema.ts'
import { conditionsSchema, dnsLabel, labelSelectorSchema, policyRulesSchema, versionPattern } from './common.schema.ts'
import { grantsSchema } from './grant-terms.schema.ts'
import { workloadsSchema } from './workloads.schema.ts'

const subjectsSchema = {
  type: 'array',
  description: 'Whom the policy governs: the union of the entries. At least one.',
  minItems: 1,
  maxItems: 32,
  'x-kubernetes-list-type': 'atomic',
  'x-kubernetes-validations': [
    {
      rule: 'self.all(s, !has(s.names) || s.names.all(n, self.exists_one(t, t.kind == s.kind && has(t.names) && n in t.names && has(t.namespaceSelector) == has(s.namespaceSelector) && (!has(t.namespaceSelector) || t.namespaceSelector == s.namespaceSelector))))',
      message: 'one name may be listed only once for the same kind and namespaceSelector',
    },
  ],
  items: {
    type: 'object',
    required: ['kind'],
    'x-kubernetes-validations': [
      {
        rule: "self.kind != 'ServiceAccount' || (has(self.namespaceSelector) && has(self.selector) != has(self.names))",
        message: 'a ServiceAccount entry needs namespaceSelector, and either selector or names',
      },
      {
        rule: "self.kind == 'ServiceAccount' || (has(self.names) && !has(self.selector) && !has(self.namespaceSelector))",
        message: 'a User or Group entry needs names, and takes no selector and no namespaceSelector',
      },
    ],
    properties: {
      kind: {
        type: 'string',
        description: 'The kind of identity.',
        enum: ['ServiceAccount', 'User', 'Group'],
      },
      namespaceSelector: {
        ...labelSelectorSchema,
        description: 'Namespaces of the ServiceAccounts, by label; {} is every namespace. Required for ServiceAccount.',
      },
      selector: {
        ...labelSelectorSchema,
        description: 'ServiceAccounts by label; {} is every one in those namespaces. Omit it to give names.',
      },
      names: {
        type: 'array',
        description: 'Exact names. Omit it to select ServiceAccounts by label.',
        minItems: 1,
        maxItems: 32,
        'x-kubernetes-list-type': 'set',
        items: { type: 'string', minLength: 1, maxLength: 253 },
      },
    },
  },
} as const satisfies Schema

const permissionsSchema = {
  type: 'array',
  description: 'The ceiling, as named sets that a grant asks for by name. Omitted: nothing can be granted.',
  maxItems: 16,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
  items: {
    type: 'object',
    required: ['name'],
    'x-kubernetes-validations': [
      {
        rule: '(has(self.rules) && size(self.rules) > 0) != has(self.clusterRole)',
        message: 'a permission set needs either rules, at least one, or clusterRole',
      },
    ],
    properties: {
      name: { type: 'string', description: 'The name that grants use.', pattern: dnsLabel, maxLength: 63 },
      rules: {
        ...policyRulesSchema,
        description:
          'What the set allows: at most 2048 single permissions (verbs × groups × resources × names), and none with which access could be kept or handed on (writes of roles and bindings, bind, escalate, impersonate, tokens, new Secrets). Omit it to name a clusterRole.',
      },
      clusterRole: {
        type: 'string',
        description:
          'An existing ClusterRole that a cluster admin let the operator bind by name. It is bound as it is. Omit it to give rules.',
        minLength: 1,
        maxLength: 253,
      },
    },
  },
} as const satisfies Schema

export const accessPolicySpecSchema = {
  type: 'object',
  description: 'One version of the rule: the most that the identities it governs may ever hold.',
  required: ['version', 'owner', 'change', 'subjects'],
  'x-kubernetes-validations': [
    {
      rule: '!has(self.permissions) || size(self.permissions) == 0 || has(self.grants)',
      message: 'permissions need grants, which say how they are issued',
    },
    {
      rule: '!has(self.grants) || (has(self.permissions) && size(self.permissions) > 0) || (has(self.grants.waivable) && size(self.grants.waivable) > 0)',
      message: 'grants need permissions or grants.waivable, otherwise there is nothing to issue',
    },
    {
      rule: '!has(self.grants) || !has(self.grants.waivable) || size(self.grants.waivable) == 0 || has(self.workloads)',
      message: 'grants.waivable needs workloads: their checks are what can be waived',
    },
    {
      rule: 'has(self.grants) || has(self.workloads)',
      message: 'a policy needs grants or workloads, otherwise it rules nothing',
    },
    {
      rule: '!has(self.grants) || has(self.scope)',
      message: 'scope is required with grants: it says in which namespaces they may apply',
    },
  ],
  properties: {
    version: {
      type: 'string',
      description: 'Semantic version without build metadata, such as 1.4.0. Every change of the spec must raise it.',
      pattern: versionPattern,
      maxLength: 40,
    },
    owner: {
      type: 'object',
      description: 'Who answers for this policy; refusals name them.',
      required: ['name'],
      properties: {
        name: { type: 'string', description: 'A team or person.', minLength: 1, maxLength: 253 },
        contact: {
          type: 'string',
          description: 'How to reach them. Omitted: refusals name only the owner.',
          maxLength: 253,
        },
      },
    },
    change: {
      type: 'object',
      description: 'Why this version exists, and who approved it.',
      required: ['request', 'reason', 'approvedBy', 'expiresAt'],
      properties: {
        request: { type: 'string', description: 'The ticket or pull request.', minLength: 1, maxLength: 253 },
        reason: { type: 'string', description: 'What changed and why, in a sentence.', minLength: 1, maxLength: 1024 },
        approvedBy: {
          type: 'array',
          description: 'Who approved this version. At least one.',
          minItems: 1,
          maxItems: 16,
          'x-kubernetes-list-type': 'set',
          items: { type: 'string', minLength: 1, maxLength: 253 },
        },
        expiresAt: {
          type: 'string',
          format: 'date-time',
          description:
            'When the policy must have been reviewed; from then on it issues nothing, and what it has issued is over. At most 366 days ahead when it is applied.',
          maxLength: 40,
        },
      },
    },
    subjects: subjectsSchema,
    scope: {
      type: 'object',
      description: 'Where grants may apply. Omitted: nowhere.',
      required: ['namespaceSelector'],
      properties: {
        namespaceSelector: {
          ...labelSelectorSchema,
          description: 'Namespaces in which grants may apply, by label; {} is every namespace.',
        },
        cluster: {
          type: 'boolean',
          description:
            'Whether ClusterNHIGrants may be issued, which apply in every namespace and to what has none. Omitted: no.',
        },
      },
    },
    permissions: permissionsSchema,
    grants: grantsSchema,
    workloads: workloadsSchema,
  },
} as const satisfies Schema

export const accessPolicyStatusSchema = {
  type: 'object',
  description: 'What the operator observed. Written by the operator only.',
  properties: {
    observedGeneration: { type: 'integer', format: 'int64', description: 'The generation that this status speaks of.' },
    activeVersion: { type: 'string', description: 'The version that decisions are made by.', maxLength: 40 },
    digest: { type: 'string', description: 'SHA-256 of that version in RFC 8785 form.', maxLength: 80 },
    grants: {
      type: 'object',
      description: 'Grants under this policy.',
      properties: {
        active: { type: 'integer', format: 'int32', description: 'How many are Active.' },
      },
    },
    conditions: conditionsSchema,
  },
} as const satisfies Schema

export const accessPolicySchema = {
  type: 'object',
  description:
    'The versioned, owned and approved ceiling on what machine identities may hold, and on what workloads that run as them may look like.',
  required: ['spec'],
  'x-kubernetes-validations': [
    {
      rule: 'size(self.metadata.name) <= 63',
      message: 'metadata.name must be at most 63 characters: it becomes a label value',
    },
  ],
  properties: { spec: accessPolicySpecSchema, status: accessPolicyStatusSchema },
} as const satisfies Schema

export type AccessPolicySpec = Static<typeof accessPolicySpecSchema>
export type AccessPolicyStatus = Static<typeof accessPolicyStatusSchema>
