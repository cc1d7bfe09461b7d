import { expect } from 'chai'

import type { KubeObject } from '../support/admin-api.ts'
import { ApprovalScene, ana, refusedSoon } from '../support/approval-scene.ts'
import { eventually } from '../support/eventually.ts'
import { guardedCluster, rejection } from '../support/guarded-cluster.ts'
import { conditionOf, paths } from '../support/scene.ts'

const suspend = (scene: ApprovalScene, subject: KubeObject, name = scene.namespace): Promise<KubeObject> =>
  scene.admin.create(paths.suspensions, {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'NHISuspension',
    metadata: { name },
    spec: { subject, reason: 'its key leaked' },
  })
const lift = (scene: ApprovalScene, name = scene.namespace): Promise<KubeObject> =>
  scene.admin.delete(`${paths.suspensions}/${name}`)
/** Resolves when the controller has heard of all that are there, and of none that is not: it counts them. */
const controllerKnows = (scene: ApprovalScene): Promise<unknown> =>
  eventually('the controller knows the suspensions', async () => {
    const { controller } = scene.cluster.lapse
    const body = await (await fetch(`http://127.0.0.1:${controller.localPort('http')}/metrics`)).text()
    const count = /^lapse_suspensions(?:\{.*\})? (\d+)$/m.exec(body)?.[1]
    const known = await scene.admin.list(paths.suspensions)
    if (count !== String(known.length)) throw new Error(`it counts ${count} of ${known.length}`)
    return true
  })
const api = (scene: ApprovalScene): KubeObject => ({
  kind: 'ServiceAccount',
  namespace: scene.namespace,
  name: 'api',
})

