import { isDeepStrictEqual } from 'node:util'

import { expect } from 'chai'

import { ApiError, type AdminApi, type KubeObject } from '../support/admin-api.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { installLapse, type Installation } from '../support/installation.ts'
import { conditionOf, paths, Scene } from '../support/scene.ts'

const rbac = 'rbac.authorization.k8s.io'
/** What the pool hands out here: nothing that the ClusterRole admin holds. */
const vaults = [{ apiGroups: ['secret.example.com'], resources: ['vaults'], verbs: ['get', 'list'] }]
const narrower = [{ ...vaults[0], verbs: ['get'] }]
const nadia = { user: 'nadia' }
const mallory = { kind: 'User', apiGroup: rbac, name: 'mallory' }
const pool = (name: string): object => ({ apiGroup: rbac, kind: 'ClusterRole', name })

const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof ApiError ? error.message : Promise.reject(error as Error)),
  )

/** nadia is admin of a namespace, by the ClusterRole `admin` and the right to write RoleBindings, and wants what the pool gives there. */
describe('an attack on the pool of roles', () => {
  let controlPlane: ControlPlane
  let admin: AdminApi
  let lapse: Installation
  let scene: Scene
  let role: string
  let events: () => Promise<readonly KubeObject[]>

  before(async function () {
    this.timeout(180_000)
    controlPlane = await startControlPlane()
    admin = controlPlane.admin
    lapse = await installLapse(controlPlane, { values: { grantable: vaults } })
    scene = await Scene.set(controlPlane, null)
    const expiresAt = new Date(Date.now() + 90 * 86_400_000).toISOString()
    await scene.applyPolicy({
      change: { ...scene.policySpec()['change'], expiresAt },
      permissions: [{ name: 'rollout', rules: vaults }],
      grants: { maxDuration: '1h', maxActivePerSubject: 100, requesters: [{ kind: 'User', name: 'admin' }] },
    })
    await scene.policyIs('True', 'Accepted')
    role = (await scene.roleOf('rollout'))!
    await admin.create(paths.roleBindings(scene.namespace), {
      metadata: { name: 'nadia' },
      roleRef: pool('admin'),
      subjects: [{ kind: 'User', apiGroup: rbac, name: nadia.user }],
    })
    await eventually('nadia may write RoleBindings', async () => {
      const resourceAttributes = { namespace: scene.namespace, verb: 'create', group: rbac, resource: 'rolebindings' }
      return (await isAllowed(nadia.user, resourceAttributes)) || undefined
    })
    await eventually('the webhook goes by the policy', () =>
      scene.ask('probe', { requestedBy: 'admin' }, '?dryRun=All'),
    )
    events = () => admin.list('/apis/events.k8s.io/v1/namespaces/default/events')
  })
  after(async function () {
    this.timeout(120_000)
    await lapse?.stop()
    await controlPlane?.stop()
  })

  // The authorizer of the API server follows watches of its own, a moment behind what is stored.
  afterEach('nobody has gained a verb', async () => {
    for (const user of [nadia.user, mallory.name])
      for (const verb of ['get', 'list'])
        await eventually(`${user} may not ${verb}`, async () => !(await allowed(user, verb)) || undefined)
  })

  async function isAllowed(user: string, resourceAttributes: object): Promise<boolean> {
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
    return (await admin.create(path, { spec: { user, resourceAttributes } }))['status'].allowed === true
  }

  function allowed(user: string, verb: string): Promise<boolean> {
    const vault = { group: 'secret.example.com', resource: 'vaults' }
    return isAllowed(user, { namespace: scene.namespace, verb, ...vault })
  }

  const bind = (roleRef: object, name = 'gift'): Promise<KubeObject> =>
    admin.as(nadia).create(paths.roleBindings(scene.namespace), { metadata: { name }, roleRef, subjects: [mallory] })

  const bindings = async (): Promise<readonly string[]> =>
    (await scene.roleBindings()).map(({ metadata }) => metadata!.name!)

  /** Resolves when there is an event of the policy that says so. */
  const toldOfPolicy = (reason: string, words: string): Promise<KubeObject> =>
    eventually(`the event ${reason}: ${words}`, async () =>
      (await events()).find(
        ({ regarding, note, ...each }) =>
          each['reason'] === reason && regarding.name === scene.policy && (note as string).includes(words),
      ),
    )

  async function activeGrant(name: string): Promise<string> {
    await scene.ask(name, { requestedBy: 'admin' })
    const grant = await scene.reaches(name, 'Active')
    return grant['status'].objects[0].name as string
  }

  describe('with the webhook', () => {
    it('a binding that is not ours is refused at admission: to a role that is there, and to one that is not yet', async () => {
      for (const name of [role, 'lapse-set-200']) {
        expect(await outcome(bind(pool(name)))).to.match(/not currently held|not found/)
        const asAdmin = { metadata: { name: 'gift' }, roleRef: pool(name), subjects: [mallory] }
        expect(await outcome(admin.create(paths.roleBindings(scene.namespace), asAdmin))).to.match(/pool of roles/)
      }
    })

    it('a binding of ours is not edited, and one of its name and labels is not created', async () => {
      const name = await activeGrant('edited')
      const path = `${paths.roleBindings(scene.namespace)}/${name}`
      const original = await admin.get(path)
      const { labels = {}, ownerReferences } = original.metadata!
      expect(await outcome(admin.as(nadia).patch(path, { subjects: [mallory] }))).to.match(
        /only .* writes it|not currently held/,
      )
      await admin.as(nadia).delete(path)
      const copy = { metadata: { name, labels, ownerReferences }, roleRef: original['roleRef'], subjects: [mallory] }
      expect(await outcome(admin.as(nadia).create(paths.roleBindings(scene.namespace), copy))).not.to.equal('done')
      await scene.whenGrant('edited', 'is healed', (each) => conditionOf(each, 'Compliant')?.['status'] === 'True')
      await eventually('the subject has it again', async () =>
        (await allowed(scene.username, 'list')) ? true : undefined,
      )
      await scene.revoke('edited')
      await scene.ends('edited', 'Revoked')
    })

    it('a role under another name, of a grant whose set has none of the pool, is not bound before it is there', async () => {
      // until all of that is done nobody issues the grant
      await lapse.controller.stop()
      const uid = await scene.ask('own', { requestedBy: 'admin', rules: narrower })
      const own = { metadata: { name: `lapse-${uid}` }, rules: [] }
      await admin.as(nadia).create(paths.roles(scene.namespace), own)
      await bind({ apiGroup: rbac, kind: 'Role', name: `lapse-${uid}` })
      await admin.as(nadia).delete(`${paths.roles(scene.namespace)}/lapse-${uid}`)
      await lapse.startController()
      const denied = await scene.reaches('own', 'Denied')
      expect(denied['status'].endedReason).to.match(/RoleBinding gift binds Role lapse-.* already/)
      await admin.delete(`${paths.roleBindings(scene.namespace)}/gift`)
    })
  })

  describe('without the webhook', () => {
    before(async () => {
      const path = '/apis/admissionregistration.k8s.io/v1'
      await admin.delete(`${path}/validatingwebhookconfigurations/lapse`)
      await admin.delete(`${path}/mutatingwebhookconfigurations/lapse`)
      await eventually('nobody asks it', async () => {
        const dryRun = `${paths.roleBindings(scene.namespace)}?dryRun=All`
        const object = { metadata: { name: 'probe' }, roleRef: pool(role), subjects: [mallory] }
        return (await outcome(admin.create(dryRun, object))) === 'done' ? true : undefined
      })
    })

    it('a role is created with its full rules: who does not hold them does not bind it, nor a missing one', async () => {
      expect(await outcome(bind(pool(role)))).to.match(/not currently held/)
      expect(await outcome(bind(pool('lapse-set-200')))).to.match(/"lapse-set-200" not found/)
      const name = await activeGrant('copied')
      const path = `${paths.roleBindings(scene.namespace)}/${name}`
      expect(await outcome(admin.as(nadia).patch(path, { subjects: [mallory] }))).to.match(/not currently held/)
    })

    it('a role is never emptied and refilled: one that somebody empties takes with it what was bound meanwhile', async () => {
      await lapse.controller.stop()
      await admin.patch(`${paths.clusterRoles}/${role}`, { rules: [] })
      await bind(pool(role))
      await lapse.startController()
      await toldOfPolicy('DriftHealed', `ClusterRole ${role} was changed`)
      await scene.policyIs('True', 'Accepted')
      expect((await admin.get(`${paths.clusterRoles}/${role}`))['rules']).to.deep.equal(vaults)
      expect(await bindings()).not.to.include('gift')
      await eventually(
        'the grant has its access again',
        async () => (await allowed(scene.username, 'list')) || undefined,
      )
    })

    it('a mapping stays on record: a role that is emptied, bound and deleted comes back without that binding', async () => {
      await lapse.controller.stop()
      await admin.patch(`${paths.clusterRoles}/${role}`, { rules: [] })
      await bind(pool(role))
      await admin.delete(`${paths.clusterRoles}/${role}`)
      await lapse.startController()
      await eventually('it is back', () => admin.get(`${paths.clusterRoles}/${role}`).catch(() => undefined))
      expect(await bindings()).not.to.include('gift')
    })

    it('a role of ours that is changed while we look is healed within a watch event', async () => {
      const everything = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]
      await admin.patch(`${paths.clusterRoles}/${role}`, {
        rules: everything,
        metadata: { labels: { 'lapse.dev/policy': null } },
      })
      await eventually('it is as recorded', async () => {
        const found = await admin.get(`${paths.clusterRoles}/${role}`).catch(() => null)
        return isDeepStrictEqual(found?.['rules'], vaults) ? true : undefined
      })
      await eventually('nobody has more', async () => !(await allowed(scene.username, 'delete')) || undefined)
    })

    it('a binding that is not ours is removed and reported when it is found', async () => {
      await admin.create(paths.roleBindings(scene.namespace), {
        metadata: { name: 'by-somebody-who-may' },
        roleRef: pool(role),
        subjects: [mallory],
      })
      await lapse.controller.stop()
      await lapse.startController()
      await toldOfPolicy('PoolBindingRemoved', `/by-somebody-who-may bound ClusterRole ${role}`)
      expect(await bindings()).not.to.include('by-somebody-who-may')
    })

    it('a name is used again only when no binding refers to it: one that stays keeps its role from coming back', async () => {
      const path = `/apis/${rbac}/v1/clusterrolebindings`
      await lapse.controller.stop()
      await admin.delete(`${paths.clusterRoles}/${role}`)
      await admin.create(path, { metadata: { name: 'everywhere' }, roleRef: pool(role), subjects: [mallory] })
      await lapse.startController()
      const policy = await scene.policyIs('False', 'ObjectNotOurs')
      expect(conditionOf(policy, 'Ready')!['message']).to.match(
        /^ClusterRoleBinding everywhere to ClusterRole lapse-set-/,
      )
      expect(await outcome(admin.get(`${paths.clusterRoles}/${role}`))).to.match(/not found/)
      await admin.delete(`${path}/everywhere`)
    })
  })
})
