import { rmSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { request as requestTls } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { AdminApi } from './admin-api.ts'
import { atExit } from './at-exit.ts'
import type { AuditEvent } from './audit-log.ts'
import { output, type CommandOptions, type CommandResult } from './command.ts'
import { controlPlaneBinary } from './control-plane-binary.ts'
import { configFiles, partFlags, type Ports } from './control-plane-flags.ts'
import { PartProcess } from './control-plane-process.ts'
import { freePort } from './free-port.ts'
import { kubeconfig } from './kubeconfig.ts'
import { connectControlPlane } from './running-control-plane.ts'
import { ServiceProxyServer, type ServiceProxy } from './service-proxy.ts'

export const partNames = ['etcd', 'kube-apiserver', 'kube-controller-manager'] as const
export type PartName = (typeof partNames)[number]

/** A real Kubernetes control plane on ports of 127.0.0.1. No nodes: pods stay Pending unless a test plays one (pod.ts). */
export interface ControlPlane {
  /** https://127.0.0.1:PORT */
  readonly url: string
  /** The CA of the API server and of every certificate made here: PEM in base64, as a kubeconfig wants it. */
  readonly caData: string
  /** Everything of this control plane: certificates, logs, kubeconfigs. Removed by stop(). */
  readonly directory: string
  /** The kubeconfig of user `admin` in group `system:masters`. */
  readonly kubeconfigPath: string
  /** The API as that admin, raw JSON by path; `admin.as({ user, groups })` impersonates. */
  readonly admin: AdminApi
  readonly serviceProxy: ServiceProxy

  /** The path of a kubeconfig with a client certificate of the test CA. */
  kubeconfigFor(identity: Identity): Promise<string>
  /** The path of a kubeconfig with a token of that ServiceAccount (TokenRequest, one hour). */
  kubeconfigForServiceAccount(namespace: string, name: string): Promise<string>
  /** A server certificate of the test CA for DNS names and IP addresses, both as PEM. */
  servingCertificate(hosts: readonly string[]): Promise<CertificatePair>

  /** The kubectl of the control plane's own release; the admin's, unless `kubeconfig` names another file. Never throws for an exit code. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<CommandResult>
  /** Helm of the same build, in the same way. */
  helm(args: readonly string[], options?: KubectlOptions): Promise<CommandResult>

  /**
   * The audit events (Metadata level, in the order of the log) since this control plane was started or attached to.
   * Every request whose response was received before the call is in it.
   */
  auditEvents(filter?: (event: AuditEvent) => boolean): Promise<readonly AuditEvent[]>

  /**
   * One process of it, to be broken. Throws on a control plane that was attached to and is not ours to break: a test
   * that calls this starts a control plane of its own.
   */
  part(name: PartName): ControlPlanePart

  /** A fresh namespace with a unique name, its `default` ServiceAccount present. */
  namespace(labels?: Readonly<Record<string, string>>): Promise<string>

  /** Stops every process and removes the directory; only lets go of a control plane that was attached to. Idempotent. */
  stop(): Promise<void>
}

export interface Identity {
  readonly user: string
  readonly groups?: readonly string[]
}

export interface CertificatePair {
  readonly certificate: string
  readonly key: string
}

export interface KubectlOptions extends CommandOptions {
  /** The path of the kubeconfig to use instead of the admin's. */
  readonly kubeconfig?: string
}

export interface ControlPlanePart {
  /** Of the running process; of the last one while none runs. */
  readonly pid: number
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGSTOP: connections stay open and nothing answers from the return on. */
  pause(): void
  resume(): void
  /** Kills what runs and starts the part again with the same flags and data; resolves when it serves. */
  restart(): Promise<void>
  /** The last lines that the part wrote, of all its processes. */
  log(lines?: number): string
}

export interface ControlPlaneOptions {
  /** Appended to the flags of a part; a later flag wins over an earlier one of the same name. */
  readonly flags?: Readonly<Partial<Record<PartName, readonly string[]>>>
  /** Until everything serves. Default 60,000 ms. */
  readonly deadlineMs?: number
}

/** Starts one. It ends with this process, however that ends. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const program = (await controlPlaneBinary()).controlplane
  const directory = await mkdtemp(join(tmpdir(), 'lapse-'))
  const proxy = new ServiceProxyServer()
  const [etcd, etcdPeer, apiServer, controllerManager] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ])
  const ports: Ports = { etcd, etcdPeer, apiServer, controllerManager }
  const parts = partsOf(program, directory, ports, options)
  const all = partNames.map((name) => parts[name])

  const discard = (): void => {
    for (const part of all) part.killNow()
    proxy.close()
    rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 }) // the killed may still be writing
  }
  const callOff = atExit(discard)
  const stop = async (): Promise<void> => {
    callOff()
    await Promise.all(all.map((part) => part.kill()))
    discard()
  }

  try {
    const url = `https://127.0.0.1:${apiServer}`
    parts.etcd.start()
    await Promise.all([proxy.listen(socketIn(directory)), writeConfiguration(program, directory, url)])
    parts['kube-apiserver'].start()
    await parts['kube-apiserver'].ready()
    parts['kube-controller-manager'].start()
    await parts['kube-controller-manager'].ready()
    return await connectControlPlane({
      program,
      directory,
      url,
      serviceProxySocket: socketIn(directory),
      auditOffset: 0,
      parts,
      stop,
    })
  } catch (error) {
    await stop()
    throw error
  }
}

function socketIn(directory: string): string {
  return join(directory, 'service-proxy.sock')
}

async function writeConfiguration(program: string, directory: string, url: string): Promise<void> {
  const files = configFiles(socketIn(directory))
  await Promise.all([
    output(program, ['certs', 'init', directory]),
    ...Object.entries(files).map(([name, text]) => writeFile(join(directory, name), text)),
  ])
  const read = (name: string): Promise<string> => readFile(join(directory, name), 'utf8')
  const [ca, certificate, key] = await Promise.all([read('ca.crt'), read('admin.crt'), read('admin.key')])
  const text = kubeconfig(url, Buffer.from(ca).toString('base64'), { certificate, key })
  await writeFile(join(directory, 'admin.kubeconfig'), text, { mode: 0o600 })
}

function partsOf(
  program: string,
  directory: string,
  ports: Ports,
  options: ControlPlaneOptions,
): Readonly<Record<PartName, PartProcess>> {
  const flags = partFlags(directory, ports)
  const part = (name: PartName, isReady: () => Promise<boolean>): PartProcess =>
    new PartProcess({
      name,
      program,
      flags: [...flags[name], ...(options.flags?.[name] ?? [])],
      logPath: join(directory, `${name}.log`),
      isReady,
      deadlineMs: options.deadlineMs ?? 60_000,
    })
  return {
    etcd: part('etcd', () => answers(`http://127.0.0.1:${ports.etcd}/readyz`)),
    'kube-apiserver': part('kube-apiserver', () => answers(`https://127.0.0.1:${ports.apiServer}/readyz`)),
    'kube-controller-manager': part('kube-controller-manager', () =>
      answers(`https://127.0.0.1:${ports.controllerManager}/healthz`),
    ),
  }
}

/** Whether a GET succeeds with status 200 within a second. */
function answers(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? requestTls : request
    const call = send(url, { agent: false, rejectUnauthorized: false, timeout: 1000 }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    call.on('timeout', () => call.destroy(new Error(`${url} does not answer`)))
    call.on('error', reject)
    call.end()
  })
}
