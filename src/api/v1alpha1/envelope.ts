import type { Problem } from '../../core/problem.ts'
import { isObject, readBySchema, type JsonObject } from '../validate.ts'
import type { ObjectSchema } from '../schema.ts'
import { apiVersion } from './objects.ts'

/** What every parser needs of an object before it looks at the spec. */
export interface Envelope {
  readonly name: string
  /** Empty for a cluster-scoped object, or when the file does not say. */
  readonly namespace: string
  readonly annotations: Readonly<Record<string, string>>
  /** The spec with defaults filled in; meaningful only when no problem was found. */
  readonly spec: unknown
}

/**
 * Reads apiVersion, kind, metadata and spec of one of Lapse's kinds. Status is left alone: it is not the user's.
 * Problems are added to the list; unknown fields beside apiVersion, kind, metadata, spec and status are problems.
 */
export function readEnvelope(object: unknown, kind: string, specSchema: ObjectSchema, problems: Problem[]): Envelope {
  if (!isObject(object)) {
    problems.push({ path: '', message: 'must be an object', remedy: `Write apiVersion: ${apiVersion}, kind: ${kind}` })
    return { name: '', namespace: '', annotations: {}, spec: {} }
  }
  expectText(object, 'apiVersion', apiVersion, problems)
  expectText(object, 'kind', kind, problems)
  for (const field of Object.keys(object)) {
    if (!['apiVersion', 'kind', 'metadata', 'spec', 'status'].includes(field))
      problems.push({
        path: field,
        message: 'is not a known field',
        remedy: 'Known here: apiVersion, kind, metadata, spec',
      })
  }
  const metadata = isObject(object['metadata']) ? object['metadata'] : {}
  const name = metadata['name'] ?? metadata['generateName']
  if (typeof name !== 'string' || name === '')
    problems.push({ path: 'metadata.name', message: 'is required', remedy: 'Name the object' })
  const spec = object['spec'] ?? null
  if (spec === null) problems.push({ path: 'spec', message: 'is required', remedy: specSchema.description ?? '' })
  return {
    name: typeof name === 'string' ? name : '',
    namespace: typeof metadata['namespace'] === 'string' ? metadata['namespace'] : '',
    annotations: readTexts(metadata['annotations']),
    spec: spec === null ? {} : readBySchema(specSchema, spec, 'spec', problems),
  }
}

function expectText(object: JsonObject, field: string, expected: string, problems: Problem[]): void {
  if (object[field] !== expected)
    problems.push({ path: field, message: `must be ${expected}, not ${JSON.stringify(object[field])}`, remedy: '' })
}

function readTexts(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return {}
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
