import { expect } from 'chai'
import { assert, integer, property } from 'fast-check'
import { accessPolicySchema } from '../../../src/api/v1alpha1/access-policy.schema.ts'
import { dueAt, endOfBinding, longestGrant } from '../../../src/core/reaper/binding-end.ts'
import { formatDuration, formatInstant } from '../../../src/core/time.ts'

const created = '2026-01-01T00:00:00Z'
const creation = Date.parse(created)

describe('the end of a binding', () => {
  for (const [sentence, notAfter, createdAt, end] of [
    ['is what is written', '2026-01-01T01:00:00.250Z', created, { at: creation + 3_600_250, by: 'Written' }],
    [
      'may have been over when it was made',
      '2025-12-31T00:00:00Z',
      created,
      { at: creation - 86_400_000, by: 'Written' },
    ],
    [
      'is never later than the longest grant',
      '2099-01-01T00:00:00Z',
      created,
      { at: creation + 999 + longestGrant, by: 'Limit' },
    ],
    ['has come when none is written', undefined, created, { at: 0, by: 'Unreadable' }],
    ['has come when nothing is written', '', created, { at: 0, by: 'Unreadable' }],
    ['has come when it is no time', 'never', created, { at: 0, by: 'Unreadable' }],
    ['has come when it is a number', '99999999999999', created, { at: 0, by: 'Unreadable' }],
    ['has come when it is a day that there is not', '2026-02-30T00:00:00Z', created, { at: 0, by: 'Unreadable' }],
    ['has come when it has no zone', '2026-01-01T01:00:00', created, { at: 0, by: 'Unreadable' }],
    ['has come when its beginning is not known', '2026-01-01T01:00:00Z', undefined, { at: 0, by: 'Unreadable' }],
  ] as const) {
    it(sentence, () => expect(endOfBinding(notAfter, createdAt)).to.deep.equal(end))
  }

  it('is the one that the operator writes, for every grant that a policy can give', () => {
    const duration = integer({ min: 0, max: longestGrant })
    assert(
      property(duration, integer({ min: 0, max: 999 }), (lasts, late) => {
        const at = creation + late + lasts
        expect(endOfBinding(formatInstant(at), created)).to.deep.equal({ at, by: 'Written' })
      }),
      { seed: 6 },
    )
  })

  it('knows the longest grant as the API has it', () => {
    expect(JSON.stringify(accessPolicySchema)).to.include(`At most ${formatDuration(longestGrant)}.`)
  })

  it('is given some grace if it was promised, and none if nothing was', () => {
    expect(dueAt({ at: 5_000, by: 'Written' }, 2_000)).to.equal(7_000)
    expect(dueAt({ at: 5_000, by: 'Limit' }, 2_000)).to.equal(7_000)
    expect(dueAt({ at: 0, by: 'Unreadable' }, 2_000)).to.equal(0)
  })
})
