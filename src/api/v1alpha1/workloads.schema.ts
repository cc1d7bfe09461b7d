import { capabilityIds } from '../../core/rbac/capability.ts'
import { tokenCheckIds } from '../../core/workload/token.ts'
import type { Schema } from '../schema.ts'
import { durationSchema, policyRulesSchema, policyConditionsSchema } from './common.schema.ts'

export const workloadsSchema = {
  type: 'object',
  description: 'What Pods that run as a governed ServiceAccount may look like, and hold. Omitted: not judged.',
  'x-kubernetes-validations': [
    {
      rule: "!has(self.maxTokenLifetime) || duration(self.maxTokenLifetime) >= duration('3607s')",
      message: 'maxTokenLifetime must be at least 3607s, which is what Kubernetes itself asks for',
    },
  ],
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
    checks: {
      type: 'array',
      description:
        'Further checks that apply, of the tokens and secrets that Pods can reach; docs/spec/checks.md says what each looks at. Omitted: none.',
      maxItems: 16,
      'x-kubernetes-list-type': 'set',
      items: { type: 'string', enum: tokenCheckIds },
    },
    maxTokenLifetime: durationSchema(
      'The longest that a projected ServiceAccount token may live. Omitted: not judged.',
    ),
    standing: {
      ...policyRulesSchema,
      description:
        'What governed subjects may hold by other bindings than those of grants, in every namespace: rules in the form of rbac.authorization.k8s.io PolicyRule. A binding or role that would give them more is refused, and so is a Secret that holds a token of theirs without end. What they hold already is not touched. []: nothing may be held. Omitted: standing access is not judged.',
    },
    conditions: policyConditionsSchema(
      'What must hold for a workload beside all that, in CEL, over object, oldObject, pod, request, namespaceObject, identity and grants; docs/cel.md says what each is. A condition that cannot be judged does not hold. Omitted: nothing.',
    ),
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
