import { expect } from 'chai'
import type { NHIGrant } from '../../../src/api/v1alpha1/objects.ts'
import {
  Conflict,
  Forbidden,
  NotFound,
  ServerError,
  TooManyRequests,
  Unreachable,
} from '../../../src/cluster/errors.ts'
import type { EventNote, KubeObject } from '../../../src/cluster/ports.ts'
import { PodEvictor } from '../../../src/controllers/nhi-grant/evict-pods.ts'
import { formatInstant, type Instant } from '../../../src/core/time.ts'
import { silentLog } from '../../../src/runtime/log.ts'
import type { Outcome } from '../../../src/runtime/queue.ts'
import { nhiGrant } from '../../api/v1alpha1/wire.ts'

const endedAt: Instant = Date.UTC(2027, 0, 1)
const request = { method: 'POST', path: '/api/v1/namespaces/ci/pods/a/eviction' }
const budget = new TooManyRequests(request, 'Cannot evict pod as it would violate the disruption budget', 1_000)

interface PodFields {
  readonly name: string
  readonly created?: Instant
  readonly phase?: string
  readonly deleted?: true
}

function podOf({ name, created = endedAt - 60_000, phase = 'Running', deleted }: PodFields): KubeObject {
  const creationTimestamp = formatInstant(created)
  const metadata = { namespace: 'ci', name, uid: `${name}-uid`, resourceVersion: '1', creationTimestamp }
  return { metadata: { ...metadata, ...(deleted && { deletionTimestamp: creationTimestamp }) }, status: { phase } }
}

/** An evictor, the Pods that there are, and what evicting one of them throws. */
class Setting {
  pods: readonly PodFields[] = [{ name: 'a' }]
  fails: Readonly<Record<string, Error>> = {}
  grant: NHIGrant
  readonly evicted: string[] = []
  readonly listed: object[] = []
  readonly told: EventNote[] = []
  readonly #evictor: PodEvictor

  constructor(status: object = {}) {
    this.grant = nhiGrant((wire) => {
      wire.spec.subject = { kind: 'User', name: 'system:serviceaccount:ci:deployer' }
      wire.status = { state: 'Revoked', onRevoke: 'EvictPods', endedAt: formatInstant(endedAt), ...status }
    }) as NHIGrant
    this.#evictor = new PodEvictor({
      client: {
        list: async (_, options = {}) => {
          this.listed.push(options)
          return this.pods.map(podOf)
        },
        createSubresource: async (_, { name }, subresource, object) => {
          if (this.fails[name] !== undefined) throw this.fails[name]
          const { deleteOptions } = object as { readonly deleteOptions: { preconditions: { uid: string } } }
          this.evicted.push(`${subresource} ${name} ${deleteOptions.preconditions.uid}`)
          return podOf({ name })
        },
      },
      events: { record: (event) => void this.told.push(event) },
      clock: { now: () => endedAt + 1_000 },
      log: silentLog,
    })
  }

  evict(): Promise<Outcome | null> {
    return this.#evictor.evict(this.grant, async (grant, status) => {
      this.grant = { ...grant, status }
    })
  }

  get conclusion(): string {
    const { status, reason, message } = this.grant.status!.conditions!.find(({ type }) => type === 'PodsEvicted')!
    return `${status} ${reason}: ${message}`
  }
}

describe('eviction of the Pods of who was revoked', () => {
  it('takes those that run and had the access, each by its UID, however the subject is spelled', async () => {
    const setting = new Setting()
    setting.pods = [
      { name: 'a' },
      { name: 'later', created: endedAt + 1_000 },
      { name: 'done', phase: 'Succeeded' },
      { name: 'failed', phase: 'Failed' },
      { name: 'going', deleted: true },
      { name: 'pending', phase: 'Pending' },
    ]
    expect(await setting.evict()).to.equal(null)
    expect(setting.listed).to.deep.equal([{ namespace: 'ci', fieldSelector: 'spec.serviceAccountName=deployer' }])
    expect(setting.evicted).to.deep.equal(['eviction a a-uid', 'eviction pending pending-uid'])
    expect(setting.conclusion).to.equal(
      'True Evicted: no Pod of ServiceAccount ci/deployer is left that had the access',
    )
    expect(setting.told.map(({ type, reason }) => `${type} ${reason}`)).to.deep.equal(['Normal PodsEvicted'])
    expect(await setting.evict()).to.equal(null)
    expect(setting.listed).to.have.length(1)
  })

  for (const [sentence, status] of [
    ['a grant that ended by itself', { state: 'Expired' }],
    ['a grant that was never issued', { state: 'Denied' }],
    ['a policy that does not ask for it', { onRevoke: undefined }],
  ] as const)
    it(`leaves those of ${sentence}`, async () => {
      const setting = new Setting(status)
      expect(await setting.evict()).to.equal(null)
      expect(setting.listed).to.deep.equal([])
    })

  it('tries again those that a budget keeps, later each time, tells it once, and goes on with the others', async () => {
    const setting = new Setting()
    setting.pods = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => ({ name }))
    setting.fails = Object.fromEntries(setting.pods.slice(1).map(({ name }) => [name, budget]))
    setting.fails = { ...setting.fails, g: new ServerError(request, 'more than one PodDisruptionBudget', 500) }
    const pauses: unknown[] = []
    for (let n = 0; n < 8; n++) pauses.push(await setting.evict())
    expect(pauses).to.deep.equal(
      [1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => ({ kind: 'after', delay: seconds * 1_000 })),
    )
    expect(setting.evicted[0]).to.equal('eviction a a-uid')
    expect(setting.conclusion).to.equal(
      `False Blocked: Pods of ServiceAccount ci/deployer that had the access are tried again: ci/b, ci/c, ci/d, ci/e, ci/f, 1 more; ${budget.message}`,
    )
    setting.fails = {}
    expect(await setting.evict()).to.equal(null)
    expect(setting.told.map(({ type, reason }) => `${type} ${reason}`)).to.deep.equal([
      'Warning EvictionBlocked',
      'Normal PodsEvicted',
    ])
  })

  it('takes one that has gone, or was replaced, for evicted', async () => {
    const setting = new Setting()
    setting.pods = [{ name: 'a' }, { name: 'b' }]
    setting.fails = {
      a: new NotFound(request, 'pods "a" not found', 'object'),
      b: new Conflict(request, 'the UID in the precondition does not match', 'Conflict'),
    }
    expect(await setting.evict()).to.equal(null)
    expect(setting.conclusion).to.match(/^True Evicted/)
  })

  it('says that it may not, and waits for nothing', async () => {
    const setting = new Setting()
    setting.fails = { a: new Forbidden(request, 'pods "a" is forbidden') }
    expect(await setting.evict()).to.equal(null)
    expect(setting.conclusion).to.match(/^False Forbidden: the access is gone, but the operator may not evict the Pods/)
    expect(await setting.evict()).to.equal(null)
    expect(setting.told.map(({ reason }) => reason)).to.deep.equal(['EvictionForbidden'])
  })

  it('leaves any other failure to the back-off of who called, with nothing said of it', async () => {
    const setting = new Setting()
    setting.fails = { a: new Unreachable(request, 'connection reset') }
    expect(await setting.evict().catch((error: unknown) => error)).to.be.instanceOf(Unreachable)
    expect(setting.told).to.deep.equal([])
  })
})
