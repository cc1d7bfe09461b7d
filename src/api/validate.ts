import type { Problem } from '../core/problem.ts'
import { parseInstant } from '../core/time.ts'
import type { ArraySchema, IntegerSchema, MapSchema, ObjectSchema, Schema, StringSchema } from './schema.ts'

/**
 * Reads a value by its schema as kube-apiserver does, with two differences that are meant: an unknown field is a
 * problem instead of being dropped, and every problem is reported, not the first. Null stands for absent; defaults
 * are filled in. The input is not changed. When `problems` grew, the result must not be used.
 */
export function readBySchema(schema: Schema, value: unknown, path: string, problems: Problem[]): unknown {
  switch (schema.type) {
    case 'string':
      return typeof value === 'string'
        ? readString(schema, value, path, problems)
        : wrongType('a string', value, path, problems)
    case 'integer':
      return isInteger(value)
        ? readInteger(schema, value, path, problems)
        : wrongType('a whole number', value, path, problems)
    case 'boolean':
      return typeof value === 'boolean' ? value : wrongType('true or false', value, path, problems)
    case 'array':
      return Array.isArray(value)
        ? readArray(schema, value, path, problems)
        : wrongType('a list', value, path, problems)
    case 'object':
      if (!isObject(value)) return wrongType('an object', value, path, problems)
      return 'properties' in schema ? readObject(schema, value, path, problems) : readMap(schema, value, path, problems)
  }
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value)
}

function readInteger(schema: IntegerSchema, value: number, path: string, problems: Problem[]): number {
  if (schema.minimum !== undefined && value < schema.minimum)
    problems.push(problem(path, `must be at least ${schema.minimum}, not ${value}`))
  if (schema.maximum !== undefined && value > schema.maximum)
    problems.push(problem(path, `must be at most ${schema.maximum}, not ${value}`))
  return value
}

function readString(schema: StringSchema, value: string, path: string, problems: Problem[]): string {
  const length = Array.from(value).length
  if (schema.enum !== undefined && !schema.enum.includes(value))
    problems.push(problem(path, `must be one of ${schema.enum.join(', ')}, not ${quote(value)}`))
  if (schema.minLength !== undefined && length < schema.minLength)
    problems.push(
      problem(path, schema.minLength === 1 ? 'must not be empty' : `must have at least ${schema.minLength} characters`),
    )
  if (schema.maxLength !== undefined && length > schema.maxLength)
    problems.push(problem(path, `must have at most ${schema.maxLength} characters`))
  else if (schema.pattern !== undefined && !patternOf(schema.pattern).test(value))
    problems.push(problem(path, `${quote(value)} does not have the expected form`, schema.description ?? ''))
  if (schema.format === 'date-time' && parseInstant(value) === null)
    problems.push(problem(path, `${quote(value)} is no RFC 3339 timestamp`, 'Write it as 2027-03-01T00:00:00Z'))
  return value
}

function readArray(schema: ArraySchema, value: readonly unknown[], path: string, problems: Problem[]): unknown[] {
  if (schema.minItems !== undefined && value.length < schema.minItems)
    problems.push(
      problem(path, schema.minItems === 1 ? 'must not be empty' : `must have at least ${schema.minItems} items`),
    )
  if (schema.maxItems !== undefined && value.length > schema.maxItems)
    problems.push(problem(path, `must have at most ${schema.maxItems} items, not ${value.length}`))
  const items = value.map((item, index) => readBySchema(schema.items, item, `${path}[${index}]`, problems))
  reportDuplicates(schema, items, path, problems)
  return items
}

function reportDuplicates(schema: ArraySchema, items: readonly unknown[], path: string, problems: Problem[]): void {
  const listType = schema['x-kubernetes-list-type']
  if (listType !== 'set' && listType !== 'map') return
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const seen = new Map<string, number>()
  for (const [index, item] of items.entries()) {
    const identity = JSON.stringify(listType === 'set' ? item : keys.map((key) => (isObject(item) ? item[key] : item)))
    const first = seen.get(identity)
    if (first === undefined) seen.set(identity, index)
    else
      problems.push(problem(`${path}[${index}]`, `is the same as item ${first}: ${identity}`, 'Remove one of the two'))
  }
}

function readObject(schema: ObjectSchema, value: JsonObject, path: string, problems: Problem[]): JsonObject {
  for (const field of Object.keys(value)) {
    if (!Object.hasOwn(schema.properties, field)) problems.push(unknownField(schema, field, path))
  }
  const result: Record<string, unknown> = {}
  for (const [field, property] of Object.entries(schema.properties)) {
    const given = Object.hasOwn(value, field) ? value[field] : undefined
    if (given !== undefined && given !== null) {
      result[field] = readBySchema(property, given, at(path, field), problems)
    } else if ('default' in property && property.default !== undefined) {
      result[field] = readBySchema(property, property.default, at(path, field), problems)
    } else if (schema.required?.includes(field)) {
      problems.push(problem(at(path, field), 'is required', property.description ?? ''))
    }
  }
  return result
}

function readMap(schema: MapSchema, value: JsonObject, path: string, problems: Problem[]): JsonObject {
  if (schema.maxProperties !== undefined && Object.keys(value).length > schema.maxProperties)
    problems.push(problem(path, `must have at most ${schema.maxProperties} entries`))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      readBySchema(schema.additionalProperties, item, `${path}[${JSON.stringify(key)}]`, problems),
    ]),
  )
}

function unknownField(schema: ObjectSchema, field: string, path: string): Problem {
  return problem(at(path, field), 'is not a known field', `Known here: ${Object.keys(schema.properties).join(', ')}`)
}

function wrongType(expected: string, value: unknown, path: string, problems: Problem[]): unknown {
  problems.push(problem(path, `must be ${expected}, not ${kindOf(value)}`))
  return value
}

function problem(path: string, message: string, remedy = ''): Problem {
  return { path, message, remedy }
}

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object'
    ? 'an object'
    : `${typeof value} ${quote(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))}`
}

function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 61)}...` : text)
}

function at(path: string, field: string): string {
  return path === '' ? field : `${path}.${field}`
}

const patterns = new Map<string, RegExp>()

function patternOf(source: string): RegExp {
  let pattern = patterns.get(source)
  if (pattern === undefined) patterns.set(source, (pattern = new RegExp(source)))
  return pattern
}
