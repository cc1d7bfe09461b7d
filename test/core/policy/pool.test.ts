import { expect } from 'chai'
import { allocate, isPoolName, poolName } from '../../../src/core/policy/pool.ts'

describe('the role pool', () => {
  const table: readonly {
    readonly sentence: string
    readonly count: number
    readonly size?: number
    readonly taken?: readonly number[]
    readonly usedBefore?: readonly number[]
    readonly names: readonly number[]
  }[] = [
    { sentence: 'gives the first names of an untouched pool', count: 2, names: [0, 1] },
    { sentence: 'skips a name that is taken', count: 2, taken: [0], names: [1, 2] },
    { sentence: 'gives names that were never used first', count: 2, usedBefore: [0, 1], names: [2, 3] },
    { sentence: 'uses a name again when no fresh one is left', count: 3, usedBefore: [0, 1], names: [2, 3, 0] },
    {
      sentence: 'never uses a taken name again, used before or not',
      count: 4,
      taken: [0, 2],
      usedBefore: [0, 1],
      names: [3, 1],
    },
    { sentence: 'gives fewer when it is exhausted', count: 2, size: 1, names: [0] },
    { sentence: 'gives none when all are taken', count: 1, size: 2, taken: [0, 1], names: [] },
    { sentence: 'gives none when there are none', count: 1, size: 0, names: [] },
  ]
  for (const { sentence, count, size = 4, taken = [], usedBefore = [], names } of table) {
    it(sentence, () => {
      const pool = { size, taken: new Set(taken.map(poolName)), usedBefore: new Set(usedBefore.map(poolName)) }
      expect(allocate(count, pool)).to.deep.equal(names.map(poolName))
    })
  }

  it('knows its own names', () => {
    for (const name of ['lapse-set-0', 'lapse-set-255', 'lapse-set-9999']) expect(isPoolName(name), name).to.equal(true)
  })

  it('knows no name that only looks like one of its own', () => {
    for (const name of [
      'lapse-set-',
      'lapse-set-01',
      'lapse-set-10000',
      'lapse-set-1x',
      'xlapse-set-1',
      'lapse-set-1\n',
    ])
      expect(isPoolName(name), name).to.equal(false)
  })
})
