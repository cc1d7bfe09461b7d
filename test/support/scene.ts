import { randomBytes } from 'node:crypto'

import { serviceAccountUsername } from '../../src/core/identity.ts'
import { ApiError, type AdminApi, type KubeObject } from './admin-api.ts'
import type { ControlPlane } from './control-plane.ts'
import { eventually } from './eventually.ts'

const rbac = '/apis/rbac.authorization.k8s.io/v1'
const lapse = '/apis/lapse.dev/v1alpha1'

export const paths = {
  policies: `${lapse}/accesspolicies`,
  revisions: `${lapse}/accesspolicyrevisions`,
  grants: (namespace: string) => `${lapse}/namespaces/${namespace}/nhigrants`,
  allGrants: `${lapse}/nhigrants`,
  approvals: (namespace: string) => `${lapse}/namespaces/${namespace}/nhigrantapprovals`,
  suspensions: `${lapse}/nhisuspensions`,
  clusterGrants: `${lapse}/clusternhigrants`,
  clusterRoles: `${rbac}/clusterroles`,
  clusterRoleBindings: `${rbac}/clusterrolebindings`,
  roles: (namespace: string) => `${rbac}/namespaces/${namespace}/roles`,
  roleBindings: (namespace: string) => `${rbac}/namespaces/${namespace}/rolebindings`,
  serviceAccounts: (namespace: string) => `/api/v1/namespaces/${namespace}/serviceaccounts`,
} as const

export const rules = {
  rollout: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'patch'] }],
  readPods: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }],
} as const

/** The object; null if there is none. */
export async function getOrNull(admin: AdminApi, path: string): Promise<KubeObject | null> {
  try {
    return await admin.get(path)
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null
    throw error
  }
}

export function conditionOf(object: KubeObject, type: string): KubeObject | undefined {
  const conditions = (object['status']?.conditions ?? []) as readonly KubeObject[]
  return conditions.find((condition) => condition['type'] === type)
}

/** A namespace of a test's own, and a policy of its own that lets the `default` ServiceAccount there ask for access there. */
export class Scene {
  readonly namespace: string
  readonly policy: string
  readonly #admin: AdminApi

  private constructor(admin: AdminApi, namespace: string, policy: string) {
    this.#admin = admin
    this.namespace = namespace
    this.policy = policy
  }

  /** Without `spec` there is a policy as `policySpec` has it; null: none yet. */
  static async set(controlPlane: ControlPlane, spec: Readonly<Record<string, unknown>> | null = {}): Promise<Scene> {
    const policy = `policy-${randomBytes(4).toString('hex')}`
    const scene = new Scene(controlPlane.admin, await controlPlane.namespace({ policy }), policy)
    if (spec !== null) await scene.applyPolicy(spec)
    return scene
  }