describe('a suspension', () => {
  before(async function () {
    this.timeout(180_000)
    await guardedCluster()
  })

  const spellings: readonly (readonly [
    sentence: string,
    granted: (scene: ApprovalScene) => KubeObject,
    suspended: (scene: ApprovalScene) => KubeObject,
  ])[] = [
    ['a ServiceAccount', api, api],
    ['a ServiceAccount that the suspension spells as a User', api, ({ subject: name }) => ({ kind: 'User', name })],
    ['a ServiceAccount that the grant spells as a User', ({ subject: name }) => ({ kind: 'User', name }), api],
    ['a Group', () => ({ kind: 'Group', name: 'leads' }), () => ({ kind: 'Group', name: 'leads' })],
  ]
  for (const [sentence, granted, suspended] of spellings)
    it(`ends every grant of ${sentence} now, refuses new ones, and is lifted by its deletion`, async () => {
      const scene = await ApprovalScene.set()
      const subject = granted(scene)
      await scene.ask({ subject })
      await scene.ask({ subject, permissions: ['read'] }, scene.admin, 'read')
      await Promise.all([scene.is('Active'), scene.is('Active', 'read')])
      const said = await suspend(scene, suspended(scene))
      expect(said['spec'].setBy).to.equal('admin')
      try {
        for (const grant of await Promise.all([scene.is('Revoked'), scene.is('Revoked', 'read')])) {
          expect(grant['status'].endedReason).to.match(/ is suspended: its key leaked$/)
        }
        for (const name of ['rollout', 'read'])
          await eventually('the end is proved', async () =>
            conditionOf(await scene.grant(name), 'RevocationVerified')?.['status'] === 'True' ? true : undefined,
          )
        expect(await scene.may()).to.equal(false)
        const message = await refusedSoon((query) => scene.ask({ subject }, scene.admin, 'new', query))
        expect(message).to.contain('[subject-suspended]').and.contain(`kubectl delete nhisuspension ${scene.namespace}`)
      } finally {
        await lift(scene)
      }
      await controllerKnows(scene)
      await eventually('grants are let pass', () => scene.ask({ subject }, scene.admin, 'new').catch(() => undefined))
      await scene.is('Active', 'new')
      expect((await scene.grant())['status'].state).to.equal('Revoked')
    })

  it('denies what waits, and lasts until the last of several is gone', async () => {
    const scene = await ApprovalScene.set({ approval: { required: 1, by: [{ kind: 'Group', name: 'leads' }] } })
    await scene.ask()
    await scene.is('AwaitingApproval')
    await suspend(scene, api(scene), `${scene.namespace}-a`)
    await suspend(scene, { kind: 'User', name: scene.subject }, `${scene.namespace}-b`)
    expect((await scene.is('Denied'))['status'].endedReason).to.contain('[subject-suspended]')
    await lift(scene, `${scene.namespace}-a`)
    await eventually('the webhook knows the one that is left alone', async () => {
      const { message } = await rejection(scene.ask({}, scene.admin, 'new', '?dryRun=All'))
      return message.includes(`nhisuspension ${scene.namespace}-b`) || undefined
    })
    expect((await rejection(scene.ask({}, scene.admin, 'new'))).message).to.contain('[subject-suspended]')
    await lift(scene, `${scene.namespace}-b`)
  })

  it('counts no approval of who is suspended', async () => {
    const scene = await ApprovalScene.set({ approval: { required: 1, by: [{ kind: 'Group', name: 'leads' }] } })
    await scene.ask()
    await scene.is('AwaitingApproval')
    await suspend(scene, { kind: 'User', name: ana.user })
    const refusal = await eventually('it is refused', async () =>
      rejection(scene.say(ana, 'Approve', {}, '?dryRun=All')),
    )
    expect(refusal.message).to.contain(`${ana.user} is suspended: its key leaked`)
    await lift(scene)
    await controllerKnows(scene)
    await eventually('it is allowed', () => scene.say(ana).catch(() => undefined))
    await scene.is('Active')
  })

  it('tells which grants it ends, cannot be changed, and leaves no trace in a dry run', async () => {
    const scene = await ApprovalScene.set()
    await scene.ask()
    await scene.is('Active')
    const manifest = {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHISuspension',
      metadata: { name: scene.namespace },
      spec: { subject: api(scene), reason: 'its key leaked', setBy: 'eve' },
    }
    const create = (...args: readonly string[]) =>
      scene.cluster.controlPlane.kubectl(['create', '-f', '-', ...args], { input: JSON.stringify(manifest) })
    const tried = await eventually('the webhook knows the grant', async () => {
      const result = await create('--dry-run=server')
      return result.stderr.includes('ends grant') ? result : undefined
    })
    expect(tried.stderr).to.contain(`Warning: ends grant ${scene.namespace}/rollout of ServiceAccount`)
    expect((await scene.grant())['status'].state).to.equal('Active')
    await create()
    const path = `${paths.suspensions}/${scene.namespace}`
    expect((await scene.admin.get(path))['spec'].setBy).to.equal('admin')
    const change = rejection(scene.admin.patch(path, { spec: { subject: { name: 'other' } } }))
    expect((await change).message).to.contain('immutable')
    await lift(scene)
  })

  it('is not lifted by its own subject, whatever RBAC lets it do', async () => {
    const scene = await ApprovalScene.set()
    const rbac = '/apis/rbac.authorization.k8s.io/v1'
    const name = `lift-in-${scene.namespace}`
    const account = { kind: 'ServiceAccount', namespace: scene.namespace }
    const rules = [{ apiGroups: ['lapse.dev'], resources: ['nhisuspensions'], verbs: ['delete'] }]
    await scene.admin.create(`${rbac}/clusterroles`, { metadata: { name }, rules })
    await scene.admin.create(`${rbac}/clusterrolebindings`, {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: ['api', 'default'].map((each) => ({ ...account, name: each })),
    })
    await suspend(scene, api(scene))
    const liftAs = (user: string) =>
      rejection(scene.admin.as({ user }).delete(`${paths.suspensions}/${scene.namespace}`))
    const { message } = await eventually('RBAC lets it', async () => {
      const refusal = await liftAs(scene.subject)
      return refusal.message.includes('forbidden') ? undefined : refusal
    })
    expect(message).to.contain('"suspensions.lapse.dev" denied').and.contain('[suspension-own]')
    await scene.admin
      .as({ user: scene.subject.replace(/api$/, 'default') })
      .delete(`${paths.suspensions}/${scene.namespace}`)
  })

  it('is heeded by the controller while no webhook is asked', async () => {
    const scene = await ApprovalScene.set()
    const admission = '/apis/admissionregistration.k8s.io/v1'
    const kinds = ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'].map(
      (kind) => `${admission}/${kind}`,
    )
    const saved = await Promise.all(kinds.map((kind) => scene.admin.get(`${kind}/lapse`)))
    await suspend(scene, api(scene))
    await controllerKnows(scene)
    try {
      await Promise.all(kinds.map((kind) => scene.admin.delete(`${kind}/lapse`)))
      const requestedBy = scene.subject
      await eventually('the grant is let pass', () => scene.ask({ requestedBy }).catch(() => undefined))
      expect((await scene.is('Denied'))['status'].endedReason).to.contain('[subject-suspended]')
      expect(await scene.may()).to.equal(false)
    } finally {
      for (const [index, kind] of kinds.entries()) {
        const { metadata, webhooks } = saved[index]!
        await scene.admin.create(kind, { metadata: { name: 'lapse', labels: metadata?.labels ?? {} }, webhooks })
      }
      await eventually('the webhook is asked again', async () => {
        const { message } = await rejection(scene.ask({}, scene.admin, 'new', '?dryRun=All'))
        return (message.includes('[subject-suspended]') && !message.includes('[requester-forged]')) || undefined
      })
      await lift(scene)
    }
  })
})
