import { capabilityIds } from '../../core/rbac/capability.ts'
import type { Schema } from '../schema.ts'
import { durationSchema } from './common.schema.ts'

export const workloadsSchema = {
  type: 'object',
  description: 'What Pods that run as a governed ServiceAccount may look like, and hold. Omitted: not judged.',
  properties: {
    enforcement: {
      type: 'string',
      description:
        'What a breach does: Deny refuses, Warn admits with a warning, Audit admits with an audit annotation.',
      enum: ['Deny', 'Warn', 'Audit'],
      default: 'Deny',
    },
    podSecurity: {
      type: 'object',
      description: 'The Pod Security Standard that Pods must meet. Omitted: not judged.',
      required: ['level'],
      properties: {
        level: {
          type: 'string',
          description: 'The level of the standard.',
          enum: ['privileged', 'baseline', 'restricted'],
        },
        version: {
          type: 'string',
          description: 'The Kubernetes version whose rules apply, as v1.36. Omitted: latest.',
          pattern: '^(latest|v1\\.(0|[1-9][0-9]?))$',
          maxLength: 8,
          default: 'latest',
        },
      },
    },
    forbid: {
      type: 'array',
      description:
        'Capabilities that the ServiceAccount must not hold except by a live grant. Omitted: none is looked for.',
      maxItems: 32,
      'x-kubernetes-list-type': 'set',
      items: { type: 'string', enum: capabilityIds },
    },
    pin: {
      type: 'object',
      description:
        'Whether pod templates must name the version that they were checked against, in the annotation lapse.dev/policy. Omitted: they need not, but a pin that is there must be right.',
      properties: {
        required: { type: 'boolean', description: 'Refuse what has no pin. Omitted: false.', default: false },
        grace: {
          ...durationSchema('How long a superseded version is still accepted. Omitted: 0s, not at all.'),
          default: '0s',
        },
      },
    },
  },
} as const satisfies Schema
