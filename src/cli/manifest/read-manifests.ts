import { constructFromEvents, parseEvents } from 'js-yaml'
import { isObject, type JsonObject } from '../../api/validate.ts'
import type { Labels } from '../../core/selector.ts'
import { mapOf, objectOf, text } from '../../core/workload/shape.ts'
import { kubernetesDialect } from './dialect.ts'
import { badField, type BadInput, type Manifest, type Part, type TextPlace } from './manifest.ts'
import { Positions, startOfFirst } from './positions.ts'
import { badSyntax, remedyForTalk } from './syntax-problem.ts'

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
    yield partOf(lines, first, index)
    first = index + 1
  }
  yield partOf(lines, first, lines.length)
}

const helmComment = /^(?:[ \t]*(?:#.*)?\n)*?# Source: (\S[^\n]*)/

function partOf(lines: readonly string[], first: number, end: number): Part {
  const source = lines.slice(first, end).join('\n')
  return { text: source, linesBefore: first, origin: helmComment.exec(source)?.[1] ?? null }
}

interface FoundDocument {
  readonly value: unknown
  readonly origin: string | null
  readonly placeOf: (path: string) => TextPlace
}

const schema = kubernetesDialect()

function documentsOf({ text: source, linesBefore, origin }: Part): readonly FoundDocument[] {
  const events = parseEvents(source, {})
  const values = constructFromEvents(events, { source, schema })
  const start = startOfFirst(source, events)
  // The events of a text are many times its size, and only a list is sure to be asked about: of its items.
  const kept = values.some(isList) ? events : null
  const positions = new Positions(source, () => kept ?? parseEvents(source, {}))
  const placeIn = (document: number, path: string): TextPlace => {
    const { line, column } = document === 0 && path === '' ? start : positions.placeOf(document, path)
    return { line: linesBefore + line, column }
  }
  return values
    .map((value, index) => ({ value, origin, placeOf: (path: string) => placeIn(index, path) }))
    .filter(({ value }) => value !== null && value !== undefined)
}

interface Located extends FoundDocument {
  readonly file: string
  readonly document: number
}

function addObjects(found: Located, reading: { readonly manifests: Manifest[]; readonly bad: BadInput[] }): void {
  const { value, placeOf } = found
  if (!isList(value)) return addObject(found, reading)
  const defaults = itemType(value)
  for (const [index, item] of value.items.entries()) {
    const at = `items[${index}]`
    const placeInItem = (path: string): TextPlace => placeOf(path === '' ? at : `${at}.${path}`)
    addObjects({ ...found, value: isObject(item) ? { ...defaults, ...item } : item, placeOf: placeInItem }, reading)
  }
}

function isList(value: unknown): value is JsonObject & { readonly items: readonly unknown[] } {
  return isObject(value) && Array.isArray(value['items'])
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
  const { value, file, document, origin, placeOf } = found
  const { line } = placeOf('')
  const manifest = { source: { file, document, line, ...(origin !== null && { origin }) }, placeOf }
  if (anObject.fits(value)) {
    const { apiVersion, kind } = value
    reading.manifests.push({ ...manifest, object: value as unknown as JsonObject, apiVersion, kind })
    return
  }
  const remedy =
    remedyForTalk(isObject(value) ? Object.keys(value).join(':\n') : '') ??
    'every document must be a Kubernetes object, as kubectl apply takes it'
  for (const problem of anObject.explain(value, '')) reading.bad.push(badField(manifest, { ...problem, remedy }))
}
