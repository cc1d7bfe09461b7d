import { expect } from 'chai'

import type { AdminApi, ApiError, KubeObject } from './admin-api.ts'
import { startControlPlane, type ControlPlane } from './control-plane.ts'
import { eventually } from './eventually.ts'
import { installLapse, type Installation } from './installation.ts'
import { conditionOf, getOrNull, paths } from './scene.ts'

/** A control plane with Lapse installed and a policy in force that all tests of ways round the gate share. */
export interface GuardedCluster {
  readonly controlPlane: ControlPlane
  readonly admin: AdminApi
  readonly lapse: Installation
}

let started: Promise<GuardedCluster> | null = null

/** Of the whole run: started by whoever asks first. */
export function guardedCluster(): Promise<GuardedCluster> {
  started ??= start()
  return started
}

/** Called by mocha after the last test. */
export async function mochaGlobalTeardown(): Promise<void> {
  const cluster = await started?.catch(() => null)
  await cluster?.controlPlane.stop()
}

export const guardPolicy = 'guard'
/** A namespace with this label is governed: its ServiceAccount `api` runs what meets level restricted, and reads no Secrets. */
export const guardedLabel = { 'example.com/guarded': 'yes' }
export const crewTemplates = {
  group: 'crew.example.com',
  resource: 'crews',
  kind: 'Crew',
  path: 'spec.tasks[*].template',
}

/** The values of the chart that it is installed with. */
export const guardedValues = { webhook: { podTemplates: [crewTemplates] } }

async function start(): Promise<GuardedCluster> {
  const controlPlane = await startControlPlane()
  const { admin } = controlPlane
  const lapse = await installLapse(controlPlane, { values: guardedValues })
  await admin.create(paths.policies, guardPolicyOf())
  await eventually(
    'the policy is in force',
    async () =>
      conditionOf(await admin.get(`${paths.policies}/${guardPolicy}`), 'Ready')?.['status'] === 'True' || undefined,
  )
  return { controlPlane, admin, lapse }
}

export function guardPolicyOf(changed: KubeObject = {}, name = guardPolicy): KubeObject {
  const namespaceSelector = { matchLabels: guardedLabel }
  return {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'AccessPolicy',
    metadata: { name },
    spec: {
      version: '1.0.0',
      owner: { name: 'platform' },
      change: { request: 'CHG-1', reason: 'a test', approvedBy: ['ana'], expiresAt: inDays(90) },
      subjects: [{ kind: 'ServiceAccount', namespaceSelector, names: ['api'] }],
      scope: { namespaceSelector },
      permissions: [
        { name: 'rollout', rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'patch'] }] },
      ],
      grants: { maxDuration: '1h', maxActivePerSubject: 10, requesters: [{ kind: 'User', name: 'admin' }] },
      workloads: { podSecurity: { level: 'restricted' }, forbid: ['secrets-read'] },
      ...changed,
    },
  }
}

/** A governed namespace of a test's own, with the ServiceAccount `api`. */
export class GuardedNamespace {
  readonly cluster: GuardedCluster
  readonly name: string

  private constructor(cluster: GuardedCluster, name: string) {
    this.cluster = cluster
    this.name = name
  }

  static async make(labels: Readonly<Record<string, string>> = {}): Promise<GuardedNamespace> {
    const cluster = await guardedCluster()
    const name = await cluster.controlPlane.namespace({ ...guardedLabel, ...labels })
    await cluster.admin.create(paths.serviceAccounts(name), { metadata: { name: 'api' } })
    const found = new GuardedNamespace(cluster, name)
    await found.#isGuarded()
    return found
  }

  get admin(): AdminApi {
    return this.cluster.admin
  }

  /** The collection of a namespaced resource: `pods`, `apps/v1/deployments`, `crew.example.com/v1/crews`. */
  path(resource: string, name = ''): string {
    const [plural, ...group] = resource.split('/').toReversed()
    const root = group.length === 0 ? '/api/v1' : `/apis/${group.toReversed().join('/')}`
    return `${root}/namespaces/${this.name}/${plural}${name === '' ? '' : `/${name}`}`
  }

  create(resource: string, object: KubeObject, query = ''): Promise<KubeObject> {
    return this.admin.create(this.path(resource) + query, object)
  }

