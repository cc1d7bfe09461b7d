import { expect } from 'chai'

import type { AdminApi, KubeObject } from '../support/admin-api.ts'
import { isWrite } from '../support/audit-log.ts'
import { ControllersFixture, operator, type RunningControllers } from '../support/controllers-fixture.ts'
import {
  answersSoon,
  answerTo,
  asksForCredential,
  claimsOf,
  credentialScenes,
  leftOf,
  secretPath,
  tokenIn,
} from '../support/credential-scene.ts'
import { eventually } from '../support/eventually.ts'
import type { Interceptor } from '../support/intercepted-client.ts'
import { conditionOf, getOrNull, paths, Scene } from '../support/scene.ts'

/** Controllers that end for ever once such a write was made, its answer lost. */
function crashingAfter(verb: string, resource: string): { intercept: Interceptor; died: Promise<void> } {
  const { promise: died, resolve: die } = Promise.withResolvers<void>()
  let dead = false
  const intercept: Interceptor = async (call, proceed) => {
    if (dead) throw new Error('crashed')
    const answer = await proceed()
    if (call.verb !== verb || call.resource !== resource) return answer
    dead = true
    die()
    throw new Error('crashed')
  }
  return { intercept, died }
}

/** Why a grant with a credential is denied. */
async function refused(scene: Scene, changed: Readonly<Record<string, unknown>>): Promise<string> {
  await scene.ask('g', { ...asksForCredential, ...changed })
  const grant = await scene.reaches('g', 'Denied')
  const { reason, message } = conditionOf(grant, 'Ready')!
  return `${reason}: ${message}`
}

