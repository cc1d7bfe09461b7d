import { expect } from 'chai'
import * as fc from 'fast-check'
import { JsonLines } from '../../src/cluster/json-lines.ts'

describe('JSON lines', () => {
  it('come out the same wherever the bytes are cut, inside of a character too', () => {
    const value = fc.record({ text: fc.string({ unit: 'binary' }), flag: fc.constantFrom('✓', 'ä', '𝄞', '\n') })
    fc.assert(
      fc.property(fc.array(value), fc.array(fc.nat(), { maxLength: 12 }), (values, cuts) => {
        const bytes = Buffer.from(values.map((each) => `${JSON.stringify(each)}\n`).join(''))
        const lines = new JsonLines()
        const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
        const read = ends.flatMap((end, index) => lines.push(bytes.subarray(ends[index - 1] ?? 0, end)))
        expect(read).to.deep.equal(JSON.parse(JSON.stringify(values)))
      }),
      { seed: 20_261_102, numRuns: 300 },
    )
  })

  it('keep back a line that has no end yet', () => {
    const lines = new JsonLines()
    expect(lines.push(Buffer.from('{"a":1}\n{"b"'))).to.deep.equal([{ a: 1 }])
    expect(lines.push(Buffer.from(':2}\r\n\n'))).to.deep.equal([{ b: 2 }])
  })

  it('refuse what is no JSON and what is no UTF-8', () => {
    expect(() => new JsonLines().push(Buffer.from('{"a":\n'))).to.throw(SyntaxError)
    expect(() => new JsonLines().push(Buffer.from([0xff, 0xfe, 0x0a]))).to.throw(TypeError)
  })
})
