import type { Schema, Static } from '../schema.ts'
import { identitySchema } from './common.schema.ts'

export const nhiSuspensionSpecSchema = {
  type: 'object',
  description: 'Who is suspended, and why. Immutable.',
  required: ['subject', 'reason'],
  'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'a suspension is immutable; delete it to lift it' }],
  properties: {
    subject: identitySchema('The identity whose grants are revoked.'),
    reason: { type: 'string', description: 'Why, in a sentence.', minLength: 1, maxLength: 1024 },
    setBy: {
      type: 'string',
      description: 'User name of who set it. Set from the request at admission; what is written here is replaced.',
      minLength: 1,
      maxLength: 512,
    },
  },
} as const satisfies Schema

export const nhiSuspensionSchema = {
  type: 'object',
  description:
    'The kill switch of an identity: while it is there, every grant of its subject is revoked and no other one is issued. Delete it to lift it.',
  required: ['spec'],
  properties: { spec: nhiSuspensionSpecSchema },
} as const satisfies Schema

export type NHISuspensionSpec = Static<typeof nhiSuspensionSpecSchema>
