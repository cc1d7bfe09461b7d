import { expect } from 'chai'
import * as fc from 'fast-check'

import { Groups } from '../../src/core/groups.ts'

describe('groups', () => {
  it('hold each value under its key, the newest in place of one before', () => {
    const groups = new Groups<number>()
    groups.put('a', 'one', 1)
    groups.put('a', 'one', 2)
    expect(groups.of('a')).to.deep.equal([2])
    groups.put('a', 'two', 3)
    groups.put('a', 'one', 4)
    expect(groups.of('a')).to.deep.equal([4, 3])
    expect(groups.of('b')).to.deep.equal([])
  })

  it('are what maps of maps are, whatever is put and removed', () => {
    const word = fc.constantFrom('a', 'b', 'c')
    const step = fc.tuple(word, word, fc.option(fc.nat({ max: 9 }), { nil: null }))
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const groups = new Groups<number>()
        const maps = new Map<string, Map<string, number>>()
        for (const [group, key, value] of steps) {
          const members = maps.get(group) ?? new Map<string, number>()
          maps.set(group, members)
          if (value === null) members.delete(key)
          else members.set(key, value)
          if (value === null) groups.remove(group, key)
          else groups.put(group, key, value)
          expect(groups.of(group)).to.deep.equal([...members.values()])
          expect(groups.has(group)).to.equal(members.size > 0)
        }
      }),
    )
  })
})
