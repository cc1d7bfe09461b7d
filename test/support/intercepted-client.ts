import type { AccessQuestion, CallLimit, ClusterClient, KubeObject, ObjectKey } from '../../src/cluster/ports.ts'
import type { ResourceType } from '../../src/cluster/resources.ts'

/** One call of a client, as far as a test wants to meddle with it. */
export interface Call {
  readonly verb: 'get' | 'list' | 'create' | 'replace' | 'replaceStatus' | 'delete' | 'isAllowed'
  /** The plural, with the subresource if there is one, such as `serviceaccounts/token`; `subjectaccessreviews` for isAllowed. */
  readonly resource: string
  /** Empty for cluster-scoped objects, and for a list of all namespaces. */
  readonly namespace: string
  /** Empty for a list and for isAllowed. */
  readonly name: string
  /** Of a list; empty for a list of all, and for every other verb. */
  readonly labelSelector: string
  /** The object or the status that is written; null for every other verb. */
  readonly body: Readonly<Record<string, unknown>> | null
}

/** Stands between a client and its user: `proceed` makes the call, an exception is what the user sees. */
export type Interceptor = (call: Call, proceed: () => Promise<unknown>) => Promise<unknown>

/** Whether the call changes the cluster. A SubjectAccessReview does not. */
export function isWriteCall({ verb }: Call): boolean {
  return verb === 'create' || verb === 'replace' || verb === 'replaceStatus' || verb === 'delete'
}

/** A client whose every call goes through an interceptor. */
export class InterceptedClient implements ClusterClient {
  readonly #client: ClusterClient
  readonly #intercept: Interceptor

  constructor(client: ClusterClient, intercept: Interceptor) {
    this.#client = client
    this.#intercept = intercept
  }

  get(type: ResourceType, key: ObjectKey, limit?: CallLimit): Promise<KubeObject | null> {
    return this.#pass({ verb: 'get', resource: type.plural, ...key }, () => this.#client.get(type, key, limit))
  }

  list(
    type: ResourceType,
    options: { readonly namespace?: string; readonly labelSelector?: string } = {},
  ): Promise<readonly KubeObject[]> {
    const { namespace = '', labelSelector = '' } = options
    return this.#pass({ verb: 'list', resource: type.plural, namespace, labelSelector }, () =>
      this.#client.list(type, options),
    )
  }

  create(type: ResourceType, object: object, limit?: CallLimit): Promise<KubeObject> {
    const { namespace = '', name } = (object as KubeObject).metadata
    const body = { ...object }
    return this.#pass({ verb: 'create', resource: type.plural, namespace, name, body }, () =>
      this.#client.create(type, object, limit),
    )
  }

  createSubresource(
    type: ResourceType,
    key: ObjectKey,
    subresource: string,
    object: object,
    limit?: CallLimit,
  ): Promise<KubeObject> {
    const resource = `${type.plural}/${subresource}`
    return this.#pass({ verb: 'create', resource, ...key, body: { ...object } }, () =>
      this.#client.createSubresource(type, key, subresource, object, limit),
    )
  }

  replace(type: ResourceType, object: KubeObject, limit?: CallLimit): Promise<KubeObject> {
    const { namespace = '', name } = object.metadata
    return this.#pass({ verb: 'replace', resource: type.plural, namespace, name, body: { ...object } }, () =>
      this.#client.replace(type, object, limit),
    )
  }

  replaceStatus(type: ResourceType, object: KubeObject, status: object, limit?: CallLimit): Promise<KubeObject> {
    const { namespace = '', name } = object.metadata
    const body = { ...status }
    return this.#pass({ verb: 'replaceStatus', resource: type.plural, namespace, name, body }, () =>
      this.#client.replaceStatus(type, object, status, limit),
    )
  }

  delete(
    type: ResourceType,
    key: ObjectKey,
    options: CallLimit & { readonly uid?: string } = {},
  ): Promise<'deleted' | 'held' | 'absent'> {
    return this.#pass({ verb: 'delete', resource: type.plural, ...key }, () => this.#client.delete(type, key, options))
  }

  isAllowed(question: AccessQuestion): Promise<boolean> {
    const { namespace } = question
    return this.#pass({ verb: 'isAllowed', resource: 'subjectaccessreviews', namespace }, () =>
      this.#client.isAllowed(question),
    )
  }

  #pass<T>(call: Pick<Call, 'verb' | 'resource' | 'namespace'> & Partial<Call>, proceed: () => Promise<T>): Promise<T> {
    return this.#intercept({ name: '', labelSelector: '', body: null, ...call }, proceed) as Promise<T>
  }
}
