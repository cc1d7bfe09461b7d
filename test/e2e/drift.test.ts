import { isDeepStrictEqual } from 'node:util'

import { expect } from 'chai'

import { ServerError } from '../../src/cluster/errors.ts'
import type { AdminApi, KubeObject } from '../support/admin-api.ts'
import { isWrite } from '../support/audit-log.ts'
import { ControllersFixture, operator, type RunningControllers } from '../support/controllers-fixture.ts'
import { eventually } from '../support/eventually.ts'
import type { Interceptor } from '../support/intercepted-client.ts'
import { conditionOf, getOrNull, paths, rules, Scene } from '../support/scene.ts'

const mallory = { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'mallory' }
const narrower = [{ ...rules.rollout[0], verbs: ['get'] }]
const finalizers = ['example.com/kept']

interface Life {
  readonly scene: Scene
  readonly uid: string
  /** The path of its binding. */
  readonly binding: string
  readonly issued: KubeObject
}

function sayings({ metadata, roleRef, subjects }: KubeObject): object {
  const { labels, annotations, ownerReferences } = metadata!
  return { labels, annotations, ownerReferences, roleRef, subjects }
}

const saysTheSame = (found: KubeObject | null, { issued }: Life): boolean =>
  found !== null && isDeepStrictEqual(sayings(found), sayings(issued))

const isSaid = (grant: KubeObject): boolean => conditionOf(grant, 'Compliant')?.['status'] === 'False'

/** Resolves when the grant says that it is as issued again, and the status knows the objects that there are. */
const healed = ({ scene }: Life): Promise<KubeObject> =>
  scene.whenGrant('g', 'is healed', (grant) => {
    const compliant = conditionOf(grant, 'Compliant')
    return compliant?.['status'] === 'True' && compliant['reason'] === 'DriftHealed'
  })

