import { dnsLabel } from './common.schema.ts'

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
