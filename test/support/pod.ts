import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { request as requestTls } from 'node:https'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

import type { KubeObject } from './admin-api.ts'
import { controlPlaneBinary } from './control-plane-binary.ts'
import type { ControlPlane } from './control-plane.ts'
import { eventually } from './eventually.ts'
import { containerCommand, containerEnvironment, imageRoot, type PodIdentity } from './pod-container.ts'
import { PodVolumes } from './pod-volumes.ts'

export interface PodOptions {
  readonly controlPlane: ControlPlane
  readonly namespace: string
  /** The Deployment's name. */
  readonly deployment: string
  /**
   * Over the container's own environment: the only deviation from the Deployment. It is there because the chart's
   * container ports are fixed and pods here share one network: each gets ports of its own by LAPSE_* settings.
   */
  readonly extraEnv?: Readonly<Record<string, string>>
  /** Container port (by number) → the port on 127.0.0.1 on which the process listens in its place. */
  readonly localPorts?: Readonly<Record<number, number>>
}

/** One pod of a Deployment, its only container run as a process with files and process numbers of its own. */
export interface Pod {
  readonly name: string
  /** Of the container's process itself, as this machine sees it; the process sees itself as number 1. */
  readonly pid: number
  /** stdout and stderr so far. */
  logs(): string
  /** Resolves when the readiness probe succeeds; rejects with the log if the process ends before, or after 30 s. */
  ready(): Promise<void>
  /** The port on 127.0.0.1 of a container port, by name or number. */
  localPort(port: string | number): number
  /** Fetches the mounted Secrets, ConfigMaps and token again, as a kubelet does in its own time. */
  syncVolumes(): Promise<void>
  /** Sends the signal (SIGTERM by default), waits for the end, and kills after terminationGracePeriodSeconds. */
  stop(signal?: NodeJS.Signals): Promise<ExitStatus>
  /** SIGKILL. */
  kill(): Promise<ExitStatus>
  /** SIGSTOP. */
  pause(): void
  resume(): void
  readonly exited: Promise<ExitStatus>
}