/** What somebody with cluster-admin's rights does to the objects of a grant while no webhook stands before them. */
describe('drift of an Active grant', () => {
  // Its own: controllers see to every grant of a control plane.
  let fixture: ControllersFixture
  let admin: AdminApi
  let controllers: RunningControllers
  const events: { readonly reason: string; readonly note: string; readonly about: string }[] = []

  const start = async (intercept?: Interceptor): Promise<void> => {
    controllers = await fixture.run({
      ...(intercept !== undefined && { intercept }),
      events: () => ({
        record: ({ reason, note, regarding }) => void events.push({ reason, note, about: regarding.metadata.uid }),
      }),
    })
  }
  before(async function () {
    this.timeout(120_000)
    fixture = await ControllersFixture.start()
    admin = fixture.controlPlane.admin
    await start()
  })
  after(() => fixture?.stop())

  async function active(changed: Readonly<Record<string, unknown>> = {}): Promise<Life> {
    const scene = await Scene.set(fixture.controlPlane)
    await scene.policyIs('True')
    const uid = await scene.ask('g', changed)
    await scene.reaches('g', 'Active')
    const [issued] = await scene.roleBindings()
    return { scene, uid, binding: `${paths.roleBindings(scene.namespace)}/${issued!.metadata!.name}`, issued: issued! }
  }

  const told = (uid: string, reason: string): string | undefined =>
    events.find((event) => event.about === uid && event.reason === reason)?.note

  /** Resolves with what the grant's event of that reason says, which is recorded after the status is written. */
  const newsOf = ({ uid }: Life, reason: string): Promise<string> =>
    eventually(`${reason} is told`, async () => told(uid, reason))

  const allowed = async (user: string, { scene }: Life): Promise<boolean> => {
    const resourceAttributes = { namespace: scene.namespace, verb: 'patch', group: 'apps', resource: 'deployments' }
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
    const review = await admin.create(path, { spec: { user, resourceAttributes } })
    return review['status'].allowed === true
  }

  /** Resolves when the API server, whose authorizer is a moment behind, allows the subject what was issued and mallory nothing. */
  const allowsAsIssued = (life: Life): Promise<true> =>
    eventually('the subject has its access, and nobody else', async () => {
      const answers = await Promise.all([allowed(life.scene.username, life), allowed('mallory', life)])
      return isDeepStrictEqual(answers, [true, false]) || undefined
    })

  const changes: Readonly<Record<string, readonly [change: (life: Life) => object, told: RegExp]>> = {
    'invariant 6: a foreign subject on its binding is removed and told': [
      ({ issued }) => ({ subjects: [...issued['subjects'], mallory] }),
      /it named User mallory/,
    ],
    'F11: a subject that is taken off its binding comes back': [
      () => ({ subjects: [mallory] }),
      /it named User mallory, it did not name ServiceAccount .*\/default/,
    ],
    'F11: an end on its binding that somebody moved is put back': [
      () => ({ metadata: { annotations: { 'lapse.dev/not-after': '2099-01-01T00:00:00Z' } } }),
      /it had another end/,
    ],
    'F11: a label taken off its binding, by which nobody would find it, is put back': [
      () => ({ metadata: { labels: { 'lapse.dev/grant-uid': null } } }),
      /it had another label lapse\.dev\/grant-uid/,
    ],
    'F11: an owner taken off its binding, with which it would go, is put back': [
      () => ({ metadata: { ownerReferences: null } }),
      /it had other owners/,
    ],
  }
  for (const [sentence, [change, words]] of Object.entries(changes))
    it(sentence, async () => {
      const life = await active()
      await admin.patch(life.binding, change(life))
      await healed(life)
      expect(saysTheSame(await getOrNull(admin, life.binding), life)).to.equal(true)
      await allowsAsIssued(life)
      expect(await newsOf(life, 'DriftHealed')).to.match(words)
      await life.scene.revoke('g')
      await life.scene.ends('g', 'Revoked')
      expect(await life.scene.roleBindings()).to.deep.equal([])
    })

  it('invariant 6: the foreign subject has its access for less than a second', async () => {
    const life = await active()
    await admin.patch(life.binding, { subjects: [...life.issued['subjects'], mallory] })
    await healed(life)
    await allowsAsIssued(life)
    // by the clock of the API server: how long this process takes to ask is not what is measured
    const writes = await fixture.controlPlane.auditEvents(
      ({ objectRef, ...event }) =>
        isWrite({ objectRef: objectRef!, ...event }) &&
        objectRef?.resource === 'rolebindings' &&
        objectRef.namespace === life.scene.namespace,
    )
    const given = writes.find(({ verb }) => verb === 'patch')!
    const taken = writes.find(({ verb, user }) => verb === 'delete' && user.username === operator)!
    expect(Date.parse(taken.stageTimestamp) - Date.parse(given.stageTimestamp)).to.be.below(1_000)
  })

  it('invariant 6: a deleted binding of an active grant is restored, with its end as issued', async () => {
    const life = await active()
    const { notAfter } = (await life.scene.grant('g'))['status']
    await admin.delete(life.binding)
    const grant = await healed(life)
    expect(saysTheSame(await getOrNull(admin, life.binding), life)).to.equal(true)
    expect(grant['status']).to.deep.include({ state: 'Active', notAfter })
    const [found] = await life.scene.roleBindings()
    expect(grant['status'].objects[0].uid).to.equal(found!.metadata!.uid)
    expect(await newsOf(life, 'DriftHealed')).to.match(/^RoleBinding .* was deleted$/)
  })

  it('F11: a deletion that comes again and again is restored later each time', async () => {
    const life = await active()
    await admin.delete(life.binding)
    await healed(life)
    /** The grant, seen to wait for its binding; null: that is back already. */
    const afterDeletion = async (): Promise<KubeObject | null> => {
      await admin.delete(life.binding)
      return eventually('its binding is waited for, or back', async () => {
        const grant = await life.scene.grant('g')
        if ((await life.scene.roleBindings()).length > 0) return null
        return told(life.uid, 'DriftFound') !== undefined && conditionOf(grant, 'Compliant')?.['status'] === 'False'
          ? grant
          : undefined
      })
    }
    // each pause is twice as long as the one before, and counted from what was restored last: a busy machine may use up the first
    let waiting = await afterDeletion()
    while (waiting === null) {
      await healed(life)
      waiting = await afterDeletion()
    }
    expect(conditionOf(waiting, 'Compliant')).to.include({ reason: 'Drift' })
    await healed(life)
    await life.scene.whenAllowed()
  })

  it('F11: a Role of its own that says something else is as it was issued again, and nobody who bound it meanwhile gains by it', async () => {
    const life = await active({ rules: narrower })
    const role = `${paths.roles(life.scene.namespace)}/lapse-${life.uid}`
    await controllers.stop()
    // what a namespace admin does who may not hold the rules: he empties the role, binds what gives nothing, and waits
    await admin.patch(role, { rules: [] })
    const name = `lapse-${life.uid}`
    await admin.create(paths.roleBindings(life.scene.namespace), {
      metadata: { name: 'bound-while-empty' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [mallory],
    })
    await start()
    await healed(life)
    expect((await admin.get(role))['rules']).to.deep.equal(narrower)
    expect((await life.scene.roleBindings()).map(({ metadata }) => metadata!.name)).to.deep.equal([name])
    await life.scene.whenAllowed('get')
  })

  it('F11: what was done while no controller ran is healed by the next one', async () => {
    const [gone, changed] = await Promise.all([active(), active()])
    await controllers.stop()
    await admin.delete(gone.binding)
    await admin.patch(changed.binding, { metadata: { labels: { 'lapse.dev/managed-by': null } }, subjects: [mallory] })
    await start()
    for (const life of [gone, changed]) {
      await healed(life)
      expect(saysTheSame(await getOrNull(admin, life.binding), life)).to.equal(true)
    }
  })

  it('F11: a binding that says it carries the grant, and is on no record, is removed and told', async () => {
    const life = await active()
    const { labels = {} } = life.issued.metadata!
    await admin.create(paths.roleBindings(life.scene.namespace), {
      metadata: { name: 'beside', labels },
      roleRef: life.issued['roleRef'],
      subjects: [mallory],
    })
    await healed(life)
    expect((await life.scene.roleBindings()).map(({ metadata }) => metadata!.name)).to.deep.equal([
      life.issued.metadata!.name,
    ])
    expect(await newsOf(life, 'DriftHealed')).to.match(/beside says that it carries the grant, and does not/)
  })

  it('F11: one that cannot be removed is not forgotten: it is tried again, and named while a finalizer holds it', async () => {
    const life = await active()
    const beside = `${paths.roleBindings(life.scene.namespace)}/beside`
    const calls: Record<string, number> = { get: 0, delete: 0 }
    await controllers.stop()
    await start((call, proceed) => {
      if (call.name !== 'beside' || call.namespace !== life.scene.namespace) return proceed()
      calls[call.verb] = (calls[call.verb] ?? 0) + 1
      const fails = call.verb === 'delete' && calls['delete']! <= 2
      return fails ? Promise.reject(new ServerError({ method: 'DELETE', path: beside }, 'not now', 500)) : proceed()
    })
    const { labels = {} } = life.issued.metadata!
    const binding = {
      metadata: { name: 'beside', labels, finalizers },
      roleRef: life.issued['roleRef'],
      subjects: [mallory],
    }
    await admin.create(paths.roleBindings(life.scene.namespace), binding)
    await life.scene.whenGrant('g', 'says so', isSaid)
    expect(calls['delete']).to.be.at.least(3)
    const looks = calls['get']!
    await admin.patch(`${paths.grants(life.scene.namespace)}/g`, { metadata: { annotations: { look: 'again' } } })
    await eventually('it is looked at again', async () => (calls['get']! > looks ? true : undefined))
    expect(isSaid(await life.scene.grant('g'))).to.equal(true)
    await admin.patch(beside, { metadata: { finalizers: null } })
    await life.scene.whenGrant('g', 'is as issued', (grant) => conditionOf(grant, 'Compliant')?.['status'] === 'True')
    expect(await getOrNull(admin, beside)).to.equal(null)
    await controllers.stop()
    await start()
  })

  it("F10: somebody else's object that took the name of its binding is left untouched, and said", async () => {
    const life = await active()
    await controllers.stop()
    await admin.delete(life.binding)
    const metadata = { name: life.issued.metadata!.name! }
    const { roleRef } = life.issued
    const theirs = await admin.create(paths.roleBindings(life.scene.namespace), {
      metadata,
      roleRef,
      subjects: [mallory],
    })
    await start()
    const grant = await life.scene.whenGrant('g', 'says so', (each) => conditionOf(each, 'Compliant') !== undefined)
    expect(conditionOf(grant, 'Compliant')).to.include({ status: 'False', reason: 'Drift' })
    expect(await newsOf(life, 'DriftFound')).to.match(/is somebody else's/)
    expect(await getOrNull(admin, life.binding)).to.deep.equal(theirs)
    await admin.delete(life.binding)
    await life.scene.whenGrant('g', 'is healed', (each) => conditionOf(each, 'Compliant')?.['status'] === 'True')
    expect(saysTheSame(await getOrNull(admin, life.binding), life)).to.equal(true)
  })

  it('F11: a binding that a finalizer holds is named until it can be replaced', async () => {
    const life = await active()
    await admin.patch(life.binding, { metadata: { finalizers }, subjects: [mallory] })
    await newsOf(life, 'DriftFound')
    const grant = await life.scene.grant('g')
    expect(conditionOf(grant, 'Compliant')!['message']).to.include('held by example.com/kept')
    await admin.patch(life.binding, { metadata: { finalizers: null } })
    await healed(life)
    await allowsAsIssued(life)
  })

  it('invariant 6: the removals that are part of an end restore nothing', async () => {
    const [life, revoked] = await Promise.all([active({ duration: '4s' }), active()])
    await life.scene.ends('g', 'Expired')
    await revoked.scene.revoke('g')
    await revoked.scene.ends('g', 'Revoked')
    for (const { scene } of [life, revoked]) {
      const writes = await fixture.controlPlane.auditEvents(
        (event) => isWrite(event) && event.user.username === operator && event.objectRef?.namespace === scene.namespace,
      )
      const creates = writes.filter(({ verb }) => verb === 'create')
      expect(creates).to.have.length(1)
      expect(await scene.roleBindings()).to.deep.equal([])
    }
    expect([life, revoked].map(({ uid }) => told(uid, 'DriftHealed'))).to.deep.equal([undefined, undefined])
  })
})
