import { join } from 'node:path'

import { ApiError } from './admin-api.ts'
import type { ControlPlane } from './control-plane.ts'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { startPod, type Pod } from './pod.ts'

export const chartPath = join(import.meta.dirname, '../../charts/lapse')
const testValuesPath = join(import.meta.dirname, 'test-values.yaml')

/** The release's name. One cluster has one installation. */
const release = 'lapse'

export interface InstallationOptions {
  /** Values of the chart, over test-values.yaml. */
  readonly values?: Readonly<Record<string, unknown>>
  /** The release namespace, created if it is not there. Default `lapse-system`. */
  readonly namespace?: string
}

/** Lapse as a user has it: installed with Helm, its processes run as their Deployments say. */
export interface Installation {
  readonly namespace: string
  /** The one that was started last; it may have been stopped or killed since. */
  readonly controller: Pod
  readonly webhook: Pod
  /** Starts another in place of one that has ended, and waits until it is ready. */
  startController(): Promise<Pod>
  /** The same; resolves when the API server asks it. */
  startWebhook(): Promise<Pod>
  /** Stops both and uninstalls the chart. CRDs, and what is of their kinds, stay. */
  stop(): Promise<void>
}

/** Installs the chart as it stands and starts controller and webhook; resolves when both are ready and the API server asks the webhook. */
export async function installLapse(
  controlPlane: ControlPlane,
  options: InstallationOptions = {},
): Promise<Installation> {
  const namespace = options.namespace ?? 'lapse-system'
  const running: { controller?: Pod; webhook?: Pod } = {}
  const startController = async (): Promise<Pod> => {
    running.controller = await controllerPod(controlPlane, namespace)
    await running.controller.ready()
    return running.controller
  }
  const startWebhook = async (): Promise<Pod> => {
    running.webhook = await webhookPod(controlPlane, namespace)
    await running.webhook.ready()
    await routeService(controlPlane, namespace, running.webhook)
    await webhookIsAsked(controlPlane)
    return running.webhook
  }
  const stop = async (): Promise<void> => {
    await Promise.all([running.controller?.stop(), running.webhook?.stop()])
    await uninstallChart(controlPlane, namespace)
  }

  await installChart(controlPlane, options)
  const starts = await Promise.allSettled([startController(), startWebhook()])
  const failed = starts.find((start) => start.status === 'rejected')
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  return {
    namespace,
    get controller() {
      return running.controller!
    },
    get webhook() {
      return running.webhook!
    },
    startController,
    startWebhook,
    stop,
  }
}

/** `helm install` without waiting for pods: nobody runs those that the Deployments make. Takes over CRDs that are there already. */
export async function installChart(controlPlane: ControlPlane, options: InstallationOptions = {}): Promise<void> {
  await helm(controlPlane, ['install', '--create-namespace', '--take-ownership'], options)
}

/** `helm upgrade` to exactly these values. */
export async function upgradeChart(controlPlane: ControlPlane, options: InstallationOptions = {}): Promise<void> {
  await helm(controlPlane, ['upgrade'], options)
}

export async function uninstallChart(controlPlane: ControlPlane, namespace: string): Promise<void> {
  const result = await controlPlane.helm(['uninstall', release, '--namespace', namespace])
  if (result.code !== 0) throw new Error(`helm uninstall failed: ${result.stderr}`)
}

async function helm(
  controlPlane: ControlPlane,
  command: readonly string[],
  options: InstallationOptions,
): Promise<void> {
  const { namespace = 'lapse-system', values = {} } = options
  const result = await controlPlane.helm(
    [...command, release, chartPath, '--namespace', namespace, '--values', testValuesPath, '--values', '-'],
    { input: JSON.stringify(values) },
  )
  if (result.code !== 0) throw new Error(`helm ${command.join(' ')} failed: ${result.stderr}`)
}

/** The chart's container ports are fixed, and pods here share one network: their addresses are all that differs from the Deployments. */
async function controllerPod(controlPlane: ControlPlane, namespace: string): Promise<Pod> {
  const http = await freePort()
  return startPod({
    controlPlane,
    namespace,
    deployment: 'lapse-controller',
    extraEnv: { LAPSE_HTTP_ADDRESS: `127.0.0.1:${http}` },
    localPorts: { 8080: http },
  })
}

async function webhookPod(controlPlane: ControlPlane, namespace: string): Promise<Pod> {
  const [https, http] = await Promise.all([freePort(), freePort()])
  return startPod({
    controlPlane,
    namespace,
    deployment: 'lapse-webhook',
    extraEnv: { LAPSE_ADDRESS: `127.0.0.1:${https}`, LAPSE_HTTP_ADDRESS: `127.0.0.1:${http}` },
    localPorts: { 8443: https, 8080: http },
  })
}

async function routeService(controlPlane: ControlPlane, namespace: string, webhook: Pod): Promise<void> {
  const service = await controlPlane.admin.get(`/api/v1/namespaces/${namespace}/services/lapse-webhook`)
  await controlPlane.serviceProxy.route(service['spec'].clusterIP as string, 443, webhook.localPort('webhook'))
}

/** The API server takes a moment to heed a webhook configuration. Nobody but the operator may bind a role of the pool: the no is the sign. */
async function webhookIsAsked(controlPlane: ControlPlane): Promise<void> {
  const path = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings?dryRun=All'
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'lapse-set-0' }
  await eventually('the API server asks the webhook', async () => {
    const refusal = await controlPlane.admin.create(path, { metadata: { name: 'is-lapse-there' }, roleRef }).then(
      () => 'allowed',
      (error: unknown) => (error instanceof ApiError ? error.message : Promise.reject(error as Error)),
    )
    if (!refusal.includes('"access.lapse.dev" denied the request')) throw new Error(refusal)
    return refusal
  })
}
