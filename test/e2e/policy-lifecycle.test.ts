import { expect } from 'chai'

import { poolName } from '../../src/core/policy/pool.ts'
import type { AdminApi, KubeObject } from '../support/admin-api.ts'
import { isWrite } from '../support/audit-log.ts'
import { ControllersFixture, operator, type RunningControllers } from '../support/controllers-fixture.ts'
import { eventually } from '../support/eventually.ts'
import { isWriteCall, type Interceptor } from '../support/intercepted-client.ts'
import { conditionOf, getOrNull, paths, rules, Scene } from '../support/scene.ts'

const clusterRoleRef = (name: string): object => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name })
const oneSet = { permissions: [{ name: 'rollout', rules: rules.rollout }] }

describe('an access policy', () => {
  // Its own: policies share the pool of roles.
  let fixture: ControllersFixture
  let admin: AdminApi
  before(async function () {
    this.timeout(120_000)
    fixture = await ControllersFixture.start()
    admin = fixture.controlPlane.admin
  })
  after(() => fixture?.stop())

  const setScene = (spec?: Readonly<Record<string, unknown>> | null): Promise<Scene> =>
    Scene.set(fixture.controlPlane, spec)
  const revision = (scene: Scene, version: string): Promise<KubeObject> =>
    admin.get(`${paths.revisions}/${scene.policy}-${version}`)
  const role = (name: string | undefined): Promise<KubeObject | null> =>
    name === undefined ? Promise.resolve(null) : getOrNull(admin, `${paths.clusterRoles}/${name}`)
  const poolRoles = async (): Promise<readonly string[]> => {
    const roles = await admin.list(paths.clusterRoles)
    return roles.map((each) => each.metadata!.name!).filter((name) => name.startsWith('lapse-set-'))
  }

  /** Withdraws every policy and waits until no role of the pool is left. */
  async function emptied(): Promise<void> {
    for (const policy of await admin.list(paths.policies))
      await admin.delete(`${paths.policies}/${policy.metadata!.name}`)
    await eventually('the pool is empty', async () => ((await poolRoles()).length === 0 ? true : undefined))
  }

  // The first: nothing else has a role of the pool.
  describe('and the pool of roles', () => {
    let controllers: RunningControllers
    afterEach(async () => {
      await emptied()
      await controllers.stop()
    })

    it('serves what does not fit by a Role per grant, and says so', async () => {
      controllers = await fixture.run({ poolSize: 1 })
      const scene = await setScene()
      const policy = await scene.policyIs('True', 'PoolExhausted')
      expect(conditionOf(policy, 'Ready')!['message']).to.match(/the role pool has no room for read-pods, /)
      expect(await poolRoles()).to.deep.equal([poolName(0)])
      const uid = await scene.ask('g', { permissions: ['rollout', 'read-pods'] })
      await scene.reaches('g', 'Active')
      const [own, ...otherRoles] = await scene.roles()
      expect(otherRoles).to.deep.equal([])
      expect(own!['rules']).to.deep.equal(rules.readPods)
      const bindings = await scene.roleBindings()
      expect(bindings.map((binding) => [binding.metadata!.name, binding['roleRef'].name])).to.have.deep.members([
        [`lapse-${uid}-rollout`, poolName(0)],
        [`lapse-${uid}`, `lapse-${uid}`],
      ])
      await Promise.all([scene.whenAllowed(), scene.whenAllowed('list', 'pods', '')])
      await scene.revoke('g')
      await scene.ends('g', 'Revoked')
      expect([await scene.allows(), await scene.allows('list', 'pods', '')]).to.deep.equal([false, false])
      expect([...(await scene.roles()), ...(await scene.roleBindings())]).to.deep.equal([])
    })

    it('never gives out a name again while any binding refers to it', async () => {
      controllers = await fixture.run({ poolSize: 2 })
      const scene = await setScene(oneSet)
      await scene.policyIs('True', 'Accepted')
      const first = await scene.roleOf('rollout')
      // An admin may bind what he likes; the webhook, which would refuse this, is not there.
      const mallory = { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'mallory' }
      const bind = (name: string, bound: string): Promise<KubeObject> =>
        admin.create(paths.roleBindings(scene.namespace), {
          metadata: { name },
          roleRef: clusterRoleRef(bound),
          subjects: [mallory],
        })
      await bind('kept', first!)
      await scene.applyPolicy({ ...oneSet, version: '1.1.0' })
      await scene.policyIs('True', 'Accepted')
      const second = await scene.roleOf('rollout', '1.1.0')
      expect([first, second]).to.have.members([poolName(0), poolName(1)])
      await scene.applyPolicy({ ...oneSet, version: '1.2.0' })
      await scene.policyIs('True', 'Accepted')
      expect(await scene.roleOf('rollout', '1.2.0')).to.equal(second)
      expect(await role(first)).to.equal(null)
      await bind('kept-as-well', second!)
      await admin.delete(`${paths.roleBindings(scene.namespace)}/kept`)
      await scene.applyPolicy({ ...oneSet, version: '1.3.0' })
      await scene.policyIs('True', 'Accepted')
      expect(await scene.roleOf('rollout', '1.3.0')).to.equal(first)
    })

    it('never gives out a name again while a ClusterRoleBinding refers to it', async () => {
      controllers = await fixture.run({ poolSize: 1 })
      const path = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'
      await admin.create(path, { metadata: { name: 'kept' }, roleRef: clusterRoleRef(poolName(0)), subjects: [] })
      const scene = await setScene(oneSet)
      await scene.policyIs('True', 'PoolExhausted')
      expect(await scene.roleOf('rollout')).to.equal(undefined)
      expect(await poolRoles()).to.deep.equal([])
      await admin.delete(`${path}/kept`)
    })

    it('goes round a role of the name that is not its own', async () => {
      controllers = await fixture.run({ poolSize: 2 })
      const theirs = await admin.create(paths.clusterRoles, { metadata: { name: poolName(0) }, rules: rules.readPods })
      const scene = await setScene(oneSet)
      await scene.policyIs('True', 'Accepted')
      expect(await scene.roleOf('rollout')).to.equal(poolName(1))
      expect(await role(poolName(0))).to.deep.equal(theirs)
      await admin.delete(`${paths.clusterRoles}/${poolName(0)}`)
    })

    /** Controllers that find a name on record taken, by a role that somebody made who was quicker. */
    async function overtaken(change: (owners: readonly object[]) => KubeObject): Promise<() => KubeObject> {
      let theirs: KubeObject | null = null
      const intercept: Interceptor = async (call, proceed) => {
        if (call.verb === 'create' && call.resource === 'clusterroles' && theirs === null) {
          const { ownerReferences } = call.body!['metadata'] as { ownerReferences: readonly object[] }
          const { metadata, ...rest } = change(ownerReferences)
          theirs = await admin.create(paths.clusterRoles, { ...rest, metadata: { ...metadata, name: call.name } })
        }
        return proceed()
      }
      controllers = await fixture.run({ intercept })
      return () => theirs!
    }

    it('is not in force while a name on record is carried by a role of somebody else, which is left untouched', async () => {
      const theirs = await overtaken(() => ({ rules: rules.rollout }))
      const scene = await setScene(oneSet)
      const policy = await scene.policyIs('False', 'ObjectNotOurs')
      const name = theirs().metadata!.name!
      expect(conditionOf(policy, 'Ready')!['message']).to.include(`ClusterRole ${name} exists already`)
      expect(conditionOf(policy, 'Stalled')!['status']).to.equal('True')
      expect(await role(name)).to.deep.equal(theirs())
      await scene.ask('g')
      await scene.waitsFor('g', 'PolicyNotReady')
      expect(await scene.roleBindings()).to.deep.equal([])
      await admin.delete(`${paths.clusterRoles}/${name}`)
      await admin.patch(`${paths.policies}/${scene.policy}`, { metadata: { labels: { touched: 'yes' } } })
      await scene.policyIs('True', 'Accepted')
      await scene.reaches('g', 'Active')
    })

    it('replaces one that claims to be its own and says something else', async () => {
      const everything = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]
      const theirs = await overtaken((ownerReferences) => ({ metadata: { ownerReferences }, rules: everything }))
      const scene = await setScene(oneSet)
      await scene.policyIs('True', 'Accepted')
      const found = await role(await scene.roleOf('rollout'))
      expect(found!['rules']).to.deep.equal(rules.rollout)
      expect(found!.metadata).to.include({ name: theirs().metadata!.name })
      expect(found!.metadata!.uid).not.to.equal(theirs().metadata!.uid)
    })
  })

  describe('under running controllers', () => {
    let controllers: RunningControllers
    before(async () => {
      controllers = await fixture.run()
    })
    after(() => controllers?.stop())

    it('is recorded as a revision, and each permission set becomes a ClusterRole that the revision owns', async () => {
      const scene = await setScene()
      const policy = await scene.policyIs('True', 'Accepted')
      const recorded = await revision(scene, '1.0.0')
      expect(policy['status']).to.deep.include({ activeVersion: '1.0.0', digest: recorded['spec'].digest })
      expect(recorded['spec'].policy).to.deep.equal(policy['spec'])
      expect(recorded.metadata).not.to.have.property('ownerReferences')
      for (const [set, itsRules] of [
        ['rollout', rules.rollout],
        ['read-pods', rules.readPods],
      ] as const) {
        const carrier = await role(await scene.roleOf(set))
        expect(carrier!['rules']).to.deep.equal(itsRules)
        const [owner] = carrier!.metadata!['ownerReferences']
        expect(owner).to.include({
          kind: 'AccessPolicyRevision',
          uid: recorded.metadata!.uid,
          blockOwnerDeletion: false,
        })
      }
    })

    it('has the name of a role on record before that role exists', async () => {
      const scene = await setScene(oneSet)
      await scene.policyIs('True')
      const name = await scene.roleOf('rollout')
      const events = await fixture.controlPlane.auditEvents(
        ({ user, objectRef, ...event }) =>
          isWrite({ user, objectRef: objectRef!, ...event }) && user.username === operator,
      )
      const steps = events.map(({ verb, objectRef }) =>
        [verb, objectRef?.resource, objectRef?.subresource, objectRef?.name].join(' '),
      )
      const recorded = steps.indexOf(`update accesspolicyrevisions status ${scene.policy}-1.0.0`)
      const created = steps.lastIndexOf(`create clusterroles  ${name}`)
      expect(recorded).to.be.above(-1)
      expect(created).to.be.above(recorded)
    })

    it('that is superseded takes its roles with it: its grants are Revoked, and new ones are issued under the new version', async () => {
      const scene = await setScene()
      await scene.policyIs('True')
      const before = await scene.roleOf('rollout')
      await scene.ask('old')
      await scene.reaches('old', 'Active')
      await scene.applyPolicy({ version: '1.1.0' })
      await scene.policyIs('True')
      const old = await scene.ends('old', 'Revoked')
      expect(old['status'].endedReason).to.equal(`its policy version was superseded by ${scene.policy}@1.1.0`)
      expect(await role(before)).to.equal(null)
      expect((await revision(scene, '1.0.0'))['status'].supersededAt).to.be.a('string')
      expect(await scene.allows()).to.equal(false)
      await scene.ask('new', { policy: { name: scene.policy, version: '1.1.0' } })
      const active = await scene.reaches('new', 'Active')
      expect(active['status'].policy.version).to.equal('1.1.0')
      const after = await scene.roleOf('rollout', '1.1.0')
      expect((await scene.roleBindings()).map((binding) => binding['roleRef'].name)).to.deep.equal([after])
    })

    it('that is deleted ends all access under it: roles first, grants Revoked, revisions kept', async () => {
      const scene = await setScene()
      await scene.policyIs('True')
      const roles = [await scene.roleOf('rollout'), await scene.roleOf('read-pods')]
      await scene.ask('g')
      await scene.reaches('g', 'Active')
      await admin.delete(`${paths.policies}/${scene.policy}`)
      const ended = await scene.ends('g', 'Revoked')
      expect(ended['status'].endedReason).to.equal(`policy ${scene.policy} was withdrawn`)
      const withdrawn = await eventually('it is withdrawn', async () => {
        const recorded = await revision(scene, '1.0.0')
        return recorded['status'].revokedAt === undefined ? undefined : recorded
      })
      expect(withdrawn['spec'].policyName).to.equal(scene.policy)
      for (const name of roles) expect(await role(name)).to.equal(null)
    })

    it('that was withdrawn does not come back under its version, only under a higher one', async () => {
      const scene = await setScene(oneSet)
      await scene.policyIs('True')
      await admin.delete(`${paths.policies}/${scene.policy}`)
      const isWithdrawn = async (): Promise<true | undefined> =>
        (await revision(scene, '1.0.0'))['status'].revokedAt === undefined ? undefined : true
      await eventually('it is withdrawn', isWithdrawn)
      await scene.applyPolicy(oneSet)
      const policy = await scene.policyIs('False', 'Withdrawn')
      expect(conditionOf(policy, 'Ready')!['message']).to.match(/was withdrawn at .*; raise spec\.version$/)
      await scene.applyPolicy({ ...oneSet, version: '1.0.1' })
      await scene.policyIs('True', 'Accepted')
    })

    it('whose content changes under the same version is not in force', async () => {
      const scene = await setScene(oneSet)
      await scene.policyIs('True')
      await scene.ask('g')
      await scene.reaches('g', 'Active')
      await scene.applyPolicy()
      await scene.policyIs('False', 'VersionReused')
      await scene.ends('g', 'Revoked')
      await scene.ask('h')
      await scene.waitsFor('h', 'PolicyNotReady')
    })

    it('expires at its instant: it is not Ready any more and issues nothing, and what it has issued ends with it', async () => {
      const scene = await setScene(null)
      const expiresAt = new Date(Date.now() + 5_000).toISOString()
      await scene.applyPolicy({ change: { ...scene.policySpec()['change'], expiresAt } })
      const accepted = await scene.policyIs('True')
      expect(conditionOf(accepted, 'Expired')!['status']).to.equal('False')
      await scene.ask('before')
      const issued = await scene.reaches('before', 'Active')
      expect(issued['status'].notAfter).to.equal(expiresAt)
      const expired = await scene.policyIs('False', 'Expired')
      expect(Date.now()).to.be.at.least(Date.parse(expiresAt))
      expect(conditionOf(expired, 'Expired')).to.include({ status: 'True', reason: 'ReviewOverdue' })
      await scene.ask('after')
      const denied = await scene.reaches('after', 'Denied')
      expect(denied['status'].endedReason).to.match(/^\[policy-expired\] .* was due for review at /)
      await scene.reaches('before', 'Expired')
    })

    it('that promises what the operator does not hold is not in force, in the words of kube-apiserver', async () => {
      const secrets = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }]
      const scene = await setScene({ permissions: [{ name: 'rollout', rules: secrets }] })
      const policy = await scene.policyIs('False', 'RulesNotHeld')
      expect(conditionOf(policy, 'Ready')!['message']).to.match(
        /widen what it holds: .*attempting to grant RBAC permissions not currently held/s,
      )
      expect(await role(await scene.roleOf('rollout'))).to.equal(null)
      await scene.ask('g')
      await scene.waitsFor('g', 'PolicyNotReady')
      expect(await scene.roleBindings()).to.deep.equal([])
    })

    it('may name a ClusterRole that the operator may bind by name, which is bound as it is', async () => {
      const logs = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }]
      await admin.create(paths.clusterRoles, { metadata: { name: 'view-logs-test' }, rules: logs })
      const scene = await setScene({ permissions: [{ name: 'view', clusterRole: 'view-logs-test' }] })
      await scene.policyIs('True', 'Accepted')
      await scene.ask('g', { permissions: ['view'] })
      await scene.reaches('g', 'Active')
      await scene.whenAllowed('get', 'secrets', '')
      const [binding] = await scene.roleBindings()
      expect(binding!['roleRef']).to.deep.equal(clusterRoleRef('view-logs-test'))
      await scene.revoke('g')
      await scene.ends('g', 'Revoked')
      expect(await scene.allows('get', 'secrets', '')).to.equal(false)
      expect(await role('view-logs-test')).not.to.equal(null)
    })

    it('that names any other ClusterRole is not in force', async () => {
      const scene = await setScene({ permissions: [{ name: 'all', clusterRole: 'cluster-admin' }] })
      const policy = await scene.policyIs('False', 'RoleNotBindable')
      expect(conditionOf(policy, 'Ready')!['message']).to.equal(
        'the operator may not bind ClusterRole cluster-admin; add it to bindableClusterRoles of the installation',
      )
      expect(await getOrNull(admin, `${paths.revisions}/${scene.policy}-1.0.0`)).to.equal(null)
    })

    it('whose revision name is taken by the record of another policy is not in force', async () => {
      const scene = await setScene(null)
      const name = `${scene.policy}-1.0.0`
      const theirs = await admin.create(paths.revisions, {
        apiVersion: 'lapse.dev/v1alpha1',
        kind: 'AccessPolicyRevision',
        metadata: { name },
        spec: {
          policyName: 'another',
          digest: 'sha256:0',
          appliedAt: new Date().toISOString(),
          policy: scene.policySpec(),
        },
      })
      await scene.applyPolicy()
      const policy = await scene.policyIs('False', 'ObjectNotOurs')
      expect(conditionOf(policy, 'Ready')!['message']).to.include(`AccessPolicyRevision ${name} exists already`)
      const { status: _, ...now } = await admin.get(`${paths.revisions}/${name}`)
      expect(now['spec']).to.deep.equal(theirs['spec'])
    })

    it('is waited for with kubectl', async () => {
      const scene = await setScene()
      const wait = ['wait', '--for=condition=Ready', `accesspolicy/${scene.policy}`, '--timeout=30s']
      const waited = await fixture.controlPlane.kubectl(wait)
      expect(waited.stdout + waited.stderr).to.equal(`accesspolicy.lapse.dev/${scene.policy} condition met\n`)
    })
  })

  describe('whose revision is seen late', () => {
    it('is not served by the slow way for that', async () => {
      const controllers = await fixture.run({ lag: { accesspolicyrevisions: 400 } })
      const scene = await setScene()
      const uid = await scene.ask('g')
      await scene.reaches('g', 'Active')
      expect((await scene.roleBindings()).map((binding) => binding.metadata!.name)).to.deep.equal([
        `lapse-${uid}-rollout`,
      ])
      expect(await scene.roles()).to.deep.equal([])
      await controllers.stop()
    })
  })

  describe('whose controllers crash while it changes', () => {
    /** Writes of a policy's whole life: 1.0.0 is accepted, superseded by 1.1.0, and withdrawn. */
    const writesOfALife = 13

    /** A whole life, whose first controllers end for ever right before that write. To the next ones it is as if after the one before. */
    async function live(scene: Scene, crashAt: number): Promise<number> {
      let writes = 0
      let controllers: RunningControllers | null = null
      const scope = { policy: scene.policy, namespace: scene.namespace }
      const { promise: died, resolve: die } = Promise.withResolvers<void>()
      let dead = false
      const crashing: Interceptor = async (call, proceed) => {
        if (dead) throw new Error('crashed')
        if (!isWriteCall(call) || ++writes !== crashAt) return proceed()
        dead = true
        die()
        throw new Error('crashed')
      }
      controllers = await fixture.run({ scope, intercept: crashing })
      const restart = async (): Promise<void> => {
        await died
        await controllers!.stop()
        controllers = await fixture.run({ scope })
      }
      const restarted = restart()
      await scene.applyPolicy(oneSet)
      await scene.policyIs('True')
      await scene.applyPolicy({ ...oneSet, version: '1.1.0' })
      await scene.policyIs('True')
      await admin.delete(`${paths.policies}/${scene.policy}`)
      await eventually('it is withdrawn', async () =>
        (await revision(scene, '1.1.0'))['status'].revokedAt === undefined ? undefined : true,
      )
      await eventually('and so is what came before', async () =>
        (await revision(scene, '1.0.0'))['status'].revokedAt === undefined ? undefined : true,
      )
      if (crashAt <= writesOfALife) await restarted
      await controllers.stop()
      return writes
    }

    for (let n = 1; n <= writesOfALife; n += 1)
      it(`leaves no role and no gap in the record: before write ${n}`, async () => {
        const scene = await setScene(null)
        await live(scene, n)
        for (const version of ['1.0.0', '1.1.0'])
          expect(await role(await scene.roleOf('rollout', version))).to.equal(null)
        expect((await revision(scene, '1.0.0'))['status'].supersededAt).to.be.a('string')
      })

    it('and a life has no more writes than those', async () => {
      expect(await live(await setScene(null), Number.POSITIVE_INFINITY)).to.equal(writesOfALife)
    })
  })
})
