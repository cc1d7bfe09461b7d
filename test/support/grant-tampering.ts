import * as fc from 'fast-check'

import { marks } from '../../src/api/v1alpha1/objects.ts'
import type { KubeObject } from './admin-api.ts'
import { rights } from './asked-grant.ts'
import { carryingBindings, isMarked } from './grant-carriers.ts'
import type { GrantModel } from './grant-model.ts'
import type { GrantWorld } from './grant-world.ts'
import { getOrNull, paths, rules } from './scene.ts'

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
    const bindings = await carryingBindings(admin, scene.namespace)
    const changed = await Promise.all(
      bindings.map(async ({ path, object }) => {
        const change = meddling[how]!(object, intruder)
        // it may have ended meanwhile
        return (change === null ? admin.delete(path) : admin.patch(path, change)).catch(() => object)
      }),
    )
    const now = Date.now()
    if (how.startsWith('another')) for (const right of rights) model.tampered('intruder', right, now)
    // what was taken out of sight is found by the next look at the grant; what says nothing any more, by who starts
    const found = changed.every(isMarked) ? now : Infinity
    if (how.startsWith('no '))
      for (const who of model.holders) for (const right of rights) model.tampered(who, right, found)
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
    for (const who of [...model.holders, 'intruder']) model.tampered(who, 'get secrets', Date.now())
  },
}

export const replaceIdentity: GrantCommand = {
  name: 'tamper: another account in the place of an identity',
  details: '',
  isPossible: ({ grants }) => grants.some(({ holder, subject }) => holder !== subject),
  async act({ scene, admin, model }) {
    const { uid, holder } = model.grants.findLast((grant) => grant.holder !== grant.subject)!
    const accounts = paths.serviceAccounts(scene.namespace)
    if ((await getOrNull(admin, `${accounts}/${holder}`)) === null) return
    await admin.delete(`${accounts}/${holder}`)
    await admin.create(accounts, { metadata: { name: holder } })
    model.identityTaken(uid, Date.now())
  },
}
