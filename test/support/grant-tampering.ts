import * as fc from 'fast-check'

import { marks } from '../../src/api/v1alpha1/objects.ts'
import type { KubeObject } from './admin-api.ts'
import { rights, type GrantModel } from './grant-model.ts'
import { subjects, type GrantWorld } from './grant-world.ts'
import { paths, rules } from './scene.ts'

/** Something that is done to the world and to the model of it. */
export interface GrantCommand {
  readonly name: string
  readonly details: string
  /** Whether there is what it is done to. Default: there is. */
  readonly isPossible?: (model: GrantModel, isRunning: boolean) => boolean
  readonly act: (world: GrantWorld) => Promise<void>
}

const day = 86_400_000
const secrets = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }]

const meddling: Readonly<Record<string, (binding: KubeObject, intruder: object) => object | null>> = {
  'another subject on': ({ subjects: named }, intruder) => ({ subjects: [...(named as readonly object[]), intruder] }),
  'another subject alone on': (_, intruder) => ({ subjects: [intruder] }),
  'a later end on': () => ({
    metadata: { annotations: { [marks.notAfter]: new Date(Date.now() + day).toISOString() } },
  }),
  'no label on': () => ({ metadata: { labels: { [marks.grantUid]: null } } }),
  'no owner of': () => ({ metadata: { ownerReferences: null } }),
  'removal of': () => null,
}

export const tamper = fc.constantFrom(...Object.keys(meddling)).map((how): GrantCommand => ({
  name: `tamper: ${how} bindings`,
  details: '',
  isPossible: ({ grants }) => grants.length > 0,
  async act({ scene, admin, model }) {
    const intruder = { kind: 'ServiceAccount', namespace: scene.namespace, name: 'intruder' }
    for (const binding of await scene.roleBindings()) {
      const path = `${paths.roleBindings(scene.namespace)}/${binding.metadata!.name}`
      const change = meddling[how]!(binding, intruder)
      // it may have ended meanwhile
      await (change === null ? admin.delete(path) : admin.patch(path, change)).catch(() => undefined)
    }
    const now = Date.now()
    if (how.startsWith('another')) for (const right of rights) model.tampered('intruder', right, now)
    // what was taken out of sight is found by the next look at the grant
    if (how.startsWith('no '))
      for (const subject of subjects) for (const right of rights) model.tampered(subject, right, now)
  },
}))

export const bindPool: GrantCommand = {
  name: 'tamper: bind a role of the pool',
  details: '',
  async act({ scene, admin, model }) {
    const { policy } = model
    const role = policy === null ? undefined : await scene.roleOf('rollout', `1.0.${policy.version}`)
    if (role === undefined) return
    await admin.create(paths.roleBindings(scene.namespace), {
      metadata: { generateName: 'gift-' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'ServiceAccount', namespace: scene.namespace, name: 'intruder' }],
    })
    for (const right of ['patch deployments', 'get deployments'] as const) model.tampered('intruder', right, Infinity)
  },
}

export const widenRole: GrantCommand = {
  name: 'tamper: more rules in a role of the pool',
  details: '',
  async act({ scene, admin, model }) {
    const { policy } = model
    const role = policy === null ? undefined : await scene.roleOf('rollout', `1.0.${policy.version}`)
    if (role === undefined) return
    await admin.patch(`${paths.clusterRoles}/${role}`, { rules: [...rules.rollout, ...secrets] }).catch(() => undefined)
    for (const subject of [...subjects, 'intruder']) model.tampered(subject, 'get secrets', Date.now())
  },
}
