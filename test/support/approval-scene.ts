import type { AdminApi, KubeObject } from './admin-api.ts'
import { eventually } from './eventually.ts'
import { guardedCluster, inDays, rejection, type GuardedCluster } from './guarded-cluster.ts'
import { conditionOf, getOrNull, paths } from './scene.ts'
import { untilAllowed } from './until-allowed.ts'
import { grantDigestOf } from '../../src/api/v1alpha1/digest.ts'
import type { NHIGrantSpec } from '../../src/api/v1alpha1/nhi-grant.schema.ts'

type Fields = Readonly<Record<string, unknown>>

const accessReviews = '/apis/authorization.k8s.io/v1/subjectaccessreviews'

export const ana = { user: 'ana@example.com', groups: ['leads'] }
export const bo = { user: 'bo@example.com', groups: ['leads'] }
/** Whom RBAC lets do everything, and no policy anything. */
export const eve = { user: 'eve@example.com', groups: ['system:masters'] }

/** A write, which is a dry run with that query. */
export type Write = (query: string) => Promise<unknown>

/** Does what is refused once the webhook has heard of what stands against it, which a dry run shows; what the refusal says. */
export async function refusedSoon(write: Write): Promise<string> {
  const fails = (): Promise<true | undefined> =>
    write('?dryRun=All').then(
      () => undefined,
      () => true,
    )
  await eventually('the webhook knows what stands against it', fails)
  return (await rejection(write(''))).message
}

/** Does what is let pass once the webhook has heard of what it takes, which a dry run shows. */
export async function admittedSoon(write: Write): Promise<void> {
  await eventually('the webhook lets it pass', () => write('?dryRun=All').then(() => true))
  await write('')
}

/** A namespace and a policy of a test's own in the shared cluster; `api` is its subject, and `admin` asks. */
export class ApprovalScene {
  readonly cluster: GuardedCluster
  readonly namespace: string
  readonly policy: string

  private constructor(cluster: GuardedCluster, namespace: string) {
    this.cluster = cluster
    this.namespace = namespace
    this.policy = `policy-of-${namespace}`
  }

  /** With these terms for grants; resolves when grants are issued by them, and the webhook knows of them. */
  static async set(grants: Fields = {}, labels: Readonly<Record<string, string>> = {}): Promise<ApprovalScene> {
    const cluster = await guardedCluster()
    const scene = new ApprovalScene(cluster, await cluster.controlPlane.namespace(labels))
    await scene.admin.create(paths.serviceAccounts(scene.namespace), { metadata: { name: 'api' } })
    await scene.#letSpeak()
    await scene.apply(grants)
    return scene
  }

