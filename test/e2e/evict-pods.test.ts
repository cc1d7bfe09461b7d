import { expect } from 'chai'

import type { AdminApi, KubeObject } from '../support/admin-api.ts'
import { ControllersFixture } from '../support/controllers-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { conditionOf, getOrNull, Scene } from '../support/scene.ts'

const container = { name: 'main', image: 'example.com/main' }

const pods = (scene: Scene): string => `/api/v1/namespaces/${scene.namespace}/pods`

/** Resolves when the grant says that of its subject's Pods. */
const evicted = (scene: Scene, reason: string): Promise<KubeObject> =>
  scene.whenGrant(
    'g',
    `has PodsEvicted ${reason}`,
    (grant) => conditionOf(grant, 'PodsEvicted')?.['reason'] === reason,
    30_000,
  )

describe('onRevoke: EvictPods', () => {
  // Its own: the chart gives the right to evict only when it is asked to, and to controllers of the whole cluster.
  let fixture: ControllersFixture
  let admin: AdminApi
  const told: { readonly reason: string; readonly note: string; readonly about: string }[] = []

  before(async function () {
    this.timeout(180_000)
    fixture = await ControllersFixture.start({ evictPods: { enabled: true } })
    admin = fixture.controlPlane.admin
    await fixture.run({
      events: () => ({
        record: ({ reason, note, regarding }) => void told.push({ reason, note, about: regarding.metadata.uid }),
      }),
    })
  })
  after(() => fixture?.stop())

  /** A Pod that runs as that account, as far as the API server is concerned. */
  async function podOf(scene: Scene, name: string, account = 'default'): Promise<KubeObject> {
    const metadata = { name, labels: { app: 'api' } }
    const pod = await admin.create(pods(scene), {
      metadata,
      spec: { serviceAccountName: account, containers: [container] },
    })
    const conditions = [{ type: 'Ready', status: 'True' }]
    await admin.patch(`${pods(scene)}/${name}/status`, { status: { phase: 'Running', conditions } })
    return pod
  }

  async function governed(): Promise<Scene> {
    const grants = { maxDuration: '1h', requesters: [{ kind: 'Self' }], onRevoke: 'EvictPods' }
    const scene = await Scene.set(fixture.controlPlane, { grants })
    await scene.policyIs('True')
    await admin.create(`/api/v1/namespaces/${scene.namespace}/serviceaccounts`, { metadata: { name: 'other' } })
    return scene
  }

  async function active(): Promise<{ scene: Scene; uid: string }> {
    const scene = await governed()
    const uid = await scene.ask('g')
    await scene.reaches('g', 'Active')
    return { scene, uid }
  }

  /** An event comes after the status that says the same. */
  const isTold = (uid: string, reason: string): Promise<unknown> =>
    eventually(
      `${reason} is told`,
      async () => told.some((event) => event.about === uid && event.reason === reason) || undefined,
    )

  const left = async (scene: Scene): Promise<readonly string[]> =>
    (await admin.list(pods(scene))).map(({ metadata }) => metadata!.name!)

  it('F17: evicts the Pods of the subject, and of nobody else, once its grant is revoked', async () => {
    const { scene, uid } = await active()
    await Promise.all([podOf(scene, 'a'), podOf(scene, 'b'), podOf(scene, 'c', 'other')])
    await scene.revoke('g')
    const grant = await evicted(scene, 'Evicted')
    expect(await left(scene)).to.deep.equal(['c'])
    expect(conditionOf(grant, 'RevocationVerified')).to.include({ status: 'True' })
    await isTold(uid, 'PodsEvicted')
  })

  it('leaves them when the grant ends by itself', async () => {
    const scene = await governed()
    await podOf(scene, 'a')
    await scene.ask('g', { duration: '1s' })
    const grant = await scene.ends('g', 'Expired')
    expect(await left(scene)).to.deep.equal(['a'])
    expect(conditionOf(grant, 'PodsEvicted')).to.equal(undefined)
  })

  it('is held up by a PodDisruptionBudget, which the proof of the revocation is not, and says so until it has gone on', async () => {
    const { scene, uid } = await active()
    await podOf(scene, 'a')
    const budgets = `/apis/policy/v1/namespaces/${scene.namespace}/poddisruptionbudgets`
    const selector = { matchLabels: { app: 'api' } }
    await admin.create(budgets, { metadata: { name: 'api' }, spec: { minAvailable: 1, selector } })
    await scene.revoke('g')
    const grant = await evicted(scene, 'Blocked')
    expect(conditionOf(grant, 'RevocationVerified')).to.include({ status: 'True' })
    expect(conditionOf(grant, 'PodsEvicted')!['message']).to.include(`${scene.namespace}/a`)
    expect(await left(scene)).to.deep.equal(['a'])
    await isTold(uid, 'EvictionBlocked')
    const endedAt = Date.parse(grant['status'].endedAt as string)
    await eventually('another second has begun', async () => Date.now() >= endedAt + 1_000 || undefined)
    await podOf(scene, 'later')
    await admin.delete(`${budgets}/api`)
    await evicted(scene, 'Evicted')
    expect(await left(scene)).to.deep.equal(['later'])
  })

  it('without the right to evict leaves the Pods, says so, and revokes all the same', async () => {
    const { scene } = await active()
    await podOf(scene, 'a')
    const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/lapse-controller'
    const { rules } = await admin.get(path)
    const others = (rules as readonly KubeObject[]).filter(({ resources }) => resources[0] !== 'pods/eviction')
    expect(others).to.have.length(rules.length - 1)
    await admin.patch(path, { rules: others })
    const review = {
      spec: {
        user: 'system:serviceaccount:lapse-system:lapse-controller',
        resourceAttributes: { namespace: scene.namespace, verb: 'create', resource: 'pods', subresource: 'eviction' },
      },
    }
    await eventually('it has no right to', async () => {
      const { status } = await admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', review)
      return status.allowed === true ? undefined : true
    })
    await scene.revoke('g')
    const grant = await evicted(scene, 'Forbidden')
    expect(grant['status'].state).to.equal('Revoked')
    expect(conditionOf(grant, 'RevocationVerified')).to.include({ status: 'True' })
    expect(await getOrNull(admin, `${pods(scene)}/a`)).not.to.equal(null)
    await admin.patch(path, { rules })
  })
})
