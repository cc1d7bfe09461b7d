import { expect } from 'chai'
import type { NHIGrant } from '../../../src/api/v1alpha1/objects.ts'
import { Conflict } from '../../../src/cluster/errors.ts'
import type { KubeObject } from '../../../src/cluster/ports.ts'
import type { ObjectCalls } from '../../../src/controllers/nhi-grant/calls-until.ts'
import { carryOut, type Carried } from '../../../src/controllers/nhi-grant/issue-credential.ts'
import { isObstacle, type Obstacle } from '../../../src/controllers/nhi-grant/objects.ts'
import type { GrantRecord } from '../../../src/core/grant/record.ts'
import { formatInstant, type Instant } from '../../../src/core/time.ts'
import { nhiGrant } from '../../api/v1alpha1/wire.ts'

const now: Instant = Date.UTC(2027, 0, 1)
const minute = 60_000
const request = { method: 'POST', path: '/api/v1/namespaces/payments/secrets' }

const unexpected = (): never => expect.fail('it is not to be called')

interface AskedToken {
  readonly audiences: readonly string[]
  readonly expirationSeconds: number
}

/** What a grant with a credential has created, with an API server that issues tokens `late` after they are asked for. */
class Setting {
  readonly calls: string[] = []
  readonly asked: AskedToken[] = []
  written: KubeObject | null = null
  late = 0
  isTaken = false

  async carryOut(left: number, earlier: { readonly uid?: string } = {}): Promise<Carried | Obstacle> {
    const grant = nhiGrant((wire) => {
      wire.metadata = { namespace: 'payments', name: 'g', uid: 'u-1', resourceVersion: '1' }
      wire.spec.credential = { secretName: 'token', audiences: ['vault'] }
      wire.status = {
        state: 'Pending',
        objects: [
          { kind: 'ServiceAccount', name: 'lapse-u-1' },
          { kind: 'Secret', name: 'token', ...earlier },
        ],
      }
    }) as NHIGrant
    const record = {
      notAfter: now + left,
      policy: { name: 'deploy', version: '1.0.0', digest: '' },
      objects: [
        { kind: 'ServiceAccount', name: 'lapse-u-1' },
        { kind: 'Secret', name: 'token' },
      ],
    } as unknown as GrantRecord
    return carryOut(grant, record, {
      calls: this.#client(),
      clock: { now: () => now },
      report: async (before, status) => {
        this.calls.push(`status ${(status.objects ?? []).map(({ kind, uid = '-' }) => `${kind}=${uid}`).join()}`)
        return { ...before, status }
      },
    })
  }

  #client(): ObjectCalls {
    return {
      get: unexpected,
      list: unexpected,
      replaceStatus: unexpected,
      create: async ({ kind }, object) => {
        this.calls.push(`create ${kind}`)
        if (kind === 'Secret' && this.isTaken) throw new Conflict(request, 'it exists', 'AlreadyExists')
        const { metadata, ...rest } = object as KubeObject
        return { ...rest, metadata: { ...metadata, uid: `${kind}-uid`, resourceVersion: '7' } }
      },
      createSubresource: async ({ kind }, { name }, subresource, object) => {
        this.calls.push(`create ${kind} ${name} ${subresource}`)
        const { spec } = object as { readonly spec: AskedToken }
        this.asked.push(spec)
        const expirationTimestamp = formatInstant(now + this.late + spec.expirationSeconds * 1_000)
        return { status: { token: 'a.b.c', expirationTimestamp } } as unknown as KubeObject
      },
      replace: async ({ kind }, object) => {
        this.calls.push(`replace ${kind}`)
        this.written = object
        return object
      },
      delete: async ({ kind }, { name }, { uid } = {}) => {
        this.calls.push(`delete ${kind} ${name} ${uid ?? ''}`)
        return 'deleted'
      },
    }
  }
}

describe('a credential', () => {
  let setting: Setting
  beforeEach(() => {
    setting = new Setting()
  })

  it('is issued for what is left, less a second on its way, once the UID of its Secret is on record', async () => {
    const carried = await setting.carryOut(15 * minute + 900)
    expect(setting.calls).to.deep.equal([
      'create ServiceAccount',
      'create Secret',
      'status ServiceAccount=ServiceAccount-uid,Secret=Secret-uid',
      'create ServiceAccount lapse-u-1 token',
      'replace Secret',
    ])
    const boundObjectRef = { apiVersion: 'v1', kind: 'Secret', name: 'token', uid: 'Secret-uid' }
    expect(setting.asked).to.deep.equal([{ audiences: ['vault'], expirationSeconds: 899, boundObjectRef }])
    expect(setting.written).to.deep.include({ data: { token: 'YS5iLmM=' }, immutable: true, type: 'lapse.dev/token' })
    expect(setting.written!.metadata).to.include({ uid: 'Secret-uid', resourceVersion: '7' })
    expect(carried).to.include({ tokenExpiresAt: now + 899_000 })
  })

  it('of an earlier try goes with its Secret, by its UID, before there is another', async () => {
    await setting.carryOut(15 * minute, { uid: 'earlier' })
    expect(setting.calls.slice(0, 3)).to.deep.equal([
      'create ServiceAccount',
      'delete Secret token earlier',
      'create Secret',
    ])
    expect(setting.asked).to.have.length(1)
  })

  it('is none, of a Secret whose name is taken', async () => {
    setting.isTaken = true
    const obstacle = await setting.carryOut(15 * minute)
    expect(isObstacle(obstacle) && obstacle.reason).to.equal('ObjectNotOurs')
    expect(setting.asked).to.deep.equal([])
  })

  it('is none when a crash has left less than a token lasts', async () => {
    const obstacle = await setting.carryOut(10 * minute + 999)
    expect(isObstacle(obstacle) && obstacle.reason).to.equal('CredentialTooShort')
    expect(setting.asked).to.deep.equal([])
  })

  it('that would outlive its grant, for it was long on its way, is written nowhere', async () => {
    setting.late = 5_000
    const error = await setting.carryOut(15 * minute).catch((caught: unknown) => caught)
    expect(error).to.be.instanceOf(Error).with.property('message', 'the token would have outlived the grant')
    expect(setting.written).to.equal(null)
  })
})