  /** Another namespace in which the same policy lets its own `default` ServiceAccount ask. */
  async elsewhere(controlPlane: ControlPlane): Promise<Scene> {
    return new Scene(this.#admin, await controlPlane.namespace({ policy: this.policy }), this.policy)
  }

  /** The user name of the subject. */
  get username(): string {
    return serviceAccountUsername(this.namespace, 'default')
  }

  policySpec(changed: Readonly<Record<string, unknown>> = {}): KubeObject {
    const namespaceSelector = { matchLabels: { policy: this.policy } }
    return {
      version: '1.0.0',
      owner: { name: 'platform' },
      change: { request: 'CHG-1', reason: 'a test', approvedBy: ['ana'], expiresAt: '2099-01-01T00:00:00Z' },
      subjects: [{ kind: 'ServiceAccount', namespaceSelector, names: ['default'] }],
      scope: { namespaceSelector },
      permissions: [
        { name: 'rollout', rules: rules.rollout },
        { name: 'read-pods', rules: rules.readPods },
      ],
      grants: { maxDuration: '1h', maxActivePerSubject: 100, requesters: [{ kind: 'Self' }] },
      ...changed,
    }
  }

  applyPolicy(changed: Readonly<Record<string, unknown>> = {}): Promise<KubeObject> {
    return this.#admin.apply(`${paths.policies}/${this.policy}`, {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'AccessPolicy',
      metadata: { name: this.policy, labels: { policy: this.policy } },
      spec: this.policySpec(changed),
    })
  }

  /** Resolves when the policy's condition Ready speaks of its newest generation and has that status, and reason if it is given. */
  policyIs(status: 'True' | 'False', reason?: string): Promise<KubeObject> {
    return eventually(`policy ${this.policy} is Ready ${status} ${reason ?? ''}`, async () => {
      const policy = await this.#admin.get(`${paths.policies}/${this.policy}`)
      const ready = conditionOf(policy, 'Ready')
      if (ready?.['observedGeneration'] !== policy.metadata!['generation']) return undefined
      return ready?.['status'] === status && (reason ?? ready['reason']) === ready['reason'] ? policy : undefined
    })
  }

  /** The ClusterRole of a permission set, by the revision of that version. */
  async roleOf(set: string, version = '1.0.0'): Promise<string | undefined> {
    const revision = await getOrNull(this.#admin, `${paths.revisions}/${this.policy}-${version}`)
    const roles = (revision?.['status']?.roles ?? []) as readonly { set: string; clusterRole: string }[]
    return roles.find((role) => role.set === set)?.clusterRole
  }

  /** Creates a grant: `rollout` for ten minutes for the default ServiceAccount, which asks itself, unless changed. */
  async ask(name: string, changed: Readonly<Record<string, unknown>> = {}, query = ''): Promise<string> {
    const end = 'notAfter' in changed || 'duration' in changed ? {} : { duration: '10m' }
    const created = await this.#admin.create(`${paths.grants(this.namespace)}${query}`, {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHIGrant',
      metadata: { name },
      spec: {
        policy: { name: this.policy },
        subject: { kind: 'ServiceAccount', namespace: this.namespace, name: 'default' },
        permissions: ['rollout'],
        reason: 'a test',
        requestedBy: this.username,
        ...end,
        ...changed,
      },
    })
    return created.metadata!.uid!
  }

  grant(name: string): Promise<KubeObject> {
    return this.#admin.get(`${paths.grants(this.namespace)}/${name}`)
  }

  revoke(name: string, reason = 'enough'): Promise<KubeObject> {
    return this.#admin.patch(`${paths.grants(this.namespace)}/${name}`, { spec: { revoke: { reason } } })
  }

  /** Resolves when the grant has that state. */
  reaches(name: string, state: string, withinMs?: number): Promise<KubeObject> {
    return this.whenGrant(name, `is ${state}`, (grant) => grant['status']?.state === state, withinMs)
  }

  /** Resolves when the grant has ended in that state and the API server's verdict is in. */
  ends(name: string, state: 'Expired' | 'Completed' | 'Revoked', withinMs?: number): Promise<KubeObject> {
    const isProved = ({ status }: KubeObject): boolean =>
      status?.state === state && status.revocation?.verifiedAt !== undefined
    return this.whenGrant(name, `is ${state} and proved to be`, isProved, withinMs)
  }

  /** Resolves when the grant waits for that reason. */
  waitsFor(name: string, reason: string): Promise<KubeObject> {
    return this.whenGrant(name, `waits: ${reason}`, (grant) => conditionOf(grant, 'Ready')?.['reason'] === reason)
  }

  whenGrant(name: string, what: string, holds: (grant: KubeObject) => boolean, withinMs?: number): Promise<KubeObject> {
    let last: KubeObject | null = null
    const probe = async (): Promise<KubeObject | undefined> => {
      last = await this.grant(name)
      return holds(last) ? last : undefined
    }
    return eventually(`grant ${name} ${what}`, probe, withinMs).catch((error: unknown) => {
      const status = JSON.stringify(last?.['status'] ?? null)
      throw new Error(`${(error as Error).message}; its status is ${status}`, { cause: error })
    })
  }

  roleBindings(): Promise<readonly KubeObject[]> {
    return this.#admin.list(paths.roleBindings(this.namespace))
  }

  roles(): Promise<readonly KubeObject[]> {
    return this.#admin.list(paths.roles(this.namespace))
  }

  /** A SubjectAccessReview about the subject, in the namespace of the scene. */
  async allows(verb = 'patch', resource = 'deployments', group = 'apps', name = ''): Promise<boolean> {
    const review = await this.#admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      spec: { user: this.username, resourceAttributes: { namespace: this.namespace, verb, group, resource, name } },
    })
    return review['status'].allowed === true
  }

  /** Resolves when that is allowed: the authorizer of the API server follows a watch of its own, behind what is stored. */
  whenAllowed(...question: Parameters<Scene['allows']>): Promise<true> {
    return eventually(
      `${this.username} may ${question.join(' ')}`,
      async () => (await this.allows(...question)) || undefined,
    )
  }

  /** The same of what is not allowed any more. */
  whenRefused(...question: Parameters<Scene['allows']>): Promise<true> {
    return eventually(
      `${this.username} may not ${question.join(' ')}`,
      async () => !(await this.allows(...question)) || undefined,
    )
  }
}
