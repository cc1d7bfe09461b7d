import { expect } from 'chai'
import type { CallLimit } from '../../../src/cluster/ports.ts'
import { resources } from '../../../src/cluster/resources.ts'
import { callsUntil, type ObjectCalls } from '../../../src/controllers/nhi-grant/calls-until.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const key = { namespace: 'payments', name: 'g' }
const object = { metadata: { ...key, uid: 'u-1', resourceVersion: '1' } }

const calls: Readonly<Record<string, (client: ObjectCalls) => Promise<unknown>>> = {
  get: (client) => client.get(resources.nhiGrants, key),
  create: (client) => client.create(resources.roles, object),
  createSubresource: (client) => client.createSubresource(resources.serviceAccounts, key, 'token', {}),
  replace: (client) => client.replace(resources.secrets, object),
  replaceStatus: (client) => client.replaceStatus(resources.nhiGrants, object, {}),
  delete: (client) => client.delete(resources.roles, key, { uid: 'u-1' }),
}

describe('calls until an instant', () => {
  let clock: FakeClock
  let limits: (CallLimit | undefined)[]
  let client: ObjectCalls

  beforeEach(() => {
    clock = new FakeClock()
    limits = []
    const note = (limit: CallLimit | undefined): void => void limits.push(limit)
    const inner: ObjectCalls = {
      get: async (_, __, limit) => (note(limit), object),
      list: async () => [object],
      create: async (_, __, limit) => (note(limit), object),
      createSubresource: async (_, __, ___, ____, limit) => (note(limit), object),
      replace: async (_, __, limit) => (note(limit), object),
      replaceStatus: async (_, __, ___, limit) => (note(limit), object),
      delete: async (_, __, options) => (note(options), 'deleted'),
    }
    client = callsUntil(clock.now() + 60_000, inner, clock)
  })

  for (const [verb, call] of Object.entries(calls)) {
    const also = verb === 'delete' ? { uid: 'u-1' } : {}

    it(`${verb} has ten seconds while it is far away`, async () => {
      await call(client)
      expect(limits).to.deep.equal([{ ...also, timeout: 10_000 }])
    })

    it(`${verb} has no more than what is left`, async () => {
      await clock.advance(59_900)
      await call(client)
      expect(limits).to.deep.equal([{ ...also, timeout: 100 }])
    })

    it(`${verb} is not made when nothing is left`, async () => {
      await clock.advance(60_000)
      const error = await call(client).catch((caught: unknown) => caught)
      expect(error).to.be.instanceOf(Error).with.property('message', 'not sent: the grant has come to its end')
      expect(limits).to.deep.equal([])
    })
  }
})
