import { setImmediate } from 'node:timers/promises'
import { expect } from 'chai'
import type { NHIGrant } from '../../../src/api/v1alpha1/objects.ts'
import { EvidenceRecorder } from '../../../src/controllers/nhi-grant/evidence-recorder.ts'
import type { Evidence } from '../../../src/core/audit/record.ts'
import { nhiGrant } from '../../api/v1alpha1/wire.ts'
import { FakeClock } from '../../support/fake-clock.ts'

type Status = NonNullable<NHIGrant['status']>

const active: Status = { state: 'Active', notAfter: '2027-01-01T00:10:00.000Z' }

function grantWith(status: Status, name = 'g'): NHIGrant {
  return nhiGrant((grant) => {
    grant.metadata = { namespace: 'payments', name, uid: `u-${name}`, resourceVersion: '1' }
    grant.status = status as typeof grant.status
  }) as NHIGrant
}

const rejection = (promise: Promise<void>): Promise<unknown> =>
  promise.then(() => null).catch((error: unknown) => error)

describe('what puts the evidence of grants on record', () => {
  let clock: FakeClock
  let fails: boolean
  let written: string[]
  let recorder: EvidenceRecorder
  beforeEach(() => {
    clock = new FakeClock(Date.UTC(2027, 0, 1))
    fails = false
    written = []
    const write = async (evidence: readonly Evidence[]): Promise<void> => {
      await setImmediate()
      if (fails) throw new Error('the disk is full')
      written.push(...evidence.map(({ kind, grant }) => `${kind} ${grant.name}`))
    }
    recorder = new EvidenceRecorder({ audit: { write }, clock })
  })

  const issuing = { state: 'Pending', notAfter: active.notAfter } as Status

  for (const [sentence, before, after] of [
    ['that access will be given', { state: 'Pending' }, issuing],
    ['that it was given', issuing, active],
    ['that it ended', active, { ...active, state: 'Expired', endedReason: 'as issued' }],
  ] as const)
    it(`lets no status say ${sentence} that is not on record`, async () => {
      fails = true
      const failure = await rejection(recorder.ofStatus(grantWith(before), after))
      expect(failure).to.have.property('message', 'the disk is full')
      fails = false
      await recorder.ofStatus(grantWith(before), after)
      expect(written).to.have.length(1)
    })

  it('lets an end come earlier without a record, which comes as soon as one can be written', async () => {
    fails = true
    await recorder.ofStatus(grantWith(active), { ...active, notAfter: '2027-01-01T00:05:00.000Z' })
    await clock.advance(3_000)
    expect(written).to.deep.equal([])
    fails = false
    await clock.advance(1_000)
    await setImmediate()
    expect(written).to.deep.equal(['Shortened g'])
    expect(clock.pending).to.equal(0)
  })

  it('lets ends and deletions come without a record, and writes what is owed before anything else', async () => {
    fails = true
    recorder.ofEnding(grantWith(active, 'a'), 'as issued')
    recorder.ofEnding(grantWith(active, 'b'), 'as issued')
    recorder.ofDeletion(grantWith(active, 'c'))
    for (let turn = 0; turn < 3; turn++) await setImmediate()
    fails = false
    await recorder.ofStatus(grantWith(active, 'a'), { ...active, state: 'Expired', endedReason: 'as issued' })
    expect(written).to.deep.equal(['Ending a', 'Ending b', 'Ended c', 'Ended a'])
    await clock.advance(5_000)
    expect(written).to.have.length(4)
  })

  it('says nothing of a status that says nothing new', async () => {
    fails = true
    await recorder.ofStatus(grantWith(active), { ...active, observedGeneration: 2 })
    recorder.ofDeletion(grantWith({ state: 'Pending' }))
    expect(clock.pending).to.equal(0)
  })
})
