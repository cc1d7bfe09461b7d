import { expect } from 'chai'
import type { NHIGrant, NHIGrantApproval } from '../../../src/api/v1alpha1/objects.ts'
import type { Cache, ClusterClient, KubeObject } from '../../../src/cluster/ports.ts'
import { ApprovalIndex } from '../../../src/controllers/nhi-grant/approval-index.ts'
import { GrantStore } from '../../../src/controllers/nhi-grant/grant-store.ts'
import { GrantReconciler } from '../../../src/controllers/nhi-grant/reconciler.ts'
import { noUntilObjects } from '../../../src/controllers/nhi-grant/until-objects.ts'
import { formatInstant } from '../../../src/core/time.ts'
import { silentLog } from '../../../src/runtime/log.ts'
import { again, done, type Outcome } from '../../../src/runtime/queue.ts'
import { WorldIndex } from '../../../src/world/world-index.ts'
import { accessPolicy, nhiGrant, nhiGrantApproval, type Wire } from '../../api/v1alpha1/wire.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const retention = 60_000
const start = Date.UTC(2027, 0, 1)
const key = { namespace: 'payments', name: 'g' }

function cacheOf<T>(objects: () => readonly T[]): Cache<T> {
  return { get: () => objects()[0] ?? null, list: objects, hasSynced: true, subscribe: () => {} }
}

const unexpected = (): never => expect.fail('nothing but the grant itself is touched')

/** A grant that ended at the start, with its proof. */
class Setting {
  readonly clock = new FakeClock(start)
  readonly calls: string[] = []
  readonly approvals = new ApprovalIndex()
  grant: NHIGrant
  readonly #reconciler: GrantReconciler

  constructor(change: (grant: Wire) => void = () => undefined) {
    const world = new WorldIndex()
    world.put(
      'AccessPolicy',
      accessPolicy(({ spec }) => (spec.grants.retention = '1m')),
    )
    this.grant = nhiGrant((grant) => {
      grant.metadata = { ...key, uid: 'u-1', resourceVersion: '1', generation: 1 }
      grant.status = {
        state: 'Expired',
        observedGeneration: 1,
        issuedAt: formatInstant(start - 60_000),
        notAfter: formatInstant(start),
        endedAt: formatInstant(start),
        revocation: { verifiedAt: formatInstant(start) },
      }
      change(grant)
    }) as NHIGrant
    const caches = { grants: cacheOf(() => [this.grant]), policies: cacheOf(() => []), revisions: cacheOf(() => []) }
    this.#reconciler = new GrantReconciler({
      client: this.#client(),
      store: new GrantStore(caches, world, this.approvals),
      untilObjects: noUntilObjects,
      healer: { keep: () => expect.fail('nothing is kept') },
      events: { record: () => {} },
      audit: {
        write: (evidence) => {
          for (const { kind } of evidence) this.calls.push(`record ${kind}`)
          return Promise.resolve()
        },
      },
      clock: this.clock,
      log: silentLog,
      observer: { grant: () => {}, overstay: () => {} },
      remind: () => {},
      remindOfPods: () => {},
    })
  }

  reconcile(): Promise<Outcome> {
    return this.#reconciler.reconcile(key)
  }

  say(change: (approval: Wire) => void): void {
    const after = nhiGrantApproval((approval) => {
      approval.metadata = { namespace: 'payments', name: 'review', uid: 'a-1', creationTimestamp: formatInstant(start) }
      approval.spec.grant.uid = 'u-1'
      change(approval)
    }) as NHIGrantApproval
    this.approvals.apply({ key, before: null, after })
  }

  #client(): ClusterClient {
    const client: Partial<ClusterClient> = {
      delete: (type, { name }, preconditions) => {
        this.calls.push(`delete ${type.kind} ${name} ${preconditions?.uid}`)
        return Promise.resolve('deleted')
      },
      replaceStatus: (_, object, status) => {
        this.grant = { ...object, status } as unknown as NHIGrant
        this.calls.push(`review by ${this.grant.status?.review?.reviewedBy}`)
        return Promise.resolve(this.grant as unknown as KubeObject)
      },
    }
    return new Proxy(client, { get: (target, name) => Reflect.get(target, name) ?? unexpected }) as ClusterClient
  }
}

const dueBy = formatInstant(start + 3_600_000)
const trackings: readonly (readonly [tool: string, change: (grant: Wire) => void])[] = [
  ['Argo CD', ({ metadata }) => (metadata.annotations = { 'argocd.argoproj.io/tracking-id': 'x' })],
  ['Flux', ({ metadata }) => (metadata.labels = { 'kustomize.toolkit.fluxcd.io/name': 'x' })],
]

describe('a grant that has ended', () => {
  it('stays as its own record for as long as its policy says, and is then deleted, itself and no other of its name', async () => {
    const setting = new Setting()
    expect(await setting.reconcile()).to.deep.equal(again(start + retention))
    await setting.clock.advance(retention - 1)
    await setting.reconcile()
    expect(setting.calls).to.deep.equal([])
    await setting.clock.advance(1)
    expect(await setting.reconcile()).to.deep.equal(done)
    expect(setting.calls).to.deep.equal(['record Discarded', 'delete NHIGrant g u-1'])
  })

  for (const [tool, change] of trackings)
    it(`F4: stays for ever where ${tool} would create it again`, async () => {
      const setting = new Setting(change)
      await setting.clock.advance(retention * 10)
      expect(await setting.reconcile()).to.deep.equal(done)
      expect(setting.calls).to.deep.equal([])
    })

  it('stays until it was reviewed, if it was an emergency, and for its time then', async () => {
    const setting = new Setting(({ status }) => (status.review = { dueBy }))
    await setting.clock.advance(retention * 10)
    expect(await setting.reconcile()).to.deep.equal(done)
    setting.say(({ spec }) => Object.assign(spec, { decision: 'Review', approver: 'rea' }))
    expect(await setting.reconcile()).to.deep.equal(again(setting.clock.now()))
    await setting.reconcile()
    expect(setting.calls).to.deep.equal([
      'record Reviewed',
      'review by rea',
      'record Discarded',
      'delete NHIGrant g u-1',
    ])
  })

  it('is reviewed by nobody who asked for it, and by nobody for another grant', async () => {
    const setting = new Setting(({ status }) => (status.review = { dueBy }))
    setting.say(({ spec }) =>
      Object.assign(spec, { decision: 'Review', approver: 'system:serviceaccount:ci:deployer' }),
    )
    expect(await setting.reconcile()).to.deep.equal(done)
    setting.say(({ spec }) => {
      Object.assign(spec, { decision: 'Review', approver: 'rea' })
      spec.grant.uid = 'u-0'
    })
    expect(await setting.reconcile()).to.deep.equal(done)
    setting.say(({ spec, metadata }) => {
      Object.assign(spec, { decision: 'Review', approver: 'rea' })
      metadata.namespace = 'search'
    })
    expect(await setting.reconcile()).to.deep.equal(done)
    expect(setting.calls).to.deep.equal([])
  })
})
