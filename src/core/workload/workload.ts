import type { Problem } from '../problem.ts'
import type { Labels } from '../selector.ts'
import { podSpecShape } from './pod-spec-shape.ts'
import { metadataPathOf, type PodSpec } from './pod-spec.ts'
import { mapOf, objectOf, text, type Shape } from './shape.ts'

/** An object that is or makes pods, with the pod (template) that decides what those may do. */
export interface Workload {
  readonly kind: string
  readonly apiVersion: string
  /** null: the object does not say. */
  readonly namespace: string | null
  /** `generateName` with `…` behind it while the API server has yet to choose; empty when the object has neither. */
  readonly name: string
  /** Field path of the pod spec. */
  readonly podPath: string
  /** Field path of the metadata that the pods get. */
  readonly templateMetadataPath: string
  /** Of the pods, not of the object around their template. */
  readonly annotations: Labels
  readonly labels: Labels
  readonly pod: PodSpec
  /** As the API server reads it: the deprecated alias counts while the name is empty, then `default`. */
  readonly serviceAccountName: string
}

export type WorkloadReading =
  | { readonly ok: true; readonly workload: Workload }
  /** No object that makes pods: another kind, or one whose template is optional and absent. */
  | { readonly ok: true; readonly workload: null }
  | { readonly ok: false; readonly problems: readonly Problem[] }

export interface Metadata {
  readonly name?: string | null
  readonly generateName?: string | null
  readonly namespace?: string | null
  readonly annotations?: Labels | null
  readonly labels?: Labels | null
}

/** What a Pod and a pod template have in common. */
export interface Template {
  readonly metadata?: Metadata | null
  readonly spec: PodSpec
}

interface TemplateOwner {
  readonly metadata?: Metadata | null
  readonly spec: { readonly template: Template }
}

interface CronJob {
  readonly metadata?: Metadata | null
  readonly spec: { readonly jobTemplate: TemplateOwner }
}

interface OptionalTemplateOwner {
  readonly metadata?: Metadata | null
  readonly spec?: { readonly template?: Template | null } | null
}

interface PodTemplate {
  readonly metadata?: Metadata | null
  readonly template?: Template | null
}

/** What of an object makes a workload of it. */
export interface Parts {
  readonly metadata: Metadata
  readonly template: Template
}

/** Where the objects of a kind hold their pods. */
interface Form {
  readonly kind: string
  readonly group: string
  readonly podPath: string
  /** `parts` is null when the template is absent and may be. */
  readonly read: (object: unknown) => { readonly parts: Parts | null } | { readonly problems: readonly Problem[] }
}

export const typed = objectOf<{ readonly apiVersion: string; readonly kind: string }>(
  { apiVersion: text, kind: text },
  ['apiVersion', 'kind'],
)
export const metadata = objectOf<Metadata>({
  name: text,
  generateName: text,
  namespace: text,
  annotations: mapOf(text),
  labels: mapOf(text),
})
export const template = objectOf<Template>({ metadata, spec: podSpecShape }, ['spec'])
const templateOwner = objectOf<TemplateOwner>(
  { metadata, spec: objectOf<TemplateOwner['spec']>({ template }, ['template']) },
  ['spec'],
)
const cronJob = objectOf<CronJob>(
  { metadata, spec: objectOf<CronJob['spec']>({ jobTemplate: templateOwner }, ['jobTemplate']) },
  ['spec'],
)
const optionalTemplateOwner = objectOf<OptionalTemplateOwner>({
  metadata,
  spec: objectOf<NonNullable<OptionalTemplateOwner['spec']>>({ template }),
})
const podTemplate = objectOf<PodTemplate>({ metadata, template })

const readPod = readAs(template, (pod) => pod)
const readOwner = readAs(templateOwner, ({ spec }) => spec.template)
const readCronJob = readAs(cronJob, ({ spec }) => spec.jobTemplate.spec.template)
const readOptionalOwner = readAs(optionalTemplateOwner, ({ spec }) => spec?.template ?? null)
const readPodTemplate = readAs(podTemplate, (object) => object.template ?? null)

const forms: readonly Form[] = [
  { kind: 'Pod', group: '', podPath: 'spec', read: readPod },
  { kind: 'Deployment', group: 'apps', podPath: 'spec.template.spec', read: readOwner },
  { kind: 'StatefulSet', group: 'apps', podPath: 'spec.template.spec', read: readOwner },
  { kind: 'DaemonSet', group: 'apps', podPath: 'spec.template.spec', read: readOwner },
  { kind: 'ReplicaSet', group: 'apps', podPath: 'spec.template.spec', read: readOptionalOwner },
  { kind: 'Job', group: 'batch', podPath: 'spec.template.spec', read: readOwner },
  { kind: 'CronJob', group: 'batch', podPath: 'spec.jobTemplate.spec.template.spec', read: readCronJob },
  { kind: 'ReplicationController', group: '', podPath: 'spec.template.spec', read: readOptionalOwner },
  { kind: 'PodTemplate', group: '', podPath: 'template.spec', read: readPodTemplate },
]

/** Whether objects of a kind, in whatever version, are or make pods. */
export function makesPods(group: string, kind: string): boolean {
  return forms.some((form) => form.kind === kind && form.group === group)
}

/** Finds the pods in an untrusted Kubernetes object. Every version of a kind is read alike: they differ elsewhere. */
export function readWorkload(object: unknown): WorkloadReading {
  if (!typed.fits(object)) return { ok: false, problems: typed.explain(object, '') }
  const { apiVersion, kind } = object
  const group = groupOf(apiVersion)
  const form = forms.find((each) => each.kind === kind && each.group === group)
  if (form === undefined) return { ok: true, workload: null }
  const reading = form.read(object)
  if ('problems' in reading) return { ok: false, problems: reading.problems }
  return {
    ok: true,
    workload: reading.parts === null ? null : workloadOf({ kind, apiVersion }, form.podPath, reading.parts),
  }
}

/** Empty for the core group. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
}

export function workloadOf(
  { kind, apiVersion }: Pick<Workload, 'kind' | 'apiVersion'>,
  podPath: string,
  parts: Parts,
): Workload {
  const pod = parts.template.spec
  return {
    kind,
    apiVersion,
    namespace: parts.metadata.namespace || null,
    name: nameOf(parts.metadata),
    podPath,
    templateMetadataPath: metadataPathOf(podPath),
    annotations: parts.template.metadata?.annotations ?? {},
    labels: parts.template.metadata?.labels ?? {},
    pod,
    serviceAccountName: pod.serviceAccountName || pod.serviceAccount || 'default',
  }
}

function nameOf({ name, generateName }: Metadata): string {
  return name || (generateName ? `${generateName}…` : '')
}

function readAs<T extends { readonly metadata?: Metadata | null }>(
  shape: Shape<T>,
  templateOf: (object: T) => Template | null,
): Form['read'] {
  return (object) => {
    if (!shape.fits(object)) return { problems: shape.explain(object, '') }
    const found = templateOf(object)
    return { parts: found === null ? null : { metadata: object.metadata ?? {}, template: found } }
  }
}