  /** RBAC lets leads and the ServiceAccounts of the namespace write here: what is refused is refused by lapse. */
  async #letSpeak(): Promise<void> {
    const kinds = [{ apiGroups: ['lapse.dev'], resources: ['nhigrants', 'nhigrantapprovals'], verbs: ['create'] }]
    await this.admin.create(paths.roles(this.namespace), { metadata: { name: 'speak' }, rules: kinds })
    await this.admin.create(paths.roleBindings(this.namespace), {
      metadata: { name: 'speak' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'speak' },
      subjects: ['leads', `system:serviceaccounts:${this.namespace}`].map((name) => ({
        kind: 'Group',
        name,
        apiGroup: 'rbac.authorization.k8s.io',
      })),
    })
    const resourceAttributes = { namespace: this.namespace, verb: 'create', group: 'lapse.dev', resource: 'nhigrants' }
    await untilAllowed(this.admin, ana, resourceAttributes)
  }

  get admin(): AdminApi {
    return this.cluster.admin
  }

  get subject(): string {
    return `system:serviceaccount:${this.namespace}:api`
  }

  /** A version of the policy. */
  async apply(grants: Fields, version = '1.0.0'): Promise<void> {
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': this.namespace } }
    await this.admin.apply(`${paths.policies}/${this.policy}`, {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'AccessPolicy',
      metadata: { name: this.policy },
      spec: {
        version,
        owner: { name: 'platform' },
        change: { request: 'CHG-1', reason: 'a test', approvedBy: ['ana'], expiresAt: inDays(90) },
        subjects: [
          { kind: 'ServiceAccount', namespaceSelector, names: ['api', 'other'] },
          { kind: 'Group', names: ['leads'] },
        ],
        scope: { namespaceSelector },
        permissions: [
          { name: 'rollout', rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'patch'] }] },
          { name: 'read', rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
        ],
        grants: {
          maxDuration: '1h',
          maxActivePerSubject: 10,
          requesters: [{ kind: 'Group', name: 'system:masters' }, { kind: 'Group', name: 'leads' }, { kind: 'Self' }],
          ...grants,
        },
      },
    })
    await eventually(`version ${version} is ready`, async () => {
      const { status } = await this.admin.get(`${paths.policies}/${this.policy}`)
      return status?.activeVersion === version && conditionOf({ status }, 'Ready')?.['status'] === 'True'
        ? true
        : undefined
    })
    await eventually(`the webhook goes by version ${version}`, async () => {
      const asked = this.ask({ policy: { name: this.policy, version } }, this.admin, 'probe', '?dryRun=All')
      const answer = await asked.then(() => '', String)
      return /\[(policy-missing|policy-version|subject-missing|namespace-missing)\]/.test(answer) ? undefined : true
    })
  }

  /** Asks for `rollout` for ten minutes for `api`, unless changed. */
  async ask(spec: Fields = {}, api = this.admin, name = 'rollout', query = ''): Promise<KubeObject> {
    const end = 'notAfter' in spec ? {} : { duration: '10m' }
    const subject = { kind: 'ServiceAccount', namespace: this.namespace, name: 'api' }
    const written = {
      policy: { name: this.policy },
      subject,
      permissions: ['rollout'],
      reason: 'a test',
      ...end,
      ...spec,
    }
    return api.create(`${paths.grants(this.namespace)}${query}`, {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHIGrant',
      metadata: { name },
      spec: written,
    })
  }

  grant(name = 'rollout'): Promise<KubeObject> {
    return this.admin.get(`${paths.grants(this.namespace)}/${name}`)
  }

  /** What an approval of the grant is to name, as it is now. */
  async meant(name = 'rollout'): Promise<{ readonly grant: KubeObject; readonly grantDigest: string }> {
    const [grant, policy] = await Promise.all([this.grant(name), this.admin.get(`${paths.policies}/${this.policy}`)])
    const grantDigest = grantDigestOf(grant['spec'] as NHIGrantSpec, policy['status'].digest as string)
    return { grant: { name, uid: grant.metadata!.uid }, grantDigest }
  }

  async say(
    who: Parameters<AdminApi['as']>[0],
    decision: 'Approve' | 'Deny' | 'Review' = 'Approve',
    changed: Fields = {},
    query = '',
  ): Promise<KubeObject> {
    const name = (changed['name'] as string | undefined) ?? 'rollout'
    const { name: _, ...fields } = changed
    return this.admin.as(who).create(`${paths.approvals(this.namespace)}${query}`, {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHIGrantApproval',
      metadata: { generateName: `${name}-` },
      spec: { ...(await this.meant(name)), decision, reason: 'a test', ...fields },
    })
  }

  /** The grant in that state. */
  is(state: string, name = 'rollout'): Promise<KubeObject> {
    return eventually(`the grant is ${state}`, async () => {
      const grant = await this.grant(name)
      if (grant['status']?.state !== state) throw new Error(JSON.stringify(grant['status']))
      return grant
    })
  }

  /** The grant once it has ended in that state and the API server has said that the access is gone. */
  async ends(state: 'Expired' | 'Revoked', name = 'rollout'): Promise<KubeObject> {
    return eventually(`grant ${name} is ${state} and proved to be`, async () => {
      const grant = await this.grant(name)
      const isProved = conditionOf(grant, 'RevocationVerified')?.['status'] === 'True'
      if (grant['status']?.state !== state || !isProved) throw new Error(JSON.stringify(grant['status']))
      return grant
    })
  }

  /** Resolves when the subject may do what the set `rollout` gives: RBAC hears of a binding after it was made. */
  async mayAtLast(): Promise<void> {
    await eventually(`${this.subject} may`, async () => (await this.may()) || undefined)
  }

  /** Whether the subject may do what the set `rollout` gives; the API server says. */
  async may(user = this.subject, groups: readonly string[] = []): Promise<boolean> {
    const resourceAttributes = { namespace: this.namespace, verb: 'patch', group: 'apps', resource: 'deployments' }
    const review = await this.admin.create(accessReviews, { spec: { user, groups, resourceAttributes } })
    return review['status'].allowed as boolean
  }

  label(labels: Readonly<Record<string, string | null>>): Promise<KubeObject> {
    return this.admin.patch(`/api/v1/namespaces/${this.namespace}`, { metadata: { labels } })
  }

  approvals(): Promise<readonly KubeObject[]> {
    return this.admin.list(paths.approvals(this.namespace))
  }

  find(path: string): Promise<KubeObject | null> {
    return getOrNull(this.admin, path)
  }
}
