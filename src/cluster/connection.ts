import type { KubeConfig, User } from '@kubernetes/client-node'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import { formatDuration, type Instant, type Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import { type ExecCommand, ExecPlugin, type IssuedCredential } from './exec-plugin.ts'
import { firstLine } from './first-line.ts'
import { type KubeConfigClass, readKubeConfig } from './kubeconfig.ts'

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

/** How to reach an API server, and as whom. Never as nobody. */
export interface Connection {
  /** Scheme, host, port and a path prefix if there is one; no slash at the end. Never changes, whatever the kubeconfig says later. */
  readonly url: string
  /** The namespace that the context names; `default` when it names none. */
  readonly namespace: string
  /**
   * What holds now: token, certificate and CA files are read again every 10 s, an exec plugin runs within a second of
   * the end of its credential. While that fails, what was read before goes on to hold, unless it is over by its own
   * account. Rejects within 10 s; the message is for the user and holds no secret.
   */
  credentials(): Promise<Credentials>
  /**
   * Forgets what is cached: the next credentials() reads kubeconfig, files and exec plugin anew, if the kubeconfig
   * still has the same context for the same URL. Does nothing until a second after the last renewal was read.
   */
  renew(): void
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

const freshFor: Millis = 10_000
/** After a failure and after a renewal, until the next: an exec plugin must not run in a loop. */
const pause: Millis = 1_000
const patience: Millis = 10_000

/** Reads the configuration; connects to nothing. Throws NoConnection. */
export async function loadConnection({ kubeconfig, clock }: ConnectionOptions): Promise<Connection> {
  const loader = await import('@kubernetes/client-node')
  const config = readConfig(loader.KubeConfig, kubeconfig)
  const url = urlOf(config)
  const context = config.getCurrentContext()
  const namespace = config.getContextObject(context)?.namespace?.trim() ?? ''
  const readAgain = (): Source => {
    const newest = readConfig(loader.KubeConfig, kubeconfig)
    newest.setCurrentContext(context)
    // what is meant for one server must not be shown to another
    if (urlOf(newest) !== url) throw new NoConnection('the kubeconfig names another server than before')
    return sourceOf(newest, clock)
  }
  const holder = new CredentialHolder(sourceOf(config, clock), readAgain, clock)
  return {
    url,
    namespace: namespace === '' ? 'default' : namespace,
    credentials: () => holder.credentials(),
    renew: () => holder.renew(),
  }
}

function readConfig(Config: KubeConfigClass, kubeconfig: string | undefined): KubeConfig {
  try {
    return readKubeConfig(Config, kubeconfig)
  } catch (error) {
    // further lines quote the text, secrets and all
    throw new NoConnection(`the kubeconfig cannot be read: ${firstLine((error as Error).message)}`)
  }
}

function urlOf(config: KubeConfig): string {
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw new NoConnection('the kubeconfig has no current context, or the context no cluster')
  if (cluster.proxyUrl !== undefined) throw new NoConnection('proxy-url in a kubeconfig is not supported')
  // credentials never go over plain HTTP
  if (!cluster.server.startsWith('https:'))
    throw new NoConnection('no kubeconfig that names an https server, and no pod to run in')
  return cluster.server.replace(/\/+$/, '')
}

/** Where credentials come from, as the kubeconfig said when it was read. */
interface Source {
  /** The signal ends it. */
  read(signal: AbortSignal): Promise<Reading>
}

interface Reading {
  readonly credentials: Credentials
  /** When they are over by their own account; Infinity: they do not say. */
  readonly expires: Instant
}

/** Keeps what was read last, and knows when to read again. */
class CredentialHolder {
  readonly #readAgain: () => Source
  readonly #clock: Clock
  #source: Source
  #isOutdated = false
  #held: Reading | null = null
  #answer: Promise<Credentials> | null = null
  /** Monotonic, as is the next. Infinity: it is being read. */
  #readAgainAt: Millis = 0
  /** Infinity: a renewal is asked for or being read. */
  #renewableAt: Millis = 0
  #turn = 0

  constructor(source: Source, readAgain: () => Source, clock: Clock) {
    this.#source = source
    this.#readAgain = readAgain
    this.#clock = clock
  }

  credentials(): Promise<Credentials> {
    if (this.#answer !== null && this.#clock.monotonic() < this.#readAgainAt) return this.#answer
    // all who ask while it is read get the same answer
    this.#readAgainAt = Infinity
    this.#answer = this.#read()
    return this.#answer
  }

  renew(): void {
    const now = this.#clock.monotonic()
    if (now < this.#renewableAt) return
    this.#renewableAt = Infinity
    this.#isOutdated = true
    this.#readAgainAt = now
    this.#turn += 1
  }

  /** A reading that a renewal has overtaken changes nothing. */
  async #read(): Promise<Credentials> {
    this.#turn += 1
    const turn = this.#turn
    try {
      const source = this.#isOutdated ? this.#readAgain() : this.#source
      const reading = this.#withSameTls(await inTime(source, this.#clock))
      if (turn === this.#turn) {
        this.#source = source
        this.#isOutdated = false
        this.#held = reading
      }
      return reading.credentials
    } catch (error) {
      if (this.#held === null || this.#remaining() <= 0) throw error
      return this.#held.credentials
    } finally {
      if (turn === this.#turn) this.#plan()
    }
  }

  #plan(): void {
    const now = this.#clock.monotonic()
    this.#readAgainAt = now + Math.max(pause, Math.min(freshFor, this.#remaining()))
    if (this.#renewableAt === Infinity) this.#renewableAt = now + pause
  }

  /** How long what is held will hold by its own account. */
  #remaining(): Millis {
    return this.#held === null ? 0 : this.#held.expires - this.#clock.now()
  }

  #withSameTls(reading: Reading): Reading {
    const { tls, headers } = reading.credentials
    const held = this.#held?.credentials.tls
    if (held !== undefined && isDeepStrictEqual(tls, held)) return { ...reading, credentials: { tls: held, headers } }
    requireUsable(tls)
    return reading
  }
}

function inTime(source: Source, clock: Clock): Promise<Reading> {
  const abort = new AbortController()
  const late = Promise.withResolvers<never>()
  const callOff = clock.after(patience, () => {
    late.reject(new Error(`the exec plugin or auth-provider gave no answer within ${formatDuration(patience)}`))
    abort.abort()
  })
  return Promise.race([source.read(abort.signal), late.promise]).finally(callOff)
}

/** Files that are just being replaced may not belong together. */
function requireUsable(tls: TlsOptions): void {
  try {
    createSecureContext(tls)
  } catch (error) {
    const reason = (error as Error).message
    throw new Error(`CA, client certificate and key are not usable together: ${reason}`, { cause: error })
  }
}

interface HttpsOptions extends TlsOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly auth?: string
}

/** What the loader leaves to its own user: parts of a kubeconfig that it takes over as they are. */
interface LoadedUser extends User {
  readonly exec?: ExecCommand | null
  readonly authProvider?: { readonly config?: { readonly tokenFile?: string; readonly exec?: ExecCommand } } | null
}

/** The loader caches a token file for a minute and waits for an exec plugin for ever: both are taken out of its hands. */
function sourceOf(config: KubeConfig, clock: Clock): Source {
  const user: LoadedUser | null = config.getCurrentUser()
  if (user === null) throw new NoConnection('the context of the kubeconfig has no user')
  const { exec, authProvider, ...rest } = user
  const command = exec ?? authProvider?.config?.exec
  const tokenFile = authProvider?.config?.tokenFile
  if (command !== undefined || tokenFile !== undefined) config.users = [rest]
  const plugin = command === undefined ? null : new ExecPlugin(command, clock)
  return {
    async read(signal) {
      const options: HttpsOptions = {}
      await config.applyToHTTPSOptions(options as Parameters<KubeConfig['applyToHTTPSOptions']>[0])
      const issued = (await plugin?.credential(signal)) ?? { expires: Infinity }
      const token = tokenFile === undefined ? issued.token : await readToken(tokenFile)
      return {
        credentials: credentialsOf(options, { ...issued, ...(token !== undefined && { token }) }),
        expires: issued.expires,
      }
    },
  }
}

async function readToken(path: string): Promise<string> {
  // a token file usually ends in a newline, which no header may hold
  const token = (await readFile(path, 'utf8')).trim()
  if (token === '') throw new Error(`${path} is empty`)
  return token
}

function credentialsOf(options: HttpsOptions, issued: IssuedCredential): Credentials {
  const { ca, passphrase, servername, rejectUnauthorized, auth } = options
  const { cert = options.cert, key = options.key, token } = issued
  const tls = Object.entries({ ca, cert, key, passphrase, servername, rejectUnauthorized })
  const headers = Object.entries({
    ...(auth !== undefined && { Authorization: `Basic ${Buffer.from(auth).toString('base64')}` }),
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    ...options.headers,
  }).map(([name, value]) => [name, value.trim()] as const)
  if (cert === undefined && !headers.some(([name]) => name === 'Authorization'))
    throw new Error('the kubeconfig gives the user no credentials that are supported')
  return {
    tls: Object.fromEntries(tls.filter(([, value]) => value !== undefined)),
    headers: Object.fromEntries(headers),
  }
}
