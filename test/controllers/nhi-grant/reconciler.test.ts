import { expect } from 'chai'

import type { NHIGrant } from '../../../src/api/v1alpha1/objects.ts'
import { Conflict, Unreachable } from '../../../src/cluster/errors.ts'
import type { Cache, ClusterClient, EventNote, KubeObject } from '../../../src/cluster/ports.ts'
import { GrantStore } from '../../../src/controllers/nhi-grant/grant-store.ts'
import { ApprovalIndex } from '../../../src/controllers/nhi-grant/approval-index.ts'
import { noUntilObjects } from '../../../src/controllers/nhi-grant/until-objects.ts'
import { GrantReconciler } from '../../../src/controllers/nhi-grant/reconciler.ts'
import { formatInstant, type Millis } from '../../../src/core/time.ts'
import { silentLog } from '../../../src/runtime/log.ts'
import { after, again, done, next, type Outcome } from '../../../src/runtime/queue.ts'
import { WorldIndex } from '../../../src/world/world-index.ts'
import { accessPolicy, nhiGrant, type Wire } from '../../api/v1alpha1/wire.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const key = { namespace: 'payments', name: 'g' }
const robot = 'ci:acme/payments'

const namespaceOf = (team: string): Wire => ({ kind: 'Namespace', metadata: { name: 'payments', labels: { team } } })

function cacheOf<T>(objects: () => readonly T[]): Cache<T> {
  return { get: () => objects()[0] ?? null, list: objects, hasSynced: true, subscribe: () => {} }
}

/** Under it a grant needs no approval, and is kept for ever. */
function policyOf(change: (policy: Wire) => void = () => undefined): Wire {
  return accessPolicy((policy) => {
    for (const field of ['approval', 'retention']) delete policy.spec.grants[field]
    change(policy)
  })
}

/** One Active grant, whose ground a test takes away and gives back; the API server does what it is told. */
class Setting {
  readonly clock = new FakeClock(Date.UTC(2027, 0, 1))
  readonly world = new WorldIndex()
  readonly calls: string[] = []
  readonly events: string[] = []
  readonly overstays: Millis[] = []
  /** What goes on record, by its kind of event. */
  readonly recorded: string[] = []
  /** A finalizer holds the binding, which is being deleted. */
  held = false
  /** As the cache has it. */
  grant: NHIGrant
  /** As the API server has it; null: as the cache has it. */
  stored: NHIGrant | null = null
  /** What the API server answers to an access review. */
  allows: () => boolean = () => false
  /** The next write of a status takes place without an answer, and the cache does not hear of it. */
  losesAnswer = false
  /** Whether evidence can be put on record. */
  records = true
  #reconciler: GrantReconciler

  constructor() {
    this.world.put('Namespace', namespaceOf('payments'))
    this.world.put('AccessPolicy', policyOf())
    this.grant = this.#activeGrant()
    this.#reconciler = this.#start()
  }

  /** As another process. */
  restart(): void {
    this.#reconciler = this.#start()
  }

