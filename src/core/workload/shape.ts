import type { Problem } from '../problem.ts'

/** What a part of an untrusted document must look like. `null` counts as absent, as it does for the API server. */
export interface Shape<T> {
  /** Asked on every admission: it copies nothing. */
  readonly fits: (value: unknown) => value is T
  /** Everything that is wrong with the value at that path; empty exactly when it fits. */
  readonly explain: (value: unknown, path: string) => readonly Problem[]
}

/** A shape for every field that T names. Fields that T does not name are not looked at. */
type Fields<T> = { readonly [Key in keyof T]-?: Shape<NonNullable<T[Key]>> }

export const text = scalar('a string', (value): value is string => typeof value === 'string')
export const flag = scalar('true or false', (value): value is boolean => typeof value === 'boolean')
export const integer = scalar('a whole number', (value): value is number => Number.isInteger(value))

/** An object of which nothing but its presence is read. */
export const anyObject = scalar('an object', isObject)

/** An object in which every key may stand and every value has the one shape. */
export function mapOf<T>(entry: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return {
    fits: (value): value is Readonly<Record<string, T>> => isObject(value) && Object.values(value).every(entry.fits),
    explain: (value, path) =>
      isObject(value)
        ? Object.entries(value).flatMap(([key, item]) => entry.explain(item, `${path}[${key}]`))
        : anyObject.explain(value, path),
  }
}

export function listOf<T>(entry: Shape<T>): Shape<readonly T[]> {
  return {
    fits: (value): value is readonly T[] => Array.isArray(value) && value.every(entry.fits),
    explain: (value, path) =>
      Array.isArray(value)
        ? value.flatMap((item, index) => entry.explain(item, `${path}[${index}]`))
        : [misfit(path, 'a list', value)],
  }
}

export function nonEmptyListOf<T>(entry: Shape<T>): Shape<readonly T[]> {
  const list = listOf(entry)
  return {
    fits: (value): value is readonly T[] => list.fits(value) && value.length > 0,
    explain: (value, path) =>
      Array.isArray(value) && value.length === 0
        ? [misfit(path, 'at least one entry', undefined)]
        : list.explain(value, path),
  }
}

/** An object with these fields, all of which but the required ones may be absent. */
export function objectOf<T>(fields: Fields<T>, required: readonly (keyof T)[] = []): Shape<T> {
  const known = Object.entries<Shape<unknown>>(fields).map(([key, shape]) => ({
    key,
    shape,
    required: required.some((name) => name === key),
  }))
  return {
    fits: (value): value is T => {
      if (!isObject(value)) return false
      for (const field of known) {
        const found = value[field.key]
        if (isAbsent(found) ? field.required : !field.shape.fits(found)) return false
      }
      return true
    },
    explain: (value, path) =>
      isObject(value)
        ? known
            .filter((field) => field.required || !isAbsent(value[field.key]))
            .flatMap((field) => field.shape.explain(value[field.key], join(path, field.key)))
        : anyObject.explain(value, path),
  }
}

function scalar<T>(expected: string, fits: (value: unknown) => value is T): Shape<T> {
  return { fits, explain: (value, path) => (fits(value) ? [] : [misfit(path, expected, value)]) }
}

/** Names the kind of value found, never the value: it may be a secret in the wrong place. */
function misfit(path: string, expected: string, value: unknown): Problem {
  return { path, message: `expected ${expected}, found ${kindOf(value)}`, remedy: '' }
}

function kindOf(value: unknown): string {
  if (isAbsent(value)) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'boolean') return String(value)
  return `a ${typeof value}`
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