  /** What the refusal says. Fails when it was let through, or when it was not lapse that refused. */
  async refused(write: Promise<unknown>): Promise<string> {
    const error = await rejection(write)
    expect(error.message).to.match(/denied the request: denied by lapse/)
    return error.message
  }

  /** An object that is admitted because nobody governs its account yet, and whose account is governed from then on. */
  async oldBreach(resource: string, object: KubeObject): Promise<KubeObject> {
    const account = this.path('serviceaccounts', 'api')
    await this.#label({ 'example.com/guarded': null })
    await eventually('nobody governs it', () => this.create(resource, object, '?dryRun=All').catch(() => undefined))
    const created = await this.create(resource, object)
    await this.#label(guardedLabel)
    await this.#isGuarded()
    expect(await getOrNull(this.admin, account)).not.to.equal(null)
    return created
  }

  #label(labels: Readonly<Record<string, string | null>>): Promise<KubeObject> {
    return this.admin.patch(`/api/v1/namespaces/${this.name}`, { metadata: { labels } })
  }

  /** What the webhook hears of a label is a moment behind. */
  async #isGuarded(): Promise<void> {
    await eventually('the namespace is guarded', async () => {
      const outcome = await this.create('pods', podOf(breach), '?dryRun=All').then(
        () => 'allowed',
        (error: ApiError) => error.message,
      )
      return outcome.includes('[host-path]') || undefined
    })
  }
}

export function rejection(promise: Promise<unknown>): Promise<ApiError> {
  return promise.then(
    () => expect.fail('it succeeded'),
    (error: ApiError) => error,
  )
}

export const securityContext = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}
export const container = { name: 'app', image: 'registry.example/app:1', securityContext }
/** What level restricted refuses, as fields of a pod spec. */
export const breach = { volumes: [{ name: 'node', hostPath: { path: '/etc' } }] }
export const privileged = { ...container, name: 'bad', securityContext: { privileged: true } }

export function podSpec(fields: KubeObject = {}): KubeObject {
  return { serviceAccountName: 'api', containers: [container], ...fields }
}

export function podOf(fields: KubeObject = {}, metadata: KubeObject = { name: 'api' }): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: podSpec(fields) }
}

const labels = { app: 'api' }

export function templateOf(fields: KubeObject = {}, annotations: Readonly<Record<string, string>> = {}): KubeObject {
  return { metadata: { labels, annotations }, spec: podSpec(fields) }
}

export function deploymentOf(fields: KubeObject = {}, spec: KubeObject = {}): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api' },
    spec: { replicas: 0, selector: { matchLabels: labels }, template: templateOf(fields), ...spec },
  }
}

function owner(apiVersion: string, kind: string, spec: KubeObject): KubeObject {
  return { apiVersion, kind, metadata: { name: 'api' }, spec }
}

/** Every kind that is or makes Pods, by its resource, with these fields in its pod spec. */
export function everyKind(fields: KubeObject = {}): Readonly<Record<string, KubeObject>> {
  const template = templateOf(fields)
  const finite = { ...template, spec: { ...template['spec'], restartPolicy: 'Never' } }
  const selector = { matchLabels: labels }
  return {
    pods: podOf(fields),
    replicationcontrollers: owner('v1', 'ReplicationController', { replicas: 0, selector: labels, template }),
    podtemplates: { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name: 'api' }, template },
    'apps/v1/deployments': owner('apps/v1', 'Deployment', { replicas: 0, selector, template }),
    'apps/v1/statefulsets': owner('apps/v1', 'StatefulSet', { replicas: 0, serviceName: 'api', selector, template }),
    'apps/v1/daemonsets': owner('apps/v1', 'DaemonSet', { selector, template }),
    'apps/v1/replicasets': owner('apps/v1', 'ReplicaSet', { replicas: 0, selector, template }),
    'batch/v1/jobs': owner('batch/v1', 'Job', { suspend: true, template: finite }),
    'batch/v1/cronjobs': owner('batch/v1', 'CronJob', {
      schedule: '0 0 1 1 *',
      jobTemplate: { spec: { template: finite } },
    }),
  }
}

export function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString()
}
