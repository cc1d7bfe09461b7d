import { expect } from 'chai'

import { SharedTexts } from '../../src/cluster/shared-texts.ts'

describe('shared texts', () => {
  it('leave an object as it is to look at, nested as it may be', () => {
    const text = JSON.stringify({
      name: 'a',
      list: ['a', 1, null, true, { deep: 'a' }, 'x'.repeat(200)],
      ['__proto__']: { a: 'a' },
    })
    const shared = new SharedTexts().within(JSON.parse(text) as object)
    expect(JSON.stringify(shared)).to.equal(text)
    expect(Object.getPrototypeOf(shared)).to.equal(Object.prototype)
  })

  it('go on when there are more of them than are remembered', () => {
    const texts = new SharedTexts()
    const names = Array.from({ length: 10_000 }, (_, index) => `name-${index}`)
    expect(texts.within([...names])).to.deep.equal(names)
    expect(texts.within([...names])).to.deep.equal(names)
  })
})
