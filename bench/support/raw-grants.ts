import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { load } from 'js-yaml'

import type { AdminApi, KubeObject } from '../../test/support/admin-api.ts'
import { eventually } from '../../test/support/eventually.ts'
import type { Subject } from './access-probe.ts'
import { grantSpec } from './grants.ts'

const crdPath = join(import.meta.dirname, '../../crds/lapse.dev_nhigrants.yaml')
const rawGroup = 'bench.example.com'
export const rawRole = 'bench-rollout'
const rbac = '/apis/rbac.authorization.k8s.io/v1'

/** Writes of one raw grant: the object, what is recorded in its status, the binding, and the status that says it is there. */
export const writesPerGrant = 4

/** Access by hand, with the writes that Lapse makes for a grant, by the same client and without any webhook. */
export class RawGrants {
  readonly #api: AdminApi
  readonly #unreviewed: AdminApi

  constructor(api: AdminApi) {
    this.#api = api
    // the one identity whose bindings our webhooks leave alone
    this.#unreviewed = api.as({ user: 'system:apiserver', groups: ['system:masters'] })
  }

  /** The schema of grants under a group that is not ours, and a role to bind. */
  async prepare(): Promise<void> {
    const crd = load(await readFile(crdPath, 'utf8')) as KubeObject
    await this.#api.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      ...crd,
      metadata: { name: `nhigrants.${rawGroup}` },
      spec: { ...crd['spec'], group: rawGroup, names: { kind: 'NHIGrant', plural: 'nhigrants' } },
    })
    await this.#unreviewed.create(`${rbac}/clusterroles`, {
      metadata: { name: rawRole },
      rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch', 'patch'] }],
    })
    await eventually('the raw kind is served', () => this.#api.get(`/apis/${rawGroup}/v1alpha1/nhigrants`))
  }

  /** What must be on record before the binding: two writes. Returns the object as it is then. */
  async record(subject: Subject): Promise<KubeObject> {
    const path = pathOf(subject)
    const created = await this.#api.create(path, {
      apiVersion: `${rawGroup}/v1alpha1`,
      kind: 'NHIGrant',
      metadata: { name: subject.name, namespace: subject.namespace },
      spec: grantSpec(subject, { duration: '1h' }),
    })
    return this.#api.replace(`${path}/${subject.name}/status`, { ...created, status: recordedStatus('Pending') })
  }

  /** One write, from whose answer on the access exists. */
  async bind(subject: Subject): Promise<void> {
    await this.#unreviewed.create(bindingsPath(subject), {
      metadata: { name: subject.name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: rawRole },
      subjects: [{ kind: 'ServiceAccount', namespace: subject.namespace, name: subject.name }],
    })
  }

  /** The last write. */
  async conclude(subject: Subject, recorded: KubeObject): Promise<void> {
    await this.#api.replace(`${pathOf(subject)}/${subject.name}/status`, {
      ...recorded,
      status: recordedStatus('Active'),
    })
  }

  async unbind(subject: Subject): Promise<void> {
    await this.#unreviewed.delete(`${bindingsPath(subject)}/${subject.name}`)
  }

  /** Ends all that was bound, in one write. */
  async deleteRole(): Promise<void> {
    await this.#unreviewed.delete(`${rbac}/clusterroles/${rawRole}`)
  }
}

function pathOf({ namespace }: Subject): string {
  return `/apis/${rawGroup}/v1alpha1/namespaces/${namespace}/nhigrants`
}

function bindingsPath({ namespace }: Subject): string {
  return `${rbac}/namespaces/${namespace}/rolebindings`
}

/** As much as the operator records before it creates the binding. */
function recordedStatus(state: 'Pending' | 'Active'): object {
  const now = new Date().toISOString()
  return {
    state,
    policy: { version: '1.0.0', digest: `sha256:${'0'.repeat(64)}` },
    subject: { username: 'system:serviceaccount:bench:deployer', uid: '00000000-0000-0000-0000-000000000000' },
    rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch', 'patch'] }],
    issuedAt: now,
    notAfter: now,
    objects: [{ kind: 'RoleBinding', name: 'lapse-00000000-0000-0000-0000-000000000000-rollout' }],
    observedGeneration: 1,
    conditions: [
      { type: 'Ready', status: 'False', reason: 'Issuing', message: `until ${now}`, lastTransitionTime: now },
    ],
  }
}
