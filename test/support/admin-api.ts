import { Agent, request } from 'undici'

/** A Kubernetes object as it is on the wire. */
export interface KubeObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: ObjectMeta
  // oxlint-disable-next-line typescript/no-explicit-any -- raw JSON, whose shape each test knows
  readonly [field: string]: any
}

export interface ObjectMeta {
  readonly name?: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  // oxlint-disable-next-line typescript/no-explicit-any -- raw JSON, whose shape each test knows
  readonly [field: string]: any
}

/** What the API server answered instead of an object. */
export class ApiError extends Error {
  /** The HTTP status. */
  readonly status: number
  /** The Status object's reason, such as `NotFound`; empty if the answer was none. */
  readonly reason: string
  readonly details: KubeObject

  constructor(status: number, body: KubeObject) {
    super(typeof body['message'] === 'string' ? body['message'] : JSON.stringify(body))
    this.name = 'ApiError'
    this.status = status
    this.reason = typeof body['reason'] === 'string' ? body['reason'] : ''
    this.details = body
  }
}

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const

export interface ApplyOptions {
  /** Default `test`. */
  readonly fieldManager?: string
}

export interface Credentials {
  /** https://HOST:PORT */
  readonly url: string
  /** PEM */
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

/** The API server by path, such as `/api/v1/namespaces/default/pods`; raw JSON in and out; an ApiError for every status from 400 on. */
export class AdminApi {
  readonly #url: string
  readonly #agent: Agent
  readonly #headers: readonly [string, string][]

  constructor(url: string, agent: Agent, headers: readonly [string, string][] = []) {
    this.#url = url
    this.#agent = agent
    this.#headers = headers
  }

  static connect({ url, ca, certificate, key }: Credentials): AdminApi {
    // By HTTP/2 several groups would be sent as one: `a, b`.
    return new AdminApi(url, new Agent({ allowH2: false, connect: { ca, cert: certificate, key } }))
  }

  /** The same connection as somebody else, by impersonation. */
  as(identity: { readonly user: string; readonly groups?: readonly string[] }): AdminApi {
    const groups = (identity.groups ?? []).map((group): [string, string] => ['Impersonate-Group', group])
    return new AdminApi(this.#url, this.#agent, [['Impersonate-User', identity.user], ...groups])
  }

  get(path: string): Promise<KubeObject> {
    return this.request('GET', path)
  }

  /** The items of the whole collection, unpaged. */
  async list(path: string): Promise<readonly KubeObject[]> {
    const list = await this.request('GET', path)
    return list['items'] as readonly KubeObject[]
  }

  /** POST to the collection. */
  create(path: string, object: KubeObject): Promise<KubeObject> {
    return this.request('POST', path, object)
  }

  /** PUT to the object. */
  replace(path: string, object: KubeObject): Promise<KubeObject> {
    return this.request('PUT', path, object)
  }

  /** Server-side apply to the object's own path, with force. */
  apply(path: string, object: KubeObject, options: ApplyOptions = {}): Promise<KubeObject> {
    const query = `?fieldManager=${encodeURIComponent(options.fieldManager ?? 'test')}&force=true`
    return this.request('PATCH', path + query, object, 'application/apply-patch+yaml')
  }

  patch(path: string, change: unknown, type: keyof typeof patchTypes = 'merge'): Promise<KubeObject> {
    return this.request('PATCH', path, change, patchTypes[type])
  }

  delete(path: string, options?: KubeObject): Promise<KubeObject> {
    return this.request('DELETE', path, options)
  }

  async request(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<KubeObject> {
    const headers = [['Accept', 'application/json'], ['Content-Type', contentType], ...this.#headers].flat()
    const content = body === undefined ? null : JSON.stringify(body)
    const response = await request(this.#url + path, {
      method,
      dispatcher: this.#agent,
      headers,
      body: content,
    })
    const answer = parse(await response.body.text())
    if (response.statusCode >= 400) throw new ApiError(response.statusCode, answer)
    return answer
  }

  /** Ends the connections, also those of everybody that `as` made. */
  async close(): Promise<void> {
    await this.#agent.destroy()
  }
}

function parse(text: string): KubeObject {
  try {
    return JSON.parse(text) as KubeObject
  } catch {
    return { message: text }
  }
}
