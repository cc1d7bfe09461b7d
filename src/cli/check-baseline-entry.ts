import { digestOf } from '../api/v1alpha1/digest.ts'
import { isObject, type JsonObject } from '../api/validate.ts'
import type { Finding, Severity } from '../core/finding.ts'
import type { Placed } from './check-world.ts'
import { stepsOf } from './manifest/manifest.ts'

/** What is put up with: one finding, or `count` that cannot be told apart. */
export interface BaselineEntry {
  /** `Deployment.apps payments/api`: without the version of its API. */
  readonly object: string
  readonly check: string
  /** As the finding's, with the names of list items for their places: `spec.containers[app].securityContext`. */
  readonly path: string
  readonly message: string
  /** Digest of the list item that the path ends in; of the object, where the path is empty; absent: it ends in a field. */
  readonly content?: string
  readonly severity: Severity
  /** Default: 1. */
  readonly count?: number
}

/** Equal for findings that count as the same, however bad they are. */
export function keyOf({ object, check, path, message, content = '' }: BaselineEntry): string {
  return JSON.stringify([object, check, path, message, content])
}

export function entryOf(placed: Placed, name: string, finding: Finding): BaselineEntry {
  const { check, message, severity } = finding
  const { path, item } = namedPath(placed.object, finding.path)
  const told = finding.path === '' ? authored(placed.object) : item
  const content = told === null ? {} : { content: digestOf(told) }
  return { object: describe(placed, name), check, path, message, ...content, severity }
}

function describe({ apiVersion, kind, namespace }: Placed, name: string): string {
  const group = apiVersion.includes('/') ? `.${apiVersion.slice(0, apiVersion.indexOf('/'))}` : ''
  return `${kind}${group} ${namespace === '' ? '' : `${namespace}/`}${name}`
}

/** What of an object its author says, beside its kind and place, and so what a finding without a path can be about. */
function authored(object: JsonObject): JsonObject {
  const { apiVersion: _, kind: __, metadata, status: ___, ...content } = object
  const { labels = {}, annotations = {} } = isObject(metadata) ? metadata : {}
  return { ...content, metadata: { labels, annotations } }
}

/** The path with names for places, and the list item that it ends in; null: it ends in a field. */
function namedPath(object: JsonObject, path: string): { readonly path: string; readonly item: unknown } {
  let value: unknown = object
  let item: unknown = null
  let named = ''
  for (const step of stepsOf(path)) {
    const isItem = Array.isArray(value) && /^\d+$/.test(step)
    value = isItem ? (value as readonly unknown[])[Number(step)] : isObject(value) ? value[step] : undefined
    item = isItem ? (value ?? null) : null
    if (isItem) named += `[${nameOfItem(value)}]`
    else if (/^[A-Za-z0-9_]+$/.test(step)) named += named === '' ? step : `.${step}`
    else named += `[${JSON.stringify(step)}]`
  }
  return { path: named, item }
}

function nameOfItem(item: unknown): string {
  return isObject(item) && typeof item['name'] === 'string' ? item['name'] : '*'
}
