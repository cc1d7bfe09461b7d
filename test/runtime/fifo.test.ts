import { expect } from 'chai'
import { Fifo } from '../../src/runtime/fifo.ts'

describe('the line of keys', () => {
  it('lets each key out once, in the order in which it came, however long the line', () => {
    const line = new Fifo()
    const keys = Array.from({ length: 5_000 }, (_, n) => `k${n}`)
    for (const key of [...keys, ...keys]) line.push(key)
    expect(line.size).to.equal(5_000)
    const out = Array.from({ length: 5_000 }, () => line.shift())
    expect(out).to.deep.equal(keys)
    expect([line.shift(), line.size]).to.deep.equal([undefined, 0])
  })

  it('takes a key again after its turn, at the end', () => {
    const line = new Fifo()
    for (const key of ['a', 'b']) line.push(key)
    expect(line.shift()).to.equal('a')
    line.push('a')
    expect([line.shift(), line.shift()]).to.deep.equal(['b', 'a'])
  })
})