describe('a grant with a credential', () => {
  // Its own: controllers see to every grant of a control plane.
  let fixture: ControllersFixture
  let admin: AdminApi
  let scenes: Scene[]
  let listed: readonly string[]
  let unlisted: Scene
  let controllers: RunningControllers

  before(async function () {
    this.timeout(180_000)
    fixture = await ControllersFixture.start()
    const { controlPlane } = fixture
    admin = controlPlane.admin
    // so that its garbage collector knows the kinds of the chart from the start
    const manager = controlPlane.part('kube-controller-manager')
    await manager.kill()
    await manager.restart()
    scenes = [...(await credentialScenes(controlPlane, 15))]
    listed = scenes.map(({ namespace }) => namespace)
    unlisted = await Scene.set(controlPlane)
    await run()
    await Promise.all([...scenes, unlisted].map((scene) => scene.policyIs('True')))
  })
  after(() => fixture?.stop())

  const run = async (): Promise<void> => {
    controllers = await fixture.run({ credentialNamespaces: listed })
  }
  /** Controllers that see to that scene alone. */
  const goOn = (scene: Scene, intercept?: Interceptor): Promise<RunningControllers> => {
    const scope = { policy: scene.policy, namespace: scene.namespace }
    return fixture.run({ scope, ...(intercept && { intercept }), credentialNamespaces: [scene.namespace] })
  }
  /** `deed` has them come to that write. */
  const crash = async (scene: Scene, verb: string, resource: string, deed: () => Promise<unknown>): Promise<void> => {
    const { intercept, died } = crashingAfter(verb, resource)
    const first = await goOn(scene, intercept)
    await deed()
    await died
    await first.stop()
  }

  const nextScene = (): Scene => scenes.pop()!
  const answer = (scene: Scene, token: string): Promise<number> => answerTo(fixture.controlPlane, scene, token)
  const answers = (scene: Scene, token: string, status: number): Promise<unknown> =>
    answersSoon(fixture.controlPlane, scene, token, status)
  /** One that gives nothing any more; it may be that the API server has yet to hear that it is nobody's. */
  const isNobodys = async (scene: Scene, token: string): Promise<void> => {
    expect(await answer(scene, token)).to.be.oneOf([401, 403])
    await answers(scene, token, 401)
  }
  const isCollected = (scene: Scene): Promise<unknown> =>
    eventually(
      'it is collected',
      async () => {
        const left = await leftOf(admin, scene)
        if (left.length > 0) throw new Error(`there is ${left.join(', ')}`)
        return true
      },
      40_000,
    )

  interface Life {
    readonly scene: Scene
    readonly uid: string
    readonly grant: KubeObject
    readonly secret: KubeObject
    readonly token: string
  }

  async function seen(scene: Scene, uid: string): Promise<Life> {
    const grant = await scene.reaches('g', 'Active')
    const secret = await admin.get(secretPath(scene))
    return { scene, uid, grant, secret, token: tokenIn(secret)! }
  }

  async function active(changed: Readonly<Record<string, unknown>> = {}): Promise<Life> {
    const scene = nextScene()
    const uid = await scene.ask('g', { ...asksForCredential, ...changed })
    return seen(scene, uid)
  }

  it('has an identity of its own, with a token in its Secret that lasts no longer than the grant', async () => {
    const { scene, uid, grant, secret, token } = await active()
    await answers(scene, token, 200)
    expect(await scene.allows('get')).to.equal(false)
    const { status } = grant
    const expiresAt = Date.parse(status.credential.expiresAt)
    const left = Date.parse(status.notAfter) - expiresAt
    expect(left).to.be.within(0, 3_000)
    const { sub, exp } = claimsOf(token)
    expect({ sub, exp }).to.deep.equal({
      sub: `system:serviceaccount:${scene.namespace}:lapse-${uid}`,
      exp: expiresAt / 1_000,
    })
    const owner = { uid, controller: true, blockOwnerDeletion: false }
    const account = await admin.get(`/api/v1/namespaces/${scene.namespace}/serviceaccounts/lapse-${uid}`)
    expect(account).to.include({ automountServiceAccountToken: false })
    for (const object of [account, secret]) {
      expect(object.metadata!['ownerReferences'][0]).to.include(owner)
      expect(object.metadata!.labels).to.include({ 'lapse.dev/managed-by': 'lapse', 'lapse.dev/grant-uid': uid })
    }
    expect(secret).to.include({ type: 'lapse.dev/token', immutable: true })
    expect(status.objects.map(({ kind }: KubeObject) => kind)).to.deep.equal([
      'ServiceAccount',
      'RoleBinding',
      'Secret',
    ])
    expect(JSON.stringify(grant)).not.to.include(token)
  })

  it('loses its bindings first and its Secret second, both instants on record, and its token is refused from then on', async () => {
    const { scene, token } = await active()
    await answers(scene, token, 200)
    await scene.revoke('g')
    const { status } = await scene.ends('g', 'Revoked')
    // the API server believes a token that it has just seen for up to ten seconds; it gives nothing all the same
    expect(await answer(scene, token)).to.be.oneOf([401, 403])
    expect(await leftOf(admin, scene)).to.deep.equal([])
    const deleted = await fixture.controlPlane.auditEvents(
      (event) =>
        isWrite(event) &&
        event.user.username === operator &&
        event.verb === 'delete' &&
        event.objectRef?.namespace === scene.namespace,
    )
    expect(deleted.map(({ objectRef }) => objectRef?.resource)).to.deep.equal([
      'rolebindings',
      'secrets',
      'serviceaccounts',
    ])
    const { bindingsRemovedAt, secretRemovedAt, verifiedAt } = status.revocation
    const instants = [bindingsRemovedAt, secretRemovedAt, verifiedAt].map((text) => Date.parse(text as string))
    expect(instants).to.deep.equal(instants.toSorted((a, b) => a - b))
    expect(conditionOf(await scene.grant('g'), 'RevocationVerified')).to.include({ status: 'True' })
  })

  it('leaves a token that nobody knows: the API server refuses it as soon as the Secret is gone', async () => {
    const { scene, token } = await active()
    await scene.revoke('g')
    await scene.ends('g', 'Revoked')
    await isNobodys(scene, token)
  })

  it('gives a token to the audiences that it names, and to no other', async () => {
    const { scene, token } = await active({ credential: { secretName: 'token', audiences: ['vault', 'registry'] } })
    expect(claimsOf(token)['aud']).to.deep.equal(['vault', 'registry'])
    expect(await answer(scene, token)).to.equal(401)
  })

  it('is denied where the operator is not set up for it, and where too little would be left', async () => {
    const scene = nextScene()
    const [elsewhere, tooShort] = await Promise.all([refused(unlisted, {}), refused(scene, { duration: '10m' })])
    expect(elsewhere).to.match(/^Denied: \[credential-namespace\] the operator issues no credentials in namespace/)
    expect(tooShort).to.match(
      /^Denied: \[credential-too-short\] a credential lasts at least 10m .*, and (10m|9m59s) would be left$/,
    )
    for (const each of [unlisted, scene]) expect(await leftOf(admin, each)).to.deep.equal([])
  })

  it('F10: is denied when the name of its Secret is taken, and leaves that Secret as it is', async () => {
    const scene = nextScene()
    const theirs = await admin.create(`/api/v1/namespaces/${scene.namespace}/secrets`, {
      metadata: { name: 'token' },
      data: { password: 'aHVudGVyMg==' },
    })
    expect(await refused(scene, {})).to.match(/^ObjectNotOurs: Secret token exists already/)
    expect(await admin.get(secretPath(scene))).to.deep.equal(theirs)
    expect(await leftOf(admin, scene)).to.deep.equal(['Secret token'])
  })

  it('ends although the operator may not remove its Secret any more, and says what it left', async () => {
    const { scene, uid, token } = await active()
    const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${scene.namespace}/rolebindings/lapse-credentials`
    await admin.delete(path)
    const resourceAttributes = { namespace: scene.namespace, verb: 'delete', resource: 'secrets' }
    await eventually('it has no right to', async () => {
      const review = { spec: { user: operator, resourceAttributes } }
      const { status } = await admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', review)
      return status.allowed === true ? undefined : true
    })
    await scene.revoke('g')
    const grant = await scene.ends('g', 'Revoked')
    expect(await answer(scene, token)).to.equal(403)
    expect(await leftOf(admin, scene)).to.deep.equal(['Secret token', `ServiceAccount lapse-${uid}`])
    expect(conditionOf(grant, 'CredentialRemoved')).to.deep.include({ status: 'False', reason: 'Forbidden' })
    expect(grant['status'].revocation).not.to.have.property('secretRemovedAt')
  })

  it('F11: has its binding put right when somebody has changed it, for its own identity', async () => {
    const { scene, uid, token } = await active()
    const path = `${paths.roleBindings(scene.namespace)}/lapse-${uid}-rollout`
    const { subjects } = await admin.get(path)
    await admin.patch(path, { subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'mallory' }] })
    await scene.whenGrant('g', 'is healed', (each) => conditionOf(each, 'Compliant')?.['reason'] === 'DriftHealed')
    expect((await admin.get(path))['subjects']).to.deep.equal(subjects)
    expect(subjects).to.deep.equal([{ kind: 'ServiceAccount', namespace: scene.namespace, name: `lapse-${uid}` }])
    await answers(scene, token, 200)
  })

  it('is revoked when somebody puts another account in the place of its identity, which its bindings would name', async () => {
    const { scene, uid } = await active()
    const accounts = `/api/v1/namespaces/${scene.namespace}/serviceaccounts`
    const name = `lapse-${uid}`
    await admin.delete(`${accounts}/${name}`)
    await admin.create(accounts, { metadata: { name } })
    const { status } = await scene.ends('g', 'Revoked')
    expect(status.endedReason).to.match(/^its own ServiceAccount .* was deleted and created again$/)
    expect(await scene.roleBindings()).to.have.length(1) // the one of the chart
    expect((await admin.get(`${accounts}/${name}`)).metadata!['ownerReferences']).to.equal(undefined)
  })

  it('goes with its grant, identity and token too, while no operator runs', async () => {
    const { scene, token } = await active()
    await controllers.stop()
    await admin.delete(`/apis/lapse.dev/v1alpha1/namespaces/${scene.namespace}/nhigrants/g`)
    await isCollected(scene)
    await answers(scene, token, 401)
    await run()
  })

  describe('whose operator crashes', () => {
    before(() => controllers.stop())

    for (const [verb, resource] of [
      ['create', 'serviceaccounts'],
      ['create', 'serviceaccounts/token'],
      ['replace', 'secrets'],
    ] as const)
      it(`after ${verb} ${resource} gets one token that counts, from the next one`, async () => {
        const scene = nextScene()
        await crash(scene, verb, resource, () => scene.ask('g', asksForCredential))
        const before = await getOrNull(admin, secretPath(scene))
        const second = await goOn(scene)
        const { token, secret, grant } = await seen(scene, '')
        await answers(scene, token, 200)
        expect(secret.metadata!.uid).not.to.equal(before?.metadata!.uid)
        const lost = before === null ? undefined : tokenIn(before)
        if (lost !== undefined) await answers(scene, lost, 401)
        expect(Date.parse(grant['status'].credential.expiresAt)).to.be.at.most(Date.parse(grant['status'].notAfter))
        await scene.revoke('g')
        await scene.ends('g', 'Revoked')
        expect(await leftOf(admin, scene)).to.deep.equal([])
        await second.stop()
      })

    it('before the Secret that it made is on record is taken back, but for the empty Secret, which goes with the grant', async () => {
      const scene = nextScene()
      await crash(scene, 'create', 'secrets', () => scene.ask('g', asksForCredential))
      const second = await goOn(scene)
      await scene.reaches('g', 'Denied')
      expect(await leftOf(admin, scene)).to.deep.equal(['Secret token'])
      expect(tokenIn(await admin.get(secretPath(scene)))).to.equal(undefined)
      await admin.delete(`/apis/lapse.dev/v1alpha1/namespaces/${scene.namespace}/nhigrants/g`)
      await isCollected(scene)
      await second.stop()
    })

    it('between its bindings and its Secret has the rest removed by the next one', async () => {
      const scene = nextScene()
      const first = await goOn(scene)
      await scene.ask('g', asksForCredential)
      const { token } = await seen(scene, '')
      await first.stop()
      await crash(scene, 'delete', 'rolebindings', () => scene.revoke('g'))
      await answers(scene, token, 403)
      const second = await goOn(scene)
      const { status } = await scene.ends('g', 'Revoked')
      expect(status.revocation.secretRemovedAt).to.be.a('string')
      expect(await leftOf(admin, scene)).to.deep.equal([])
      await second.stop()
    })
  })
})
