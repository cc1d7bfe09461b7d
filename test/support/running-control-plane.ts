import { randomBytes } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { AdminApi } from './admin-api.ts'
import { AuditLog, type AuditEvent } from './audit-log.ts'
import { output, run, type CommandResult } from './command.ts'
import type {
  CertificatePair,
  ControlPlane,
  ControlPlanePart,
  Identity,
  KubectlOptions,
  PartName,
} from './control-plane.ts'
import { eventually } from './eventually.ts'
import { kubeconfig, type KubeconfigUser } from './kubeconfig.ts'
import { serviceProxyAt, type ServiceProxy } from './service-proxy.ts'

export interface ControlPlaneLocation {
  /** The controlplane program. */
  readonly program: string
  readonly directory: string
  readonly url: string
  readonly serviceProxySocket: string
  /** Audit events before it (bytes) are not ours. */
  readonly auditOffset: number
  /** null: not ours to break. */
  readonly parts: Readonly<Record<PartName, ControlPlanePart>> | null
  readonly stop: () => Promise<void>
}

/** What `make cluster` writes down, and LAPSE_TEST_CLUSTER names. */
export interface ClusterState {
  readonly program: string
  readonly directory: string
  readonly url: string
}

/** A control plane that another process started and will stop. */
export async function attachControlPlane(statePath: string): Promise<ControlPlane> {
  const text = await readFile(statePath, 'utf8').catch((error: unknown) => {
    throw new Error(`LAPSE_TEST_CLUSTER: ${statePath} is gone: unset it, or run \`make cluster\` again`, {
      cause: error,
    })
  })
  const state = JSON.parse(text) as ClusterState
  const audit = await stat(join(state.directory, 'audit.log'))
  return connectControlPlane({
    ...state,
    serviceProxySocket: join(state.directory, 'service-proxy.sock'),
    auditOffset: audit.size,
    parts: null,
    stop: () => Promise.resolve(),
  })
}

/** Resolves when namespaces get their ServiceAccounts, the last thing that a control plane starts to do. */
export async function connectControlPlane(location: ControlPlaneLocation): Promise<ControlPlane> {
  const read = (name: string): Promise<string> => readFile(join(location.directory, name), 'utf8')
  const [ca, certificate, key] = await Promise.all([read('ca.crt'), read('admin.crt'), read('admin.key')])
  const admin = AdminApi.connect({ url: location.url, ca, certificate, key })
  const controlPlane = new RunningControlPlane(location, ca, admin)
  await controlPlane.awaitDefaultServiceAccount('default')
  return controlPlane
}

class RunningControlPlane implements ControlPlane {
  readonly url: string
  readonly caData: string
  readonly directory: string
  readonly kubeconfigPath: string
  readonly admin: AdminApi
  readonly serviceProxy: ServiceProxy
  readonly #location: ControlPlaneLocation
  readonly #auditLog: AuditLog
  #stopped: Promise<void> | null = null

  constructor(location: ControlPlaneLocation, ca: string, admin: AdminApi) {
    this.url = location.url
    this.caData = Buffer.from(ca).toString('base64')
    this.directory = location.directory
    this.kubeconfigPath = join(location.directory, 'admin.kubeconfig')
    this.admin = admin
    this.serviceProxy = serviceProxyAt(location.serviceProxySocket)
    this.#location = location
    this.#auditLog = new AuditLog(join(location.directory, 'audit.log'), location.auditOffset)
  }

  async kubeconfigFor(identity: Identity): Promise<string> {
    return this.#writeKubeconfig(await this.#issue('client', [identity.user, ...(identity.groups ?? [])]))
  }

  async kubeconfigForServiceAccount(namespace: string, name: string): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`
    const answer = await this.admin.create(path, { spec: { expirationSeconds: 3600 } })
    return this.#writeKubeconfig({ token: answer['status'].token as string })
  }

  servingCertificate(hosts: readonly string[]): Promise<CertificatePair> {
    return this.#issue('server', hosts)
  }

  kubectl(args: readonly string[], options: KubectlOptions = {}): Promise<CommandResult> {
    return this.#command('kubectl', args, options)
  }

  helm(args: readonly string[], options: KubectlOptions = {}): Promise<CommandResult> {
    return this.#command('helm', args, options)
  }

  async auditEvents(filter: (event: AuditEvent) => boolean = () => true): Promise<readonly AuditEvent[]> {
    // An event is written after the response is, so a request of our own comes behind those that are asked for.
    const marker = `/version?audit-marker=${randomBytes(6).toString('hex')}`
    await this.admin.get(marker)
    const events = await eventually('the audit log is written', async () => {
      const soFar = await this.#auditLog.read()
      return soFar.some((event) => event.requestURI === marker) ? soFar : undefined
    })
    return events.filter((event) => !event.requestURI.startsWith('/version?audit-marker=') && filter(event))
  }

  part(name: PartName): ControlPlanePart {
    if (this.#location.parts === null) {
      throw new Error(`a test that breaks ${name} starts a control plane of its own: this one was attached to`)
    }
    return this.#location.parts[name]
  }

  async namespace(labels: Readonly<Record<string, string>> = {}): Promise<string> {
    const name = `test-${randomBytes(5).toString('hex')}`
    await this.admin.create('/api/v1/namespaces', { metadata: { name, labels } })
    await this.awaitDefaultServiceAccount(name)
    return name
  }

  async awaitDefaultServiceAccount(namespace: string): Promise<void> {
    await eventually(`namespace ${namespace} has its default ServiceAccount`, () =>
      this.admin.get(`/api/v1/namespaces/${namespace}/serviceaccounts/default`),
    )
  }

  stop(): Promise<void> {
    this.#stopped ??= this.admin.close().then(() => this.#location.stop())
    return this.#stopped
  }

  #command(
    name: string,
    args: readonly string[],
    { kubeconfig: file, ...options }: KubectlOptions,
  ): Promise<CommandResult> {
    const env = {
      ...options.env,
      KUBECONFIG: file ?? this.kubeconfigPath,
      KUBECACHEDIR: join(this.directory, 'kubectl-cache'), // of no other cluster that had this port
      HELM_CACHE_HOME: join(this.directory, 'helm/cache'),
      HELM_CONFIG_HOME: join(this.directory, 'helm/config'),
      HELM_DATA_HOME: join(this.directory, 'helm/data'),
    }
    return run(this.#location.program, [name, ...args], { ...options, env })
  }

  async #issue(kind: 'client' | 'server', args: readonly string[]): Promise<CertificatePair> {
    const name = `${kind}-${randomBytes(5).toString('hex')}`
    await output(this.#location.program, ['certs', kind, this.directory, name, ...args])
    const read = (extension: string): Promise<string> => readFile(join(this.directory, name + extension), 'utf8')
    const [certificate, key] = await Promise.all([read('.crt'), read('.key')])
    return { certificate, key }
  }

  async #writeKubeconfig(user: KubeconfigUser): Promise<string> {
    const path = join(this.directory, `${randomBytes(5).toString('hex')}.kubeconfig`)
    await writeFile(path, kubeconfig(this.url, this.caData, user), { mode: 0o600 })
    return path
  }
}