  #start(): GrantReconciler {
    const caches = { grants: cacheOf(() => [this.grant]), policies: cacheOf(() => []), revisions: cacheOf(() => []) }
    return new GrantReconciler({
      client: this.#client(),
      store: new GrantStore(caches, this.world, new ApprovalIndex()),
      untilObjects: noUntilObjects,
      healer: { keep: (_, until) => Promise.resolve(again(until)) },
      events: { record: ({ reason }: EventNote) => void this.events.push(reason) },
      audit: {
        write: (evidence) => {
          if (!this.records) return Promise.reject(new Error('the disk is full'))
          this.recorded.push(...evidence.map(({ kind }) => kind))
          return Promise.resolve()
        },
      },
      clock: this.clock,
      log: silentLog,
      observer: { grant: () => {}, overstay: (overstay) => void this.overstays.push(overstay) },
      remind: () => {},
      remindOfPods: ({ name }) => void this.calls.push(`remind of the Pods of ${name}`),
    })
  }

  reconcile(): Promise<Outcome> {
    return this.#reconciler.reconcile(key)
  }

  /** While so much time goes by. */
  async reconcileDuring(time: Millis): Promise<Outcome> {
    const outcome = this.reconcile()
    await this.clock.advance(time)
    return outcome
  }

  #activeGrant(): NHIGrant {
    const now = this.clock.now()
    const { version, digest } = this.world.policy('payments-deploy')!
    return nhiGrant((grant) => {
      grant.metadata = { ...key, uid: 'u-1', resourceVersion: '1', generation: 1 }
      grant.spec = {
        policy: { name: 'payments-deploy' },
        subject: { kind: 'User', name: robot },
        permissions: ['rollout'],
        reason: 'a test',
        requestedBy: robot,
      }
      grant.status = {
        state: 'Active',
        policy: { version, digest },
        subject: { username: robot },
        rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['patch'] }],
        issuedAt: formatInstant(now),
        notAfter: formatInstant(now + 600_000),
        objects: [{ kind: 'RoleBinding', name: 'lapse-u-1-rollout', uid: 'b-1' }],
      }
    }) as NHIGrant
  }

  #client(): ClusterClient {
    return {
      get: (type, { name }) => {
        if (type.kind === 'NHIGrant') return Promise.resolve(this.stored as unknown as KubeObject)
        const metadata = { ...key, name, uid: 'b-1', finalizers: ['example.com/kept'] }
        return Promise.resolve(this.held ? ({ metadata } as unknown as KubeObject) : null)
      },
      list: () => Promise.resolve([]),
      create: unexpected,
      createSubresource: unexpected,
      replace: unexpected,
      replaceStatus: (_, object, status) => {
        const newest = (this.stored ?? this.grant).metadata.resourceVersion
        if (object.metadata.resourceVersion !== newest) {
          this.calls.push('conflict')
          return Promise.reject(new Conflict(request, 'the object has been modified', 'Conflict'))
        }
        const metadata = { ...object.metadata, resourceVersion: String(Number(newest) + 1) }
        const written = { ...object, metadata, status } as unknown as NHIGrant
        this.calls.push(`status ${written.status?.state}`)
        if (this.losesAnswer) {
          this.losesAnswer = false
          this.stored = written
          return Promise.reject(new Unreachable(request, 'connection reset'))
        }
        this.grant = written
        return Promise.resolve(written as unknown as KubeObject)
      },
      delete: (type, { name }) => {
        this.calls.push(`delete ${type.kind} ${name}`)
        return Promise.resolve(this.held ? 'held' : 'deleted')
      },
      isAllowed: () => {
        this.calls.push('ask')
        return Promise.resolve(this.allows())
      },
    }
  }
}

const request = { method: 'PUT', path: '/fake' }

const unexpected = (): never => expect.fail('nothing is created')

