import { setTimeout as delay } from 'node:timers/promises'

import { exitCodes } from '../../src/cli/command.ts'
import { startControlPlane, type ControlPlane } from '../../test/support/control-plane.ts'
import { FaultProxy } from '../../test/support/fault-proxy.ts'
import { installLapse, type Installation } from '../../test/support/installation.ts'
import type { ExitStatus, Pod } from '../../test/support/pod.ts'
import type { Outages } from './outages.ts'

export type ProcessName = 'controller' | 'webhook'

/** An end of the controller is over when another one works: the lease of one that was killed has to run out. */
const untilAnotherWorks = 20_000

/** Lapse installed from its chart, its processes behind a proxy, and started again whenever they end, as a kubelet does. */
export class Stage {
  readonly controlPlane: ControlPlane
  readonly proxy: FaultProxy
  /** Ends that nothing done here explains, each with the end of the log. */
  readonly crashes: string[] = []
  readonly #lapse: Installation
  readonly #outages: Outages
  readonly #killed = new WeakSet<Pod>()
  #life = 1
  #bornAt = Date.now()
  #leasesLost = 0
  #isStopping = false

  private constructor(controlPlane: ControlPlane, proxy: FaultProxy, lapse: Installation, outages: Outages) {
    this.controlPlane = controlPlane
    this.proxy = proxy
    this.#lapse = lapse
    this.#outages = outages
    this.#supervise('controller')
    this.#supervise('webhook')
  }

  static async set(outages: Outages): Promise<Stage> {
    // two files at most: the audit log of a long run must not fill the disk
    const auditLog = ['--audit-log-maxsize=200', '--audit-log-maxbackup=1']
    const controlPlane = await startControlPlane({ flags: { 'kube-apiserver': auditLog } })
    try {
      const proxy = await FaultProxy.start(controlPlane)
      const lapse = await installLapse(behind(controlPlane, `https://127.0.0.1:${proxy.link.port}`))
      return new Stage(controlPlane, proxy, lapse, outages)
    } catch (error) {
      await controlPlane.stop()
      throw error
    }
  }

  get controller(): Pod {
    return this.#lapse.controller
  }

  /** Of the controller: which one it is, counted from 1. */
  get life(): number {
    return this.#life
  }

  /** Milliseconds since that one was started. */
  get age(): number {
    return Date.now() - this.#bornAt
  }

  /** How often a controller ended since it could not renew its lease. */
  get leasesLost(): number {
    return this.#leasesLost
  }

  /** SIGKILL; another one is started at once. */
  async kill(name: ProcessName): Promise<void> {
    const pod = this.#lapse[name]
    this.#killed.add(pod)
    await pod.kill()
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all([this.#lapse.controller.stop(), this.#lapse.webhook.stop()])
    await this.proxy.close()
    await this.controlPlane.stop()
  }

  #supervise(name: ProcessName): void {
    const pod = this.#lapse[name]
    void pod.exited.then((end) => (this.#isStopping ? undefined : this.#replace(name, pod, end)))
  }

  async #replace(name: ProcessName, pod: Pod, end: ExitStatus): Promise<void> {
    const over = this.#outages.begin(untilAnotherWorks)
    this.#explain(name, pod, end)
    await this.#startAgain(name)
    over()
    if (name === 'controller') {
      this.#life += 1
      this.#bornAt = Date.now()
    }
    this.#supervise(name)
  }

  #explain(name: ProcessName, pod: Pod, { code, signal }: ExitStatus): void {
    if (this.#killed.delete(pod)) return
    if (name === 'controller' && code === exitCodes.leaseLost) this.#leasesLost += 1
    else this.crashes.push(`${name} ended (${code ?? signal}): ${pod.logs().slice(-2_000)}`)
  }

  /** Again and again: it takes the API server to start one. */
  async #startAgain(name: ProcessName): Promise<void> {
    while (!this.#isStopping) {
      try {
        await (name === 'controller' ? this.#lapse.startController() : this.#lapse.startWebhook())
        return
      } catch {
        await this.kill(name) // it may run without being ready
        await delay(500)
      }
    }
  }
}

/** The same control plane, with its API server at that address for those who are started in it. */
function behind(controlPlane: ControlPlane, url: string): ControlPlane {
  return new Proxy(controlPlane, {
    get(target, name) {
      if (name === 'url') return url
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}
