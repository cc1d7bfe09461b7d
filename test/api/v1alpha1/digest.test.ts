import { expect } from 'chai'
import { digestOf } from '../../../src/api/v1alpha1/digest.ts'

describe('digestOf', () => {
  it('is the SHA-256 of the canonical form, as any other tool computes it', () => {
    // printf '{"a":[1,true,null],"b":"€"}' | sha256sum
    const digest = 'sha256:e2e301e79778a3003332d27ea1c1812e4a78418897e5370d195b28455f28e951'
    expect(digestOf({ b: '€', a: [1, true, null] })).to.equal(digest)
  })

  it('is the same for keys in any order', () => {
    expect(digestOf({ a: 1, b: { c: 2, d: 3 } })).to.equal(digestOf({ b: { d: 3, c: 2 }, a: 1 }))
  })

  it('differs for items in another order', () => expect(digestOf([1, 2])).to.not.equal(digestOf([2, 1])))
})
