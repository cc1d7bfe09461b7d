import { constructFromEvents, parseEvents } from 'js-yaml'
import { isObject, type JsonObject } from '../../api/validate.ts'
import type { Labels } from '../../core/selector.ts'
import { mapOf, objectOf, text } from '../../core/workload/shape.ts'
import { kubernetesDialect } from './dialect.ts'
import { badField, type BadInput, type Manifest, type Part } from './manifest.ts'
import { Positions } from './positions.ts'
import { badSyntax } from './syntax-problem.ts'

export interface Reading {
  readonly manifests: readonly Manifest[]
  readonly bad: readonly BadInput[]
}

/** The Kubernetes objects in a text: YAML or JSON, any number of documents, lists taken apart. Never throws. */
export function readManifests(file: string, content: string): Reading {
  const reading = { manifests: [] as Manifest[], bad: [] as BadInput[] }
  let document = 0
  for (const part of partsOf(content.replace(/^\uFEFF/, ''))) {
    try {
      for (const found of documentsOf(part)) {
        document++
        addObjects({ file, document, ...found }, reading)
      }
    } catch (error) {
      document++
      reading.bad.push(badSyntax(file, part, error))
    }
  }
  return reading
}

const separator = /^---[ \t]*(?:#.*)?$/

function* partsOf(content: string): Generator<Part> {
  const lines = content.split(/\r\n|\r|\n/)
  let first = 0
  for (const [index, line] of lines.entries()) {
    if (!separator.test(line)) continue
    yield { text: lines.slice(first, index).join('\n'), linesBefore: first }
    first = index + 1
  }
  yield { text: lines.slice(first).join('\n'), linesBefore: first }
}

interface FoundDocument {
  readonly value: unknown
  readonly lineOf: (path: string) => number
}

const schema = kubernetesDialect()

function documentsOf({ text: source, linesBefore }: Part): readonly FoundDocument[] {
  const events = parseEvents(source, {})
  const values = constructFromEvents(events, { source, schema })
  const positions = new Positions(source, events)
  return values
    .map((value, index) => ({ value, lineOf: (path: string) => linesBefore + positions.lineOf(index, path) + 1 }))
    .filter(({ value }) => value !== null && value !== undefined)
}

interface Located extends FoundDocument {
  readonly file: string
  readonly document: number
}

function addObjects(found: Located, reading: { readonly manifests: Manifest[]; readonly bad: BadInput[] }): void {
  const { value, lineOf } = found
  const items = isObject(value) ? value['items'] : undefined
  if (!isObject(value) || !Array.isArray(items)) return addObject(found, reading)
  const defaults = itemType(value)
  for (const [index, item] of items.entries()) {
    const at = `items[${index}]`
    const lineOfItem = (path: string): number => lineOf(path === '' ? at : `${at}.${path}`)
    addObjects({ ...found, value: isObject(item) ? { ...defaults, ...item } : item, lineOf: lineOfItem }, reading)
  }
}

/** What a typed list such as DeploymentList says of its items, which do not say it themselves. */
function itemType({ apiVersion, kind }: JsonObject): JsonObject {
  return typeof kind === 'string' && kind.endsWith('List') && kind !== 'List'
    ? { apiVersion, kind: kind.slice(0, -4) }
    : {}
}

interface ObjectShape {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata?: {
    readonly name?: string | null
    readonly generateName?: string | null
    readonly namespace?: string | null
    readonly labels?: Labels | null
    readonly annotations?: Labels | null
  } | null
}

const anObject = objectOf<ObjectShape>(
  {
    apiVersion: text,
    kind: text,
    metadata: objectOf<NonNullable<ObjectShape['metadata']>>({
      name: text,
      generateName: text,
      namespace: text,
      labels: mapOf(text),
      annotations: mapOf(text),
    }),
  },
  ['apiVersion', 'kind'],
)

function addObject(found: Located, reading: { readonly manifests: Manifest[]; readonly bad: BadInput[] }): void {
  const { value, file, document, lineOf } = found
  const manifest = { source: { file, document, line: lineOf('') }, lineOf }
  if (anObject.fits(value)) {
    const { apiVersion, kind } = value
    reading.manifests.push({ ...manifest, object: value as unknown as JsonObject, apiVersion, kind })
    return
  }
  const remedy = 'every document must be a Kubernetes object, as kubectl apply takes it'
  for (const problem of anObject.explain(value, '')) reading.bad.push(badField(manifest, { ...problem, remedy }))
}
