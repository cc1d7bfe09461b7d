import { expect } from 'chai'
import { mergeConditions, type Condition } from '../../../src/api/v1alpha1/conditions.ts'

const then = '2027-01-15T11:00:00.000Z'
const now = Date.UTC(2027, 0, 15, 12)
const ready = { type: 'Ready', status: 'True', reason: 'Active', message: 'active' } as const
const stalled = { type: 'Stalled', status: 'False', reason: 'Active', message: '' } as const
const before: readonly Condition[] = [{ ...ready, observedGeneration: 1, lastTransitionTime: then }]

describe('mergeConditions', () => {
  it('gives a new condition the time of now', () => {
    expect(mergeConditions([], [ready], 2, now)).to.deep.equal([
      { ...ready, observedGeneration: 2, lastTransitionTime: '2027-01-15T12:00:00.000Z' },
    ])
  })

  it('keeps the time while the status stays, whatever else changes', () => {
    const [condition] = mergeConditions(before, [{ ...ready, reason: 'Renamed', message: 'new' }], 2, now)
    expect(condition).to.include({ lastTransitionTime: then, reason: 'Renamed', message: 'new', observedGeneration: 2 })
  })

  it('moves the time when the status changes', () => {
    const [condition] = mergeConditions(before, [{ ...ready, status: 'False' }], 2, now)
    expect(condition?.lastTransitionTime).to.equal('2027-01-15T12:00:00.000Z')
  })

  it('sorts by type, so that the same conclusions make no write', () => {
    const types = mergeConditions(before, [stalled, ready], 1, now).map((condition) => condition.type)
    expect(types).to.deep.equal(['Ready', 'Stalled'])
  })

  it('drops what is not concluded any more', () => {
    expect(mergeConditions(before, [stalled], 1, now).map((condition) => condition.type)).to.deep.equal(['Stalled'])
  })
})
