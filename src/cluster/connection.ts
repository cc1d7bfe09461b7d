import type { KubeConfig } from '@kubernetes/client-node'
import type { Clock } from '../runtime/clock.ts'
import { CredentialHolder, type CredentialSource } from './credential-holder.ts'
import type { Credentials, TlsOptions } from './credentials.ts'
import { ExecPlugin, type IssuedCredential } from './exec-plugin.ts'
import { firstLine } from './first-line.ts'
import { type KubeConfigClass, kubeConfigFiles, type LoadedUser, readKubeConfig } from './kubeconfig.ts'
import { podAccount, readToken } from './pod-account.ts'

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
  /** The path of a kubeconfig. Without it, or null: KUBECONFIG, then ~/.kube/config, then the ServiceAccount of the pod. */
  readonly kubeconfig?: string | null
  readonly clock: Clock
}

/** Reads the configuration; connects to nothing. Throws NoConnection. */
export async function loadConnection({ kubeconfig = null, clock }: ConnectionOptions): Promise<Connection> {
  return filesOf(kubeconfig).length === 0 ? ofPod(clock) : ofFiles(() => filesOf(kubeconfig), clock)
}

/** Without the loader, which takes half a second and 90 MB. */
async function ofPod(clock: Clock): Promise<Connection> {
  const account = await podAccount()
  if (account === null) throw nothingToReach()
  return connectionOf(account, new CredentialHolder(account, () => account, clock))
}

async function ofFiles(files: () => readonly string[], clock: Clock): Promise<Connection> {
  const loader = await import('@kubernetes/client-node')
  const config = readConfig(loader.KubeConfig, files())
  const url = urlOf(config)
  const context = config.getCurrentContext()
  const namespace = config.getContextObject(context)?.namespace?.trim() ?? ''
  const readAgain = (): CredentialSource => {
    const newest = readConfig(loader.KubeConfig, files())
    newest.setCurrentContext(context)
    // what is meant for one server must not be shown to another
    if (urlOf(newest) !== url) throw new NoConnection('the kubeconfig names another server than before')
    return sourceOf(newest, clock)
  }
  return connectionOf({ url, namespace }, new CredentialHolder(sourceOf(config, clock), readAgain, clock))
}

function connectionOf({ url, namespace }: Pick<Connection, 'url' | 'namespace'>, holder: CredentialHolder): Connection {
  return {
    url,
    namespace: namespace === '' ? 'default' : namespace,
    credentials: () => holder.credentials(),
    renew: () => holder.renew(),
  }
}

function filesOf(kubeconfig: string | null): readonly string[] {
  return orUnreadable(() => kubeConfigFiles(kubeconfig))
}

function readConfig(Config: KubeConfigClass, files: readonly string[]): KubeConfig {
  return orUnreadable(() => readKubeConfig(Config, files))
}

function orUnreadable<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    // further lines quote the text, secrets and all
    throw new NoConnection(`the kubeconfig cannot be read: ${firstLine((error as Error).message)}`)
  }
}

const nothingToReach = (): NoConnection =>
  new NoConnection('no kubeconfig that names an https server, and no pod to run in')

function urlOf(config: KubeConfig): string {
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw new NoConnection('the kubeconfig has no current context, or the context no cluster')
  if (cluster.proxyUrl !== undefined) throw new NoConnection('proxy-url in a kubeconfig is not supported')
  // credentials never go over plain HTTP
  if (!cluster.server.startsWith('https:')) throw nothingToReach()
  return cluster.server.replace(/\/+$/, '')
}

interface HttpsOptions extends TlsOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly auth?: string
}

/** The loader caches a token file for a minute and waits for an exec plugin for ever: both are taken out of its hands. */
function sourceOf(config: KubeConfig, clock: Clock): CredentialSource {
  const user: LoadedUser | null = config.getCurrentUser()
  if (user === null) throw new NoConnection('the context of the kubeconfig has no user')
  const { exec, authProvider, unsupported, ...rest } = user
  // rather refused than used as somebody else
  if (unsupported !== undefined) throw new NoConnection(`${unsupported} of user ${user.name} is not supported`)
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
