import { NotFound } from './errors.ts'
import { resources, type ResourceType } from './resources.ts'
import type { Transport } from './transport.ts'

/** What is asked for is part of a path. */
const wellFormed = /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?v[a-z0-9]+$/

interface DiscoveredResource {
  readonly name?: unknown
  readonly kind?: unknown
  readonly namespaced?: unknown
}

/** Knows where objects of a kind live. The API server is asked once for each group and version that it serves. */
export class KindFinder {
  readonly #transport: Pick<Transport, 'call'>
  readonly #asked = new Map<string, Promise<readonly ResourceType[]>>()

  constructor(transport: Pick<Transport, 'call'>) {
    this.#transport = transport
  }

  /** null: it is not served, now. Throws one of the errors of errors.ts. */
  async find(apiVersion: string, kind: string): Promise<ResourceType | null> {
    const is = (type: ResourceType): boolean => type.kind === kind && apiVersionOf(type) === apiVersion
    const known = [resources.jobs, resources.pods].find(is)
    if (known !== undefined) return known
    const served = await this.#servedUnder(apiVersion)
    const found = served.find(is)
    // a kind may be added to a version at any time
    if (found === undefined) this.#asked.delete(apiVersion)
    return found ?? null
  }

  #servedUnder(apiVersion: string): Promise<readonly ResourceType[]> {
    const asked = this.#asked.get(apiVersion) ?? this.#ask(apiVersion)
    this.#asked.set(apiVersion, asked)
    asked.catch(() => this.#asked.delete(apiVersion))
    return asked
  }

  async #ask(apiVersion: string): Promise<readonly ResourceType[]> {
    if (!wellFormed.test(apiVersion)) return []
    try {
      const path = `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}`
      return typesOf(apiVersion, await this.#transport.call('GET', path))
    } catch (error) {
      if (error instanceof NotFound) return []
      throw error
    }
  }
}

function apiVersionOf({ group, version }: ResourceType): string {
  return group === '' ? version : `${group}/${version}`
}

/** Subresources have a slash in their name, and kinds of their own or of others. */
function typesOf(apiVersion: string, answer: unknown): readonly ResourceType[] {
  const slash = apiVersion.indexOf('/')
  const [group, version] = [apiVersion.slice(0, Math.max(slash, 0)), apiVersion.slice(slash + 1)]
  const { resources: listed } = (answer ?? {}) as { readonly resources?: unknown }
  return (Array.isArray(listed) ? (listed as readonly DiscoveredResource[]) : []).flatMap(
    ({ name, kind, namespaced }) =>
      typeof name !== 'string' || name.includes('/') || typeof kind !== 'string'
        ? []
        : [{ group, version, plural: name, kind, namespaced: namespaced === true }],
  )
}
