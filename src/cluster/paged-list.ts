import type { Millis } from '../core/time.ts'
import { Gone, ServerError } from './errors.ts'
import type { KubeObject } from './ports.ts'
import { pathOf, type ResourceType } from './resources.ts'
import type { CallOptions, Transport } from './transport.ts'

export interface Selection {
  /** Empty: all namespaces. */
  readonly namespace?: string
  /** Kubernetes' notation, such as `app=web,!legacy`. */
  readonly labelSelector?: string
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

/** All objects as of one instant not before the call. Begins again, once, when the API server forgets the list half-way. */
export async function listAll(
  transport: Pick<Transport, 'call'>,
  type: ResourceType,
  selection: Selection,
  options: CallOptions = {},
): Promise<ObjectList> {
  const pageOptions = { timeout: pageTimeout, ...options }
  try {
    return await listPages(transport, type, selection, pageOptions)
  } catch (error) {
    if (!(error instanceof Gone)) throw error
    return listPages(transport, type, selection, pageOptions)
  }
}

/** The path of a list or watch. */
export function selectionPath(
  type: ResourceType,
  { namespace = '', labelSelector = '' }: Selection,
  query: Readonly<Record<string, string>>,
): string {
  const parameters = new URLSearchParams(labelSelector === '' ? query : { ...query, labelSelector })
  return `${pathOf(type, namespace)}?${parameters.toString()}`
}

async function listPages(
  transport: Pick<Transport, 'call'>,
  type: ResourceType,
  selection: Selection,
  options: CallOptions,
): Promise<ObjectList> {
  const items: KubeObject[] = []
  let position: Readonly<Record<string, string>> = {}
  for (;;) {
    const path = selectionPath(type, selection, { limit: String(pageSize), ...position })
    const page = pageOf(await transport.call('GET', path, undefined, options), path)
    for (const item of page.items ?? []) items.push(withKind(type, item))
    const { resourceVersion, continue: next = '' } = page.metadata
    if (next === '') return { items, resourceVersion }
    position = { continue: next }
  }
}

function pageOf(answer: unknown, path: string): Page {
  const page = answer as Partial<Page> | null
  const hasItems = Array.isArray(page?.items) || page?.items === null
  if (!hasItems || typeof page.metadata?.resourceVersion !== 'string') {
    throw new ServerError({ method: 'GET', path: path.split('?', 1)[0] ?? path }, 'the answer is no list', 502)
  }
  return page as Page
}

/** The items of a list carry no kind, unlike those of a watch. */
function withKind({ group, version, kind }: ResourceType, item: KubeObject): KubeObject {
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind, ...item }
}
