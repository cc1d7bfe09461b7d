import { expect } from 'chai'

import { lapse, type CommandOutcome } from '../cli/fake-io.ts'
import type { AdminApi, KubeObject } from '../support/admin-api.ts'
import { ControllersFixture, operator, type RunningControllers } from '../support/controllers-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { guardedCluster, rejection } from '../support/guarded-cluster.ts'
import { conditionOf, getOrNull, paths, Scene } from '../support/scene.ts'

/** A policy for the whole cluster beside the namespace of the scene. */
const wide = ({ policy }: Scene): KubeObject => ({
  scope: { namespaceSelector: { matchLabels: { policy } }, cluster: true },
})

/** A grant of the scene's policy for its subject, as wide as the cluster. */
function grantOf(scene: Scene, changed: Readonly<Record<string, unknown>> = {}): KubeObject {
  return {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'ClusterNHIGrant',
    metadata: { name: scene.policy },
    spec: {
      policy: { name: scene.policy },
      subject: { kind: 'ServiceAccount', namespace: scene.namespace, name: 'default' },
      permissions: ['rollout'],
      reason: 'a test',
      requestedBy: scene.username,
      ...('notAfter' in changed || 'duration' in changed ? {} : { duration: '10m' }),
      ...changed,
    },
  }
}

const pathOf = (scene: Scene): string => `${paths.clusterGrants}/${scene.policy}`

