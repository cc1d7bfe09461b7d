import type { KubeConfig } from '@kubernetes/client-node'
import { isDeepStrictEqual } from 'node:util'
import type { Instant, Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'

/** What a TLS connection to the API server is made with. */
export interface TlsOptions {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly passphrase?: string
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

export interface Credentials {
  /** The same object as long as nothing in it has changed. */
  readonly tls: TlsOptions
  /** Authorization and impersonation. */
  readonly headers: Readonly<Record<string, string>>
}

/** How to reach an API server, and as whom. */
export interface Connection {
  /** Scheme, host, port and a path prefix if there is one; no slash at the end. */
  readonly url: string
  /** The namespace that the context names; `default` when it names none. */
  readonly namespace: string
  /** What holds now: token, certificate and CA files are read again as they rotate, an exec plugin runs when its credential is over. */
  credentials(): Promise<Credentials>
}

/** There is no kubeconfig, it cannot be read, or it names something that is not supported. The message is for the user. */
export class NoConnection extends Error {
  override readonly name = 'NoConnection'
}

export interface ConnectionOptions {
  /** The path of a kubeconfig. Without it: KUBECONFIG, then ~/.kube/config, then the ServiceAccount of the pod. */
  readonly kubeconfig?: string
  readonly clock: Clock
}

/** Token files are cached for a minute by the loader on top of this. */
const freshFor: Millis = 10_000

type Source = Pick<KubeConfig, 'applyToHTTPSOptions'>

/** Reads the configuration; connects to nothing. Throws NoConnection. */
export async function loadConnection({ kubeconfig, clock }: ConnectionOptions): Promise<Connection> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  try {
    if (kubeconfig === undefined) config.loadFromDefault()
    else config.loadFromFile(kubeconfig)
  } catch (error) {
    throw new NoConnection(`the kubeconfig cannot be read: ${(error as Error).message}`, { cause: error })
  }
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw new NoConnection('the kubeconfig has no current context, or the context no cluster')
  if (cluster.proxyUrl !== undefined) throw new NoConnection('proxy-url in a kubeconfig is not supported')
  // without any configuration the loader falls back to http://localhost:8080; credentials never go over plain HTTP
  if (!cluster.server.startsWith('https:'))
    throw new NoConnection('no kubeconfig that names an https server, and no pod to run in')
  const namespace = config.getContextObject(config.getCurrentContext())?.namespace
  return {
    url: cluster.server.replace(/\/+$/, ''),
    namespace: namespace === undefined || namespace.trim() === '' ? 'default' : namespace.trim(),
    credentials: cached(config, clock),
  }
}

/** Asks the source at most once in `freshFor`; a failure is not kept. */
function cached(source: Source, clock: Clock): () => Promise<Credentials> {
  let known: { readonly at: Instant; readonly credentials: Promise<Credentials> } | null = null
  let tls: TlsOptions = {}
  const read = async (): Promise<Credentials> => {
    const fresh = await readCredentials(source)
    if (!isDeepStrictEqual(fresh.tls, tls)) tls = fresh.tls
    return { ...fresh, tls }
  }
  return () => {
    const age = known === null ? freshFor : Math.abs(clock.now() - known.at)
    if (known !== null && age < freshFor) return known.credentials
    const credentials = read()
    known = { at: clock.now(), credentials }
    credentials.catch(() => (known = null))
    return credentials
  }
}

interface HttpsOptions extends TlsOptions {
  readonly headers?: Readonly<Record<string, unknown>>
  readonly auth?: string
}

async function readCredentials(source: Source): Promise<Credentials> {
  const options: HttpsOptions = {}
  await source.applyToHTTPSOptions(options as Parameters<Source['applyToHTTPSOptions']>[0])
  const { ca, cert, key, passphrase, servername, rejectUnauthorized, headers = {}, auth } = options
  // a token file usually ends in a newline, which no header may hold
  const entries = Object.entries(headers).map(([name, value]) => [name, String(value).trim()] as const)
  const basic = auth === undefined ? {} : { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` }
  const tls = { ca, cert, key, passphrase, servername, rejectUnauthorized }
  return {
    tls: Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
    headers: { ...basic, ...Object.fromEntries(entries) },
  }
}
