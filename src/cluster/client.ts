import { NotFound } from './errors.ts'
import { listAll, pagesOf, type Selection } from './paged-list.ts'
import type { AccessQuestion, CallLimit, ClusterClient, KubeObject, ObjectKey, ScanClient } from './ports.ts'
import { pathOf, type ResourceType } from './resources.ts'
import type { Transport } from './transport.ts'

const accessReviews = '/apis/authorization.k8s.io/v1/subjectaccessreviews'

/** The API server, spoken to without a cache. */
export class KubeClient implements ClusterClient, ScanClient {
  readonly #transport: Pick<Transport, 'call'>

  constructor(transport: Pick<Transport, 'call'>) {
    this.#transport = transport
  }

  async get(type: ResourceType, { namespace, name }: ObjectKey, limit?: CallLimit): Promise<KubeObject | null> {
    try {
      return (await this.#transport.call('GET', pathOf(type, namespace, name), undefined, limit)) as KubeObject
    } catch (error) {
      if (isAbsent(error)) return null
      throw error
    }
  }

  async list(type: ResourceType, options: Selection = {}): Promise<readonly KubeObject[]> {
    return (await listAll(this.#transport, type, options)).items
  }

  async *pages(type: ResourceType): AsyncGenerator<readonly KubeObject[]> {
    for await (const { items } of pagesOf(this.#transport, type, {})) yield items
  }

  async create(type: ResourceType, object: object, limit?: CallLimit): Promise<KubeObject> {
    const namespace = (object as Partial<KubeObject>).metadata?.namespace ?? ''
    return (await this.#transport.call('POST', pathOf(type, namespace), object, limit)) as KubeObject
  }

  async replace(type: ResourceType, object: KubeObject, limit?: CallLimit): Promise<KubeObject> {
    const { namespace = '', name } = object.metadata
    return (await this.#transport.call('PUT', pathOf(type, namespace, name), object, limit)) as KubeObject
  }

  async createSubresource(
    type: ResourceType,
    { namespace, name }: ObjectKey,
    subresource: string,
    object: object,
    limit?: CallLimit,
  ): Promise<KubeObject> {
    const path = `${pathOf(type, namespace, name)}/${subresource}`
    return (await this.#transport.call('POST', path, object, limit)) as KubeObject
  }

  async replaceStatus(type: ResourceType, object: KubeObject, status: object, limit?: CallLimit): Promise<KubeObject> {
    const { namespace = '', name } = object.metadata
    const path = `${pathOf(type, namespace, name)}/status`
    return (await this.#transport.call('PUT', path, { ...object, status }, limit)) as KubeObject
  }

  async delete(
    type: ResourceType,
    { namespace, name }: ObjectKey,
    { uid, ...limit }: CallLimit & { readonly uid?: string } = {},
  ): Promise<'deleted' | 'held' | 'absent'> {
    const preconditions = uid === undefined ? {} : { preconditions: { uid } }
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', ...preconditions }
    try {
      const answer = await this.#transport.call('DELETE', pathOf(type, namespace, name), body, limit)
      return isHeld(answer as Partial<KubeObject>) ? 'held' : 'deleted'
    } catch (error) {
      if (isAbsent(error)) return 'absent'
      throw error
    }
  }

  async isAllowed({
    username,
    groups,
    namespace,
    verb,
    apiGroup,
    resource,
    subresource,
    name,
  }: AccessQuestion): Promise<boolean> {
    const resourceAttributes = { namespace, verb, group: apiGroup, resource, subresource, name }
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: username, groups, resourceAttributes },
    }
    const answer = (await this.#transport.call('POST', accessReviews, review, { effect: 'read' })) as AccessReview
    return answer.status?.allowed === true
  }
}

interface AccessReview {
  readonly status?: { readonly allowed?: unknown }
}

/** A kind that is not served at all is a failure, not an absent object. */
function isAbsent(error: unknown): boolean {
  return error instanceof NotFound && error.missing === 'object'
}

/** The API server answers with the object where that stays, and else with a Status, or with the object as it was. */
function isHeld({ metadata }: Partial<KubeObject>): boolean {
  const { deletionTimestamp, finalizers = [] } = (metadata ?? {}) as {
    readonly deletionTimestamp?: string
    readonly finalizers?: readonly string[]
  }
  return deletionTimestamp !== undefined && finalizers.length > 0
}