describe('a ClusterNHIGrant', () => {
  // Its own: the chart lets the operator bind in the whole cluster, and controllers see to every grant of a control plane.
  let fixture: ControllersFixture
  let admin: AdminApi
  let controllers: RunningControllers
  const events: { readonly reason: string; readonly kind: string; readonly about: string }[] = []

  const start = async (): Promise<void> => {
    controllers = await fixture.run({
      clusterGrants: true,
      events: () => ({
        record: ({ reason, regarding }) =>
          void events.push({ reason, kind: regarding.kind, about: regarding.metadata.name }),
      }),
    })
  }
  before(async function () {
    this.timeout(180_000)
    await guardedCluster() // the last test's
    fixture = await ControllersFixture.start({ clusterGrants: { enabled: true } })
    admin = fixture.controlPlane.admin
    await start()
  })
  after(() => fixture?.stop())

  async function sceneOf(policyOf: (scene: Scene) => KubeObject = wide): Promise<Scene> {
    const scene = await Scene.set(fixture.controlPlane, null)
    await scene.applyPolicy(policyOf(scene))
    await scene.policyIs('True')
    return scene
  }

  const ask = (scene: Scene, changed: Readonly<Record<string, unknown>> = {}): Promise<KubeObject> =>
    admin.create(paths.clusterGrants, grantOf(scene, changed))
  const when = (scene: Scene, what: string, holds: (grant: KubeObject) => boolean): Promise<KubeObject> =>
    eventually(`grant ${scene.policy} ${what}`, async () => {
      const grant = await admin.get(pathOf(scene))
      return holds(grant) ? grant : undefined
    })
  const reaches = (scene: Scene, state: string): Promise<KubeObject> =>
    when(scene, `is ${state}`, ({ status }) => status?.state === state)
  const ends = (scene: Scene, state: string): Promise<KubeObject> =>
    when(scene, `is ${state}, proved`, ({ status }) => status?.state === state && status.revocation?.verifiedAt)
  const bindingsOf = (uid: string): Promise<readonly KubeObject[]> =>
    admin.list(`${paths.clusterRoleBindings}?labelSelector=lapse.dev%2Fgrant-uid%3D${uid}`)
  const may = async ({ username: user }: Scene, namespace: string): Promise<boolean> => {
    const resourceAttributes = { namespace, verb: 'patch', group: 'apps', resource: 'deployments' }
    const review = await admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      spec: { user, resourceAttributes },
    })
    return review['status'].allowed === true
  }
  async function active(): Promise<readonly [Scene, KubeObject]> {
    const scene = await sceneOf()
    await ask(scene)
    return [scene, await reaches(scene, 'Active')]
  }
  const nothingIsLeft = async (scene: Scene, uid: string): Promise<void> => {
    expect(await bindingsOf(uid)).to.deep.equal([])
    expect(await may(scene, 'default')).to.equal(false)
  }

  it('gives a role of the pool in every namespace', async () => {
    const [scene, grant] = await active()
    const { uid } = grant.metadata as { uid: string }
    const [binding] = await bindingsOf(uid)
    const { notAfter, objects } = grant['status']
    expect(binding).to.deep.include({
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: await scene.roleOf('rollout'),
      },
      subjects: [{ kind: 'ServiceAccount', namespace: scene.namespace, name: 'default' }],
    })
    expect(binding?.metadata?.annotations).to.deep.equal({ 'lapse.dev/not-after': notAfter })
    expect(binding?.metadata?.['ownerReferences'][0]).to.include({ kind: 'ClusterNHIGrant', uid, controller: true })
    expect(objects).to.deep.equal([
      { kind: 'ClusterRoleBinding', name: `lapse-${uid}-rollout`, uid: binding?.metadata?.uid },
    ])
    for (const namespace of ['default', 'kube-system', ''])
      await eventually(`the access is there in '${namespace}'`, async () => (await may(scene, namespace)) || undefined)
    await admin.delete(pathOf(scene))
  })

  it('ends by its time', async () => {
    const scene = await sceneOf()
    const { metadata } = await ask(scene, { duration: '1s' })
    const ended = await ends(scene, 'Expired')
    expect(conditionOf(ended, 'RevocationVerified')?.['status']).to.equal('True')
    await nothingIsLeft(scene, metadata!.uid!)
    // an event comes after the status, and beside the end there may be more to tell of its proof
    const told = (): readonly string[] =>
      events
        .filter(({ about, kind }) => about === scene.policy && kind === 'ClusterNHIGrant')
        .map(({ reason }) => reason)
        .filter((reason) => reason !== 'Unsettled' && reason !== 'AccessDenied')
    await eventually('its end is told', async () => told().includes('Expired') || undefined)
    expect(told()).to.deep.equal(['Issued', 'Expired'])
  })

  it('ends when it is revoked, and when it is deleted', async () => {
    const [revoked, first] = await active()
    const [deleted, second] = await active()
    await admin.patch(pathOf(revoked), { spec: { revoke: { reason: 'enough' } } })
    await admin.delete(pathOf(deleted))
    await ends(revoked, 'Revoked')
    await nothingIsLeft(revoked, first.metadata!.uid!)
    await eventually('its binding is gone', async () =>
      (await bindingsOf(second.metadata!.uid!)).length === 0 ? true : undefined,
    )
  })

  it('ends when its policy gives no access to the whole cluster any more', async () => {
    const [scene, grant] = await active()
    await scene.applyPolicy({
      version: '1.1.0',
      scope: { namespaceSelector: { matchLabels: { policy: scene.policy } } },
    })
    await ends(scene, 'Revoked')
    await nothingIsLeft(scene, grant.metadata!.uid!)
  })

  it('stays as it was issued, whoever changes its binding', async () => {
    const [scene, grant] = await active()
    const [binding] = await bindingsOf(grant.metadata!.uid!)
    const path = `${paths.clusterRoleBindings}/${binding?.metadata?.name}`
    const mallory = { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'mallory' }
    await admin.patch(path, { subjects: [...binding!['subjects'], mallory] })
    const healed = await when(
      scene,
      'is healed',
      (found) => conditionOf(found, 'Compliant')?.['reason'] === 'DriftHealed',
    )
    expect(conditionOf(healed, 'Compliant')?.['message']).to.contain(
      `ClusterRoleBinding ${binding?.metadata?.name} was changed: it named User mallory`,
    )
    expect((await admin.get(path))['subjects']).to.deep.equal(binding!['subjects'])
    await admin.delete(path)
    await eventually('it is there again', async () => (await getOrNull(admin, path)) ?? undefined)
    expect((await rejection(admin.as({ user: operator }).get('/api/v1/secrets'))).status).to.equal(403)
    await admin.delete(pathOf(scene))
  })

  it('leaves nothing when it went while no controller ran', async () => {
    const [scene, grant] = await active()
    const { uid } = grant.metadata as { uid: string }
    await controllers.stop()
    await admin.delete(`${pathOf(scene)}?propagationPolicy=Orphan`)
    expect(await bindingsOf(uid)).to.have.length(1)
    await start()
    await eventually('the orphan is gone', async () => ((await bindingsOf(uid)).length === 0 ? true : undefined))
  })

  it('waits for an approval in the namespace of the operator, and for no other', async () => {
    const approval = { required: 1, by: [{ kind: 'User', name: 'ana' }] }
    const grants = { maxDuration: '1h', requesters: [{ kind: 'Self' }], approval }
    const scene = await sceneOf((it) => ({ ...wide(it), grants }))
    await ask(scene)
    const { metadata, status } = await when(scene, 'waits', (found) => found['status']?.state === 'AwaitingApproval')
    const say = (namespace: string): Promise<KubeObject> =>
      admin.create(paths.approvals(namespace), {
        apiVersion: 'lapse.dev/v1alpha1',
        kind: 'NHIGrantApproval',
        metadata: { generateName: 'ok-' },
        spec: {
          grant: { kind: 'ClusterNHIGrant', name: scene.policy, uid: metadata!.uid },
          grantDigest: status.approvals.digest,
          decision: 'Approve',
          reason: 'looked at it',
          approver: 'ana',
        },
      })
    await say(scene.namespace)
    await say('lapse-system')
    const { given } = (await reaches(scene, 'Active'))['status'].approvals
    expect(given).to.have.length(1)
    await admin.delete(pathOf(scene))
  })

  it('is listed, explained and revoked from a shell', async () => {
    const [scene] = await active()
    const { kubeconfigPath } = fixture.controlPlane
    const shell = (...argv: readonly string[]): Promise<CommandOutcome> =>
      lapse([...argv, '--kubeconfig', kubeconfigPath])
    expect((await shell('grants', '-A')).stdout).to.contain(scene.policy)
    const why = await shell('why', `sa/${scene.namespace}/default`, 'patch', 'deployments.apps', '-A')
    expect(why.stdout).to.contain(`ClusterNHIGrant ${scene.policy}`)
    const revoked = await shell('revoke', scene.policy, '--cluster', '--reason', 'enough')
    expect(revoked.stdout).to.contain(`ClusterNHIGrant ${scene.policy} under ${scene.policy}@1.0.0 is Revoked`)
    expect(revoked.code).to.equal(0)
    const missing = await shell('revoke', 'nothing', '--cluster', '--reason', 'enough')
    expect(missing.stderr).to.contain('there is no ClusterNHIGrant nothing')
  })

  const refusals: Readonly<
    Record<string, readonly [policy: (scene: Scene) => KubeObject, grant: Readonly<Record<string, unknown>>, RegExp]>
  > = {
    'a policy without scope.cluster': [
      () => ({}),
      {},
      /\[cluster-scope-not-allowed\] policy .* gives no access to the whole cluster/,
    ],
    'narrower rules': [
      wide,
      { rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] }] },
      /\[cluster-grant-whole-sets\] a grant for the whole cluster gives permission sets as they are/,
    ],
  }
  for (const [sentence, [policy, changed, words]] of Object.entries(refusals))
    it(`is denied under ${sentence}`, async () => {
      const scene = await sceneOf(policy)
      const grant = await ask(scene, changed)
      expect((await reaches(scene, 'Denied'))['status'].endedReason).to.match(words)
      expect(await bindingsOf(grant.metadata!.uid!)).to.deep.equal([])
    })

  it('is denied when no role of the pool is left', async () => {
    await controllers.stop()
    const poolless = await fixture.run({ clusterGrants: true, poolSize: 1 })
    const scene = await Scene.set(fixture.controlPlane, null)
    await scene.applyPolicy(wide(scene))
    await scene.policyIs('True', 'PoolExhausted')
    await ask(scene, { permissions: ['rollout', 'read-pods'] })
    expect((await reaches(scene, 'Denied'))['status'].endedReason).to.contain('no ClusterRole of the pool is left for')
    await poolless.stop()
    await start()
  })

  it('is denied where the chart has it off, though nothing asked a webhook', async () => {
    await controllers.stop()
    const off = await fixture.run({ clusterGrants: false })
    const scene = await sceneOf()
    await ask(scene)
    expect((await reaches(scene, 'Denied'))['status'].endedReason).to.contain(
      '[cluster-grants-off] the operator gives no access to the whole cluster',
    )
    await off.stop()
    await start()
  })

  it('is refused by the webhook where the chart has it off, and the operator may bind nothing there', async () => {
    const { controlPlane, admin: guarded } = await guardedCluster()
    const scene = await Scene.set(controlPlane, null)
    const expiresAt = new Date(Date.now() + 86_400_000).toISOString()
    const change = { request: 'CHG-1', reason: 'a test', approvedBy: ['ana'], expiresAt }
    await scene.applyPolicy({ ...wide(scene), change })
    const refusal = await eventually('the webhook knows the policy', async () => {
      const found = await rejection(guarded.create(paths.clusterGrants, grantOf(scene)))
      return found.message.includes('[policy-missing]') ? undefined : found
    })
    expect(refusal.message).to.contain('[cluster-grants-off]').and.contain('clusterGrants.enabled of its chart')
    const binding = {
      metadata: { name: 'any' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'lapse-set-0' },
    }
    const forbidden = await rejection(guarded.as({ user: operator }).create(paths.clusterRoleBindings, binding))
    expect(forbidden.message).to.contain('cannot create resource "clusterrolebindings"')
  })
})
