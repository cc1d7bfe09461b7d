import { expect } from 'chai'
import { loadConditionEngine } from '../../src/core/cel/engine.ts'
import type { AdminApi, KubeObject } from '../support/admin-api.ts'
import { ControllersFixture, operator, type RunningControllers } from '../support/controllers-fixture.ts'
import { crewOf, installCrew } from '../support/crew-crd.ts'
import { podSpec } from '../support/guarded-cluster.ts'
import { failed, jobOf, succeeded } from '../support/job.ts'
import { conditionOf, paths, Scene } from '../support/scene.ts'

const until = [
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'crew.example.com/v1', kind: 'Crew' },
  { apiVersion: 'none.example.com/v1', kind: 'Nothing' },
]
const grants = { maxDuration: '1h', maxActivePerSubject: 100, requesters: [{ kind: 'Self' }], until }
const job = jobOf('migrate')
const pod = podSpec({ serviceAccountName: 'default', restartPolicy: 'Never' })

const saysReady = (grant: KubeObject, text: string): boolean =>
  String(conditionOf(grant, 'Ready')?.['message'] ?? '').includes(text)

describe('a grant that ends with an object', () => {
  // Its own: controllers see to every grant of a control plane.
  let fixture: ControllersFixture
  let admin: AdminApi
  let controllers: RunningControllers
  let scene: Scene
  before(async function () {
    this.timeout(180_000)
    await loadConditionEngine()
    fixture = await ControllersFixture.start()
    admin = fixture.controlPlane.admin
    controllers = await fixture.run()
  })
  after(() => fixture?.stop())
  beforeEach(async () => {
    scene = await Scene.set(fixture.controlPlane, { grants })
    await scene.policyIs('True')
  })

  const core = (plural: string): string => `/api/v1/namespaces/${scene.namespace}/${plural}`
  const jobs = (): string => `/apis/batch/v1/namespaces/${scene.namespace}/jobs`
  const migrate = (): string => `${jobs()}/migrate`
  const status = (object: string, to: object): Promise<KubeObject> => admin.patch(`${object}/status`, { status: to })
  const byJob = (): Promise<string> => scene.ask('g', { until: { kind: 'Job', name: 'migrate' } })
  const completes = async (reason: string): Promise<KubeObject> => {
    const grant = await scene.ends('g', 'Completed')
    expect(grant['status'].endedReason).to.equal(reason)
    expect(await scene.allows()).to.equal(false)
    return grant
  }
  const away = async (happens: () => Promise<unknown>): Promise<void> => {
    await controllers.stop()
    await happens()
    controllers = await fixture.run()
  }
  const phase = (data: object): Promise<KubeObject> => admin.patch(`${core('configmaps')}/progress`, { data })
  async function activeWithJob(): Promise<KubeObject> {
    const created = await admin.create(jobs(), job)
    await byJob()
    await scene.reaches('g', 'Active')
    return created
  }

  it('waits for its Job to be there, and ends when it succeeds', async () => {
    await byJob()
    const waiting = await scene.waitsFor('g', 'UntilMissing')
    expect(conditionOf(waiting, 'Ready')!['message']).to.equal('there is no Job migrate yet, with which it is to end')
    expect(await scene.allows()).to.equal(false)
    const { metadata } = await admin.create(jobs(), job)
    const active = await scene.reaches('g', 'Active')
    expect(active['status'].until).to.deep.equal({ uid: metadata!.uid })
    await scene.whenAllowed()
    await status(migrate(), succeeded)
    const ended = await completes('Job migrate succeeded')
    expect(conditionOf(ended, 'RevocationVerified')).to.include({ status: 'True', reason: 'AccessDenied' })
    expect(Date.parse(ended['status'].endedAt)).to.be.lessThan(Date.parse(ended['status'].notAfter))
  })

  it('ends when its Job fails, and says why it did', async () => {
    await activeWithJob()
    await status(migrate(), failed)
    await completes('Job migrate failed: BackoffLimitExceeded')
  })

  it('ends when its Job is deleted', async () => {
    await activeWithJob()
    await admin.delete(migrate(), { propagationPolicy: 'Background' })
    await completes('Job migrate is gone')
  })

  it('ends when its Job is being deleted, whatever finalizer holds it', async () => {
    await activeWithJob()
    await admin.patch(migrate(), { metadata: { finalizers: ['example.com/kept'] } })
    await admin.delete(migrate(), { propagationPolicy: 'Background' })
    await completes('Job migrate is being deleted')
    await admin.patch(migrate(), { metadata: { finalizers: [] } })
  })

  it('is denied when its Job has ended already', async () => {
    await admin.create(jobs(), job)
    await status(migrate(), succeeded)
    await byJob()
    const denied = await scene.reaches('g', 'Denied')
    expect(denied['status'].endedReason).to.equal('Job migrate succeeded already')
  })

  it('ends with its Pod', async () => {
    await admin.create(core('pods'), { metadata: { name: 'tool' }, spec: pod })
    await scene.ask('g', { until: { kind: 'Pod', name: 'tool' } })
    await scene.reaches('g', 'Active')
    await status(`${core('pods')}/tool`, { phase: 'Running' })
    await status(`${core('pods')}/tool`, { phase: 'Failed', reason: 'Evicted' })
    await completes('Pod tool failed: Evicted')
  })

  describe('while no controller runs', () => {
    it('goes on when nothing happens, and nothing is written at the return', async () => {
      await activeWithJob()
      const before = await scene.grant('g')
      await away(async () => {})
      await scene.ask('later', { until: { kind: 'Job', name: 'migrate' } })
      await scene.reaches('later', 'Active')
      expect((await scene.grant('g')).metadata!['resourceVersion']).to.equal(before.metadata!['resourceVersion'])
      await status(migrate(), succeeded)
      await completes('Job migrate succeeded')
      await scene.ends('later', 'Completed')
    })

    it('has ended at the return when its Job has', async () => {
      await activeWithJob()
      await away(() => status(migrate(), succeeded))
      await completes('Job migrate succeeded')
    })

    it('has ended at the return when its Job is gone', async () => {
      await activeWithJob()
      await away(() => admin.delete(migrate(), { propagationPolicy: 'Background' }))
      await completes('Job migrate is gone')
    })

    it('is not taken on by another Job of the name', async () => {
      await activeWithJob()
      await away(async () => {
        await admin.delete(migrate(), { propagationPolicy: 'Background' })
        await admin.create(jobs(), job)
      })
      await completes('Job migrate was deleted and created again')
    })
  })

  describe('by an expression', () => {
    const expression = 'object.data.phase == "done"'

    it('ends when that holds of a ConfigMap; one that cannot be judged ends nothing and is told', async () => {
      await admin.create(core('configmaps'), { metadata: { name: 'progress' }, data: { phase: 'begun' } })
      await scene.ask('g', { until: { apiVersion: 'v1', kind: 'ConfigMap', name: 'progress', expression } })
      await scene.reaches('g', 'Active')
      await phase({ phase: null })
      const doubted = await scene.whenGrant('g', 'doubts', (grant) => conditionOf(grant, 'UntilObserved') !== undefined)
      expect(doubted['status'].state).to.equal('Active')
      const { status: observed, message } = conditionOf(doubted, 'UntilObserved')!
      expect(observed).to.equal('False')
      expect(message).to.match(/^only time ends it until then: its expression cannot be judged: /)
      await phase({ phase: 'halfway' })
      await scene.whenGrant('g', 'knows again', (grant) => conditionOf(grant, 'UntilObserved') === undefined)
      await phase({ phase: 'done' })
      await completes('ConfigMap progress fulfils the expression')
    })

    it('ends when that holds of an object of a custom kind', async () => {
      await installCrew(admin)
      const crews = `/apis/crew.example.com/v1/namespaces/${scene.namespace}/crews`
      await admin.create(crews, crewOf([]))
      const named = { apiVersion: 'crew.example.com/v1', kind: 'Crew', name: 'api' }
      await scene.ask('g', { until: { ...named, expression: 'has(object.spec.done) && object.spec.done' } })
      await scene.reaches('g', 'Active')
      await admin.patch(`${crews}/api`, { spec: { done: true } })
      await completes('Crew api fulfils the expression')
    })

    it('waits for a kind that the cluster does not serve', async () => {
      const named = { apiVersion: 'none.example.com/v1', kind: 'Nothing', name: 'none' }
      await scene.ask('g', { until: { ...named, expression: 'true' } })
      const waiting = await scene.whenGrant('g', 'waits', (grant) => saysReady(grant, 'does not serve'))
      expect(conditionOf(waiting, 'Ready')).to.include({
        reason: 'UntilUnknown',
        message: 'Nothing none, with which it is to end: the cluster does not serve its kind',
      })
    })

    it('waits for what the operator may not read, until it may', async () => {
      await admin.create(core('services'), { metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } })
      const named = { apiVersion: 'v1', kind: 'Service', name: 'web' }
      await scene.ask('g', { until: { ...named, expression: 'object.spec.ports.size() == 2' } })
      const waiting = await scene.whenGrant('g', 'waits', (grant) => saysReady(grant, 'may not read'))
      const { reason, message } = conditionOf(waiting, 'Ready')!
      expect(reason).to.equal('UntilUnknown')
      expect(message).to.match(/the operator may not read it: services "web" is forbidden/)
      await mayRead('services')
      await scene.reaches('g', 'Active')
    })
  })

  async function mayRead(resource: string): Promise<void> {
    const [, , namespace, name] = operator.split(':')
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'extra' }
    const rule = { apiGroups: [''], resources: [resource], verbs: ['list', 'watch'] }
    await admin.create(paths.roles(scene.namespace), { metadata: { name: 'extra' }, rules: [rule] })
    await admin.create(paths.roleBindings(scene.namespace), {
      metadata: { name: 'extra' },
      roleRef,
      subjects: [{ kind: 'ServiceAccount', namespace, name }],
    })
  }
})