export interface ExitStatus {
  /** null if a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/**
 * Plays the kubelet for one pod of a Deployment that is in the API server. The image is not run: the process starts in
 * the repository, or in what was built of it. What is not played (init containers, envFrom, ...) is an error.
 * The pod ends with this process. Linux only.
 */
export async function startPod(options: PodOptions): Promise<Pod> {
  const { controlPlane, namespace, deployment: name } = options
  const deployment = await controlPlane.admin.get(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`)
  const spec = deployment['spec'].template.spec as KubeObject
  const container = onlyContainer(spec)
  const identity: PodIdentity = {
    name: `${name}-${randomBytes(3).toString('hex')}`,
    namespace,
    serviceAccountName: spec['serviceAccountName'] ?? 'default',
  }
  const { hostname, port } = new URL(controlPlane.url)
  const cluster = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }
  const environment = containerEnvironment(container, identity, cluster, options.extraEnv ?? {})
  const directory = join(controlPlane.directory, 'pods', identity.name)
  await mkdir(directory, { recursive: true })
  const volumes = new PodVolumes(controlPlane.admin, identity, spec, directory)
  const mounts = await volumes.sync()

  const { controlplane } = await controlPlaneBinary()
  const mountFlags = mounts.flatMap(({ source, target }) => ['--mount', `${source}=${target}`])
  const command = containerCommand(container, environment)
  const runtime = spawn(controlplane, ['pod', '--status-fd=3', ...mountFlags, '--', ...command], {
    cwd: imageRoot(),
    env: { ...environment, CONTROLPLANE_DIE_WITH_STDIN: '1' },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    detached: true,
  })
  const pod = new RunningPod(identity.name, spec, volumes, runtime, options.localPorts ?? {})
  void pod.exited.then(() => rm(directory, { recursive: true, force: true }))
  await pod.started()
  return pod
}

function onlyContainer(spec: KubeObject): KubeObject {
  const containers = spec['containers'] as readonly KubeObject[]
  const [container] = containers
  if (container === undefined || containers.length > 1 || (spec['initContainers'] ?? []).length > 0) {
    throw new Error('only a pod of one container is played here')
  }
  return container
}

class RunningPod implements Pod {
  readonly name: string
  readonly exited: Promise<ExitStatus>
  readonly #spec: KubeObject
  readonly #volumes: PodVolumes
  readonly #localPorts: Readonly<Record<number, number>>
  readonly #started: Promise<void>
  #pid: number | null = null
  #logs = ''
  #end: ExitStatus | null = null

  constructor(
    name: string,
    spec: KubeObject,
    volumes: PodVolumes,
    runtime: ChildProcess,
    localPorts: Readonly<Record<number, number>>,
  ) {
    this.name = name
    this.#spec = spec
    this.#volumes = volumes
    this.#localPorts = localPorts
    for (const stream of [runtime.stdout, runtime.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => (this.#logs += chunk))
    }
    const status = createInterface({ input: runtime.stdio[3] as Readable })
    this.#started = new Promise((resolve) => {
      status.on('line', (line) => {
        this.#read(JSON.parse(line))
        resolve()
      })
      status.on('close', resolve)
    })
    this.exited = new Promise((resolve, reject) => {
      runtime.on('error', reject)
      runtime.on('close', (code, signal) => {
        this.#end ??= { code, signal } // the runtime itself failed or was killed, and with it the container
        resolve(this.#end)
      })
    })
  }

  /** Resolves when the process exists. */
  async started(): Promise<void> {
    await this.#started
    if (this.#pid === null) {
      await this.exited
      throw new Error(`pod ${this.name} did not start\n${this.#logs}`)
    }
  }

  get pid(): number {
    if (this.#pid === null) throw new Error(`pod ${this.name} did not start`)
    return this.#pid
  }

  logs(): string {
    return this.#logs
  }

  async ready(): Promise<void> {
    const probe = this.#spec['containers'][0].readinessProbe?.httpGet
    if (probe === undefined) throw new Error(`pod ${this.name} has no readinessProbe with httpGet`)
    const scheme = (probe.scheme ?? 'HTTP').toLowerCase()
    const url = `${scheme}://127.0.0.1:${this.localPort(probe.port)}${probe.path ?? '/'}`
    const isOver = async (): Promise<true | undefined> =>
      this.#end !== null || (await succeeds(url)) ? true : undefined
    try {
      await eventually(`${url} succeeds`, isOver, 30_000)
      if (this.#end === null) return
      await this.exited // its last words come beside its end
      throw new Error(`it ended: ${JSON.stringify(this.#end)}`)
    } catch (error) {
      throw new Error(`pod ${this.name} is not ready: ${(error as Error).message}\n${this.#logs}`, { cause: error })
    }
  }

  localPort(port: string | number): number {
    const ports = (this.#spec['containers'][0].ports ?? []) as readonly { name?: string; containerPort: number }[]
    const number = typeof port === 'number' ? port : ports.find(({ name }) => name === port)?.containerPort
    if (number === undefined) throw new Error(`pod ${this.name} has no port ${port}`)
    return this.#localPorts[number] ?? number
  }

  async syncVolumes(): Promise<void> {
    await this.#volumes.sync()
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<ExitStatus> {
    this.#signal(signal)
    const graceMs = (this.#spec['terminationGracePeriodSeconds'] ?? 30) * 1000
    const timer = new AbortController()
    const over = delay(graceMs, null, { signal: timer.signal }).catch(() => null)
    const end = await Promise.race([this.exited, over])
    timer.abort()
    return end ?? this.kill()
  }

  kill(): Promise<ExitStatus> {
    this.#signal('SIGKILL')
    return this.exited
  }

  pause(): void {
    this.#signal('SIGSTOP')
  }

  resume(): void {
    this.#signal('SIGCONT')
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#end === null) process.kill(this.pid, signal)
  }

  #read(status: { pid?: number; code?: number; signal?: NodeJS.Signals }): void {
    if (status.pid !== undefined) this.#pid = status.pid
    else this.#end = { code: status.code ?? null, signal: status.signal ?? null }
  }
}

/** As a kubelet probes: within a second, any certificate, any status from 200 to 399. */
function succeeds(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const send = url.startsWith('https:') ? requestTls : request
    const call = send(url, { agent: false, rejectUnauthorized: false, timeout: 1000 }, (answer) => {
      answer.resume()
      const status = answer.statusCode ?? 0
      resolve(status >= 200 && status < 400)
    })
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(false))
    call.end()
  })
}
