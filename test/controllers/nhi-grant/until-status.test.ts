import { expect } from 'chai'
import type { NHIGrant } from '../../../src/api/v1alpha1/objects.ts'
import { untilStatus } from '../../../src/controllers/nhi-grant/until-status.ts'
import type { UntilFacts } from '../../../src/core/grant/until.ts'
import { nhiGrant } from '../../api/v1alpha1/wire.ts'

const now = Date.UTC(2026, 0, 1)
const ready = { type: 'Ready', status: 'True', reason: 'Active', message: 'active', observedGeneration: 1 }
const isReady = { ...ready, lastTransitionTime: '2025-12-31T00:00:00.000Z' }
const unknown: UntilFacts = { kind: 'Unknown', message: 'the operator may not read it' }

const active = nhiGrant((wire) => {
  wire.status = { state: 'Active', observedGeneration: 1, notAfter: '2026-01-01T01:00:00.000Z', conditions: [isReady] }
}) as NHIGrant

describe('untilStatus', () => {
  it('says that only time ends it while its object cannot be seen, and changes nothing else', () => {
    const { conditions, ...rest } = untilStatus(active, unknown, now)
    expect(conditions).to.deep.equal([
      isReady,
      {
        type: 'UntilObserved',
        status: 'False',
        reason: 'UntilUnknown',
        message: 'only time ends it until then: the operator may not read it',
        observedGeneration: 1,
        lastTransitionTime: '2026-01-01T00:00:00.000Z',
      },
    ])
    expect({ ...rest, conditions: [isReady] }).to.deep.equal(active.status)
  })

  it('says the same the second time, so that nothing is written', () => {
    const status = untilStatus(active, unknown, now)
    expect(untilStatus({ ...active, status }, unknown, now + 60_000)).to.deep.equal(status)
  })

  it('takes it back once the object is seen', () => {
    const status = untilStatus(active, unknown, now)
    expect(untilStatus({ ...active, status }, { kind: 'Running', uid: 'job-1' }, now)).to.deep.equal(active.status)
  })

  it('leaves what was said while the object is about to be read, as after a restart', () => {
    const status = untilStatus(active, unknown, now)
    expect(untilStatus({ ...active, status }, { kind: 'Unread' }, now)).to.equal(status)
    expect(untilStatus(active, { kind: 'Unread' }, now)).to.equal(active.status)
  })

  it('says nothing of a grant that only time ends, or whose object is seen', () => {
    for (const facts of [{ kind: 'None' }, { kind: 'Running', uid: 'job-1' }] as const)
      expect(untilStatus(active, facts, now)).to.equal(active.status)
  })
})
