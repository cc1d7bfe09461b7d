import type { Problem } from '../problem.ts'
import { anyObject, objectOf } from './shape.ts'
import {
  groupOf,
  metadata as metadataShape,
  readWorkload,
  template as templateShape,
  typed,
  workloadOf,
  type Metadata,
  type Workload,
} from './workload.ts'

/** A kind that embeds pod templates and is known by configuration only, such as `argoproj.io/Rollout`. */
export interface TemplateKind {
  /** Never empty: the kinds of the core group are known. */
  readonly group: string
  readonly kind: string
  /** Where its objects hold their template: `spec.template`, or `spec.tasks[*].template` for each entry of a list or map. */
  readonly path: string
}

export type WorkloadsReading =
  /** Empty: the object makes no pods, or says nothing at the path. */
  | { readonly ok: true; readonly workloads: readonly Workload[] }
  | { readonly ok: false; readonly problems: readonly Problem[] }

interface Found {
  readonly path: string
  readonly value: unknown
}

interface Owner {
  readonly metadata?: Metadata | null
}

const owner = objectOf<Owner>({ metadata: metadataShape })
const pathForm = /^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*(\[\*\](\.[A-Za-z_][\w-]*)+)?$/

/** Reads `GROUP/KIND=PATH`; null when the text has another form. A path has one `[*]` at most. */
export function parseTemplateKind(text: string): TemplateKind | null {
  const [, group, kind, path] = /^([a-z0-9.-]+\.[a-z0-9.-]+)\/([A-Za-z][A-Za-z0-9]*)=(.+)$/.exec(text) ?? []
  if (group === undefined || kind === undefined || path === undefined || !pathForm.test(path)) return null
  return { group, kind, path }
}

/** The kind among these that objects of this group and kind, in whatever version, are of; undefined: none. */
export function templateKindOf(group: string, kind: string, kinds: readonly TemplateKind[]): TemplateKind | undefined {
  return kinds.find((known) => known.group === group && known.kind === kind)
}

/** Finds every pod template in an untrusted object, of the kinds that Kubernetes has and of these. */
export function readWorkloads(object: unknown, kinds: readonly TemplateKind[]): WorkloadsReading {
  const known = typed.fits(object) ? templateKindOf(groupOf(object.apiVersion), object.kind, kinds) : undefined
  if (known !== undefined) return readEmbedded(object, known)
  const reading = readWorkload(object)
  if (!reading.ok) return reading
  return { ok: true, workloads: reading.workload === null ? [] : [reading.workload] }
}

function readEmbedded(object: unknown, { path }: TemplateKind): WorkloadsReading {
  const problems: Problem[] = [...owner.explain(object, '')]
  const found = walk({ path: '', value: object }, stepsOf(path), problems)
  problems.push(...found.flatMap((place) => templateShape.explain(place.value, place.path)))
  if (problems.length > 0 || !typed.fits(object) || !owner.fits(object)) return { ok: false, problems }
  const metadata = object.metadata ?? {}
  const workloads = found.flatMap((place) =>
    templateShape.fits(place.value)
      ? [workloadOf(object, `${place.path}.spec`, { metadata, template: place.value })]
      : [],
  )
  return { ok: true, workloads }
}

/** `spec.tasks[*].template` → `spec`, `tasks`, `[*]`, `template`. */
function stepsOf(path: string): readonly string[] {
  return path.replace('[*]', '.[*]').split('.')
}

/** What is absent on the way holds no template; what is no object there cannot be read. */
function walk(from: Found, [step, ...rest]: readonly string[], problems: Problem[]): readonly Found[] {
  if (from.value === undefined || from.value === null) return []
  if (step === undefined) return [from]
  const entries = step === '[*]' ? entriesOf(from) : fieldOf(from, step)
  if (entries === null) {
    problems.push(...anyObject.explain(from.value, from.path))
    return []
  }
  return entries.flatMap((entry) => walk(entry, rest, problems))
}

/** null: there are no entries in it. */
function entriesOf({ path, value }: Found): readonly Found[] | null {
  if (Array.isArray(value)) return value.map((entry: unknown, index) => ({ path: `${path}[${index}]`, value: entry }))
  if (!anyObject.fits(value)) return null
  return Object.entries(value).map(([key, entry]) => ({ path: `${path}.${key}`, value: entry }))
}

/** null: it has no fields. An inherited one is none of its own. */
function fieldOf({ path, value }: Found, field: string): readonly Found[] | null {
  if (!anyObject.fits(value)) return null
  const found = Object.hasOwn(value, field) ? value[field] : undefined
  return [{ path: path === '' ? field : `${path}.${field}`, value: found }]
}
