import { grantDigestOf } from '../../src/api/v1alpha1/digest.ts'
import type { NHIGrantSpec } from '../../src/api/v1alpha1/nhi-grant.schema.ts'
import { parseAccessPolicy } from '../../src/api/v1alpha1/parse-access-policy.ts'
import { serviceAccountUsername } from '../../src/core/identity.ts'
import type { AdminApi, KubeObject } from './admin-api.ts'
import type { AskedGrant, ModelPolicy } from './asked-grant.ts'
import { eventually } from './eventually.ts'
import { jobOf, succeeded } from './job.ts'
import { getOrNull, paths, type Scene } from './scene.ts'
import { specOf } from './world-policy.ts'

/** Who may get access. */
export const subjects = ['a', 'b'] as const

/** Where it counts what is said of grants for the whole cluster. */
const operatorNamespace = 'lapse-system'

/** What people do in a namespace of their own, with a policy of their own. Nothing here knows the model of it. */
export class WorldPeople {
  readonly #admin: AdminApi
  readonly #scene: Scene

  constructor(admin: AdminApi, scene: Scene) {
    this.#admin = admin
    this.#scene = scene
  }

  usernameOf(somebody: string): string {
    return serviceAccountUsername(this.#scene.namespace, somebody)
  }

  askedBy(requestedBy: string, subject: string): Readonly<Record<string, unknown>> {
    return { requestedBy, subject: { kind: 'ServiceAccount', namespace: this.#scene.namespace, name: subject } }
  }

  applyPolicy(policy: ModelPolicy): Promise<KubeObject> {
    return this.#scene.applyPolicy(specOf(this.#scene, subjects, policy))
  }

  /** A grant of its policy; resolves with its UID. */
  async ask(name: string, isWide: boolean, spec: Readonly<Record<string, unknown>>): Promise<string> {
    const { policy } = this.#scene
    if (!isWide) return this.#scene.ask(name, spec)
    const created = await this.#admin.create(paths.clusterGrants, {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'ClusterNHIGrant',
      metadata: { name, labels: { policy } },
      spec: { policy: { name: policy }, permissions: ['rollout'], reason: 'a test', ...spec },
    })
    return created.metadata!.uid!
  }

  pathOf({ name, isWide }: AskedGrant): string {
    return `${isWide ? paths.clusterGrants : paths.grants(this.#scene.namespace)}/${name}`
  }

  revoke(grant: AskedGrant): Promise<KubeObject> {
    return this.#admin.patch(this.pathOf(grant), { spec: { revoke: { reason: 'enough' } } })
  }

  /** As whoever that is, where it counts or where it does not; of the grant as it is stored, under the policy as it is stored. */
  async say(
    asked: AskedGrant,
    approver: string,
    decision: 'Approve' | 'Deny',
    place: 'there' | 'elsewhere',
  ): Promise<void> {
    const grant = await this.#admin.get(this.pathOf(asked))
    const policy = parseAccessPolicy(await this.#admin.get(`${paths.policies}/${this.#scene.policy}`))
    if (!policy.ok) throw new Error('the policy cannot be read')
    const { name, uid, isWide } = asked
    const counts = (place === 'there') === isWide ? operatorNamespace : this.#scene.namespace
    await this.#admin.create(paths.approvals(counts), {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHIGrantApproval',
      metadata: { generateName: `${name}-` },
      spec: {
        grant: { name, uid, ...(isWide && { kind: 'ClusterNHIGrant' }) },
        grantDigest: grantDigestOf(grant['spec'] as NHIGrantSpec, policy.value.digest),
        decision,
        reason: 'a test',
        approver,
      },
    })
  }

  /** A label of the namespace; null: it has none any more. */
  async label(labels: Readonly<Record<string, string | null>>): Promise<void> {
    await this.#admin.patch(`/api/v1/namespaces/${this.#scene.namespace}`, { metadata: { labels } })
  }

  async suspend(subject: string): Promise<void> {
    await this.#admin.create(paths.suspensions, {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHISuspension',
      metadata: { name: this.#suspensionOf(subject) },
      spec: { subject: { kind: 'ServiceAccount', namespace: this.#scene.namespace, name: subject }, reason: 'a test' },
    })
  }

  /** If he is suspended. */
  async lift(subject: string): Promise<void> {
    const path = `${paths.suspensions}/${this.#suspensionOf(subject)}`
    if ((await getOrNull(this.#admin, path)) !== null) await this.#admin.delete(path)
  }

  /** Another one than there was. */
  async startTask(): Promise<void> {
    const task = `${this.#jobs}/task`
    const last = await getOrNull(this.#admin, task)
    if (last !== null && last.metadata?.['deletionTimestamp'] === undefined) await this.endTask(true)
    // a finalizer holds a Job that is deleted
    await eventually('the last task is gone', async () => (await getOrNull(this.#admin, task)) === null || undefined)
    await this.#admin.create(this.#jobs, jobOf('task'))
  }

  async endTask(isDeleted: boolean): Promise<void> {
    if (isDeleted) await this.#admin.delete(`${this.#jobs}/task`)
    else await this.#admin.patch(`${this.#jobs}/task/status`, { status: succeeded })
  }

  get #jobs(): string {
    return `/apis/batch/v1/namespaces/${this.#scene.namespace}/jobs`
  }

  #suspensionOf(subject: string): string {
    return `${this.#scene.namespace}-${subject}`
  }
}
