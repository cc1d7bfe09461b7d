import type { Millis } from '../core/time.ts'
import { Gone, Malformed } from './errors.ts'
import type { KubeObject } from './ports.ts'
import { pathOf, type ResourceType } from './resources.ts'
import type { CallOptions, Transport } from './transport.ts'

export interface Selection {
  /** Empty: all namespaces. */
  readonly namespace?: string
  /** Kubernetes' notation, such as `app=web,!legacy`. */
  readonly labelSelector?: string
  /** The same for fields, such as `spec.nodeName=a`; not beside `name`. */
  readonly fieldSelector?: string
  /** Only the object of this name. */
  readonly name?: string
  /** `metadata`: without spec and status and all that is not metadata. Default `whole`. */
  readonly form?: 'whole' | 'metadata'
}

export interface ObjectList {
  readonly items: readonly KubeObject[]
  /** From which a watch goes on without a gap. */
  readonly resourceVersion: string
}

interface Page {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items: KubeObject[] | null
}

const pageSize = 500
const pageTimeout: Millis = 30_000

export interface ListOptions extends CallOptions {
  /** What is kept of an object while the rest of the list comes; without it the object itself. */
  readonly kept?: (object: KubeObject) => KubeObject
}

/** All objects as of one instant not before the call. Begins again, once, when the API server forgets the list half-way. */
export async function listAll(
  transport: Pick<Transport, 'call'>,
  type: ResourceType,
  selection: Selection,
  { kept = (object) => object, ...options }: ListOptions = {},
): Promise<ObjectList> {
  const pages = (): Promise<ObjectList> => listPages(pagesOf(transport, type, selection, options), kept)
  try {
    return await pages()
  } catch (error) {
    if (!(error instanceof Gone)) throw error
    return pages()
  }
}

/** The path of a list or watch. */
export function selectionPath(
  type: ResourceType,
  { namespace = '', labelSelector = '', fieldSelector = '', name = '' }: Selection,
  query: Readonly<Record<string, string>>,
): string {
  const parameters = new URLSearchParams(query)
  if (labelSelector !== '') parameters.set('labelSelector', labelSelector)
  if (fieldSelector !== '') parameters.set('fieldSelector', fieldSelector)
  if (name !== '') parameters.set('fieldSelector', `metadata.name=${name}`)
  return `${pathOf(type, namespace)}?${parameters.toString()}`
}

/** What to ask for so that a list, or an event of a watch, has the form of the selection. */
export function acceptOf({ form = 'whole' }: Selection, answer: 'list' | 'watch'): string {
  if (form === 'whole') return 'application/json'
  const kind = answer === 'list' ? 'PartialObjectMetadataList' : 'PartialObjectMetadata'
  return `application/json;as=${kind};v=v1;g=meta.k8s.io`
}

/** The items of a list carry no kind, and what is reduced to its metadata one of its own. */
export function withKind({ group, version, kind }: ResourceType, object: KubeObject): KubeObject {
  return { ...object, apiVersion: group === '' ? version : `${group}/${version}`, kind }
}

async function listPages(
  pages: AsyncIterable<ObjectList>,
  kept: (object: KubeObject) => KubeObject,
): Promise<ObjectList> {
  const items: KubeObject[] = []
  let resourceVersion = ''
  for await (const page of pages) {
    for (const item of page.items) items.push(kept(item))
    resourceVersion = page.resourceVersion
  }
  return { items, resourceVersion }
}

/** The same, a page at a time. Throws Gone when the API server forgets the list half-way. */
export async function* pagesOf(
  transport: Pick<Transport, 'call'>,
  type: ResourceType,
  selection: Selection,
  options: CallOptions = {},
): AsyncGenerator<ObjectList> {
  const pageOptions = { timeout: pageTimeout, accept: acceptOf(selection, 'list'), ...options }
  let position: Readonly<Record<string, string>> = {}
  for (;;) {
    const path = selectionPath(type, selection, { limit: String(pageSize), ...position })
    const page = pageOf(await transport.call('GET', path, undefined, pageOptions), path)
    const { resourceVersion, continue: next = '' } = page.metadata
    yield { items: (page.items ?? []).map((item) => withKind(type, item)), resourceVersion }
    if (next === '') return
    position = { continue: next }
  }
}

function pageOf(answer: unknown, path: string): Page {
  const page = answer as Partial<Page> | null
  const hasItems = Array.isArray(page?.items) || page?.items === null
  if (!hasItems || typeof page.metadata?.resourceVersion !== 'string') {
    throw new Malformed({ method: 'GET', path: path.split('?', 1)[0] ?? path }, 'the answer is no list')
  }
  return page as Page
}