describe('the reconciler of grants', () => {
  let setting: Setting
  beforeEach(() => {
    setting = new Setting()
  })

  it('keeps a grant that stands on its policy, and writes nothing', async () => {
    const end = Date.parse(setting.grant.status!.notAfter!)
    expect(await setting.reconcile()).to.deep.equal(again(end))
    expect({ calls: setting.calls, events: setting.events }).to.deep.equal({ calls: [], events: [] })
  })

  it('goes on from a status whose answer was lost after one conflict, before the cache shows it', async () => {
    await setting.clock.advance(600_000)
    await setting.reconcile()
    setting.losesAnswer = true
    expect(await setting.reconcile().catch((error: unknown) => error)).to.be.instanceOf(Unreachable)
    expect(await setting.reconcile().catch((error: unknown) => error)).to.be.instanceOf(Conflict)
    expect(await setting.reconcile()).to.deep.equal(done)
    expect(setting.calls).to.deep.equal([
      'delete RoleBinding lapse-u-1-rollout',
      'ask',
      'status Expired',
      'ask',
      'conflict',
      'ask',
    ])
  })

  it('puts a removal on record once, however often it comes back to a binding that a finalizer holds', async () => {
    setting.held = true
    setting.allows = () => setting.held
    await setting.clock.advance(600_000)
    for (let look = 0; look < 3; look++) {
      expect(await setting.reconcile()).to.deep.equal(next)
      expect(await setting.reconcileDuring(100)).to.deep.equal(after(5_000))
      await setting.clock.advance(5_000)
    }
    setting.held = false
    expect(await setting.reconcile()).to.deep.equal(next)
    expect(await setting.reconcile()).to.deep.equal(done)
    expect(setting.recorded).to.deep.equal(['Ending', 'Ended', 'RevocationUnverified', 'RevocationVerified'])
  })

  it('takes no denial for a proof while a finalizer holds the binding: the authorizer may not have heard of it yet', async () => {
    setting.held = true
    await setting.clock.advance(600_000)
    expect(await setting.reconcile()).to.deep.equal(next)
    expect(await setting.reconcile()).to.deep.equal(after(5_000))
    const { conditions, revocation } = setting.grant.status!
    expect(conditions!.find(({ type }) => type === 'RevocationVerified')).to.include({
      status: 'False',
      reason: 'HeldByFinalizer',
    })
    expect(revocation).to.not.have.property('verifiedAt')
  })

  it('leaves the Pods of who had the access to others: no end waits behind them', async () => {
    const revoked = { ...setting.grant, spec: { ...setting.grant.spec, revoke: { reason: 'enough' } } }
    const subject = { kind: 'ServiceAccount', namespace: 'payments', name: 'api' } as const
    setting.grant = {
      ...revoked,
      spec: { ...revoked.spec, subject },
      status: { ...revoked.status, onRevoke: 'EvictPods' },
    }
    expect(await setting.reconcile()).to.deep.equal(next)
    expect(await setting.reconcile()).to.deep.equal(done)
    setting.calls.length = 0
    expect(await setting.reconcile()).to.deep.equal(done)
    expect(setting.calls).to.deep.equal(['remind of the Pods of g'])
  })

  describe('of a grant that only waives has nothing to remove and nothing to prove,', () => {
    const ends: readonly (readonly [
      sentence: string,
      end: (setting: Setting) => unknown,
      state: string,
      mark?: string,
    ])[] = [
      ['when its time is over', (it) => it.clock.advance(600_000), 'Expired'],
      ['long after its time was over', (it) => it.clock.advance(7_200_000), 'Expired'],
      [
        'when it is revoked',
        (it) => (it.grant = { ...it.grant, spec: { ...it.grant.spec, revoke: { reason: 'enough' } } }),
        'Revoked',
      ],
      ['when its ground is lost', (it) => it.world.put('Namespace', namespaceOf('ops')), 'Revoked', 'status Active'],
    ]
    for (const [sentence, end, state, ...mark] of ends)
      it(sentence, async () => {
        const { permissions: _, ...spec } = setting.grant.spec
        setting.grant = {
          ...setting.grant,
          spec: { ...spec, waive: ['host-path'] },
          status: { ...setting.grant.status, rules: [], objects: [], waive: ['host-path'] },
        }
        await end(setting)
        expect(await setting.reconcile()).to.deep.equal(next)
        expect(await setting.reconcile()).to.deep.equal(done)
        expect(setting.calls).to.deep.equal([...mark, `status ${state}`])
        const { revocation, conditions } = setting.grant.status!
        expect(revocation).to.have.all.keys('verifiedAt')
        expect(conditions!.find(({ type }) => type === 'RevocationVerified')).to.include({
          status: 'True',
          reason: 'NoAccess',
          message: 'it gave no access: what it waived is judged again since its end',
        })
        expect(setting.overstays).to.deep.equal([])
        expect(setting.events).to.deep.equal([state])
        expect(await setting.reconcile()).to.deep.equal(done)
        expect(setting.calls).to.have.length(1 + mark.length)
      })
  })

  describe('asks once a second, for ten seconds, whether access is gone that nothing explains', () => {
    const hour = 3_600_000
    const settings: readonly (readonly [sentence: string, jump: (clock: FakeClock) => void])[] = [
      ['', () => {}],
      [', though the wall clock is set back', (clock) => clock.jump(-hour)],
      [', though the wall clock is set forward', (clock) => clock.jump(hour)],
    ]
    for (const [sentence, jump] of settings)
      it(`no longer and no shorter${sentence}`, async () => {
        await setting.clock.advance(600_000)
        setting.allows = () => true
        expect(await setting.reconcile()).to.deep.equal(next)
        expect(await setting.reconcileDuring(100)).to.deep.equal(after(1_000))
        jump(setting.clock)
        let seconds = 0
        for (let outcome: Outcome = after(1_000); outcome.kind !== 'done'; seconds++) {
          expect(outcome).to.deep.equal(after(1_000))
          await setting.clock.advance(900)
          outcome = await setting.reconcileDuring(100)
        }
        expect(seconds).to.equal(10)
        const proof = setting.grant.status!.conditions!.find(({ type }) => type === 'RevocationVerified')
        expect(proof).to.include({ status: 'False', reason: 'HeldOtherwise' })
      })

    it('and does not go on asking on the spot when the wall clock is set back meanwhile', async () => {
      await setting.clock.advance(600_000)
      setting.allows = () => {
        if (setting.calls.filter((call) => call === 'ask').length === 1) setting.clock.jump(-hour)
        return true
      }
      await setting.reconcile()
      expect(await setting.reconcileDuring(100)).to.deep.equal(after(1_000))
      expect(setting.calls.filter((call) => call === 'ask')).to.have.length(6)
    })
  })

  describe('proves what it has removed, and never keeps the grant without its binding, though in between', () => {
    const reasons: readonly (readonly [
      sentence: string,
      takeAway: (world: WorldIndex) => void,
      giveBack: (world: WorldIndex) => void,
      reason: RegExp,
    ])[] = [
      [
        "the namespace comes back into the policy's scope",
        (world) => world.put('Namespace', namespaceOf('ops')),
        (world) => world.put('Namespace', namespaceOf('payments')),
        /^namespace payments is no longer in the policy's scope$/,
      ],
      [
        'the policy is back in the version that it was issued under',
        (world) =>
          world.put(
            'AccessPolicy',
            policyOf((policy) => void (policy.spec.version = '1.5.0')),
          ),
        (world) => world.put('AccessPolicy', policyOf()),
        /^its policy version was superseded by payments-deploy@1\.5\.0$/,
      ],
      [
        'the withdrawn policy is there again',
        (world) => world.remove('AccessPolicy', policyOf()),
        (world) => world.put('AccessPolicy', policyOf()),
        /^policy payments-deploy was withdrawn$/,
      ],
    ]
    for (const [sentence, takeAway, giveBack, reason] of reasons)
      it(sentence, async () => {
        takeAway(setting.world)
        expect(await setting.reconcile()).to.deep.equal(next)
        expect(setting.calls).to.deep.equal(['delete RoleBinding lapse-u-1-rollout'])
        giveBack(setting.world)
        await setting.clock.advance(5)
        expect(await setting.reconcile()).to.deep.equal(done)
        expect(setting.calls.slice(1)).to.deep.equal(['status Active', 'ask', 'status Revoked'])
        expect(setting.grant.status!.endedReason).to.match(reason)
        expect(setting.grant.status!.revocation).to.have.keys('verifiedAt', 'overstay')
        expect(setting.events).to.deep.equal(['Revoked'])
        expect(setting.grant.status).to.not.have.property('ending')
        expect(await setting.reconcile()).to.deep.equal(done)
        expect(setting.calls).to.have.length(4)
      })

    it('the process is another one, and nothing could be put on record before', async () => {
      setting.world.put('Namespace', namespaceOf('ops'))
      setting.records = false
      expect(await setting.reconcile()).to.deep.equal(next)
      const failure = await setting.reconcile().then(
        () => null,
        (error: unknown) => error,
      )
      expect(failure).to.be.instanceOf(Error)
      expect(setting.grant.status).to.include({ state: 'Active' })
      expect(setting.grant.status!.ending!.reason).to.contain('no longer in the policy')
      setting.world.put('Namespace', namespaceOf('payments'))
      setting.records = true
      setting.restart()
      expect(await setting.reconcile()).to.deep.equal(next)
      expect(await setting.reconcile()).to.deep.equal(done)
      expect(setting.grant.status!.state).to.equal('Revoked')
    })
  })
})
