import { expect } from 'chai'
import * as fc from 'fast-check'
import type { AuditEntry, AuditRecord } from '../../../src/core/audit/record.ts'
import { evidenceOf, opened, recordsOf, textOf, verify } from './records.ts'

const entry = fc
  .record({
    reason: fc.string({ unit: 'grapheme', maxLength: 12 }),
    message: fc.string({ unit: 'binary', maxLength: 12 }),
  })
  .map((changed): AuditEntry => evidenceOf(changed))

/** Lines of a chain whose process was started again in between. */
const someLines = fc
  .tuple(fc.array(entry, { minLength: 1, maxLength: 6 }), fc.array(entry, { minLength: 1, maxLength: 6 }))
  .map(([before, after]) => recordsOf([opened(), ...before, opened('Restarted'), ...after]).map(textOf))

const inside = (lines: readonly string[], index: number): number => index % lines.length
const run = { seed: 20_270_101, numRuns: 200 }

/** What a file says, whatever its form: an order of fields says nothing. */
function saysTheSame(a: string, b: string): boolean {
  try {
    return JSON.stringify(JSON.parse(a)) === b
  } catch {
    return false
  }
}

describe('the proof of a chain, for any records,', () => {
  it('stands when nothing was touched', () =>
    fc.assert(
      fc.property(someLines, (lines) => void expect(verify([lines]).break).to.equal(null)),
      run,
    ))

  it('finds any line inside that was taken out', () =>
    fc.assert(
      fc.property(someLines, fc.nat(), (lines, at) => {
        const index = at % (lines.length - 1) // the last one: see below
        expect(verify([lines.toSpliced(index, 1)]).break).not.to.equal(null)
      }),
      run,
    ))

  it('finds any two lines that changed places', () =>
    fc.assert(
      fc.property(someLines, fc.nat(), fc.nat(), (lines, a, b) => {
        const [i, j] = [inside(lines, a), inside(lines, b)]
        fc.pre(i !== j)
        expect(verify([lines.with(i, lines[j]!).with(j, lines[i]!)]).break).not.to.equal(null)
      }),
      run,
    ))

  it('finds any line that was put in, also a record that is one', () =>
    fc.assert(
      fc.property(someLines, fc.nat(), fc.oneof(fc.string(), fc.nat()), (lines, at, put) => {
        const line = typeof put === 'string' ? put.replaceAll('\n', '') : lines[inside(lines, put)]!
        expect(verify([lines.toSpliced(inside(lines, at), 0, line)]).break).not.to.equal(null)
      }),
      run,
    ))

  it('finds any character that was changed', () =>
    fc.assert(
      fc.property(someLines, fc.nat(), fc.nat(), fc.string({ minLength: 1, maxLength: 1 }), (lines, at, where, by) => {
        const index = inside(lines, at)
        const line = lines[index]!
        const place = where % line.length
        const changed = line.slice(0, place) + by + line.slice(place + 1)
        fc.pre(changed !== line && !saysTheSame(changed, line))
        expect(verify([lines.with(index, changed)]).break).not.to.equal(null)
      }),
      run,
    ))

  it('finds a record that was replaced by one with a right hash', () =>
    fc.assert(
      fc.property(someLines, fc.nat(), entry, (lines, at, other) => {
        const index = 1 + (at % (lines.length - 2))
        const before = JSON.parse(lines[index - 1]!) as AuditRecord
        const [forged] = recordsOf([other], before)
        fc.pre(textOf(forged!) !== lines[index])
        expect(verify([lines.with(index, textOf(forged!))]).break).not.to.equal(null)
      }),
      run,
    ))

  it('finds lines that were cut off at the end only by the hash of the last one, which it gives', () =>
    fc.assert(
      fc.property(someLines, fc.nat(), (lines, at) => {
        const kept = lines.slice(0, 1 + inside(lines.slice(1), at))
        const [whole, cut] = [verify([lines]), verify([kept])]
        expect(cut.break).to.equal(null)
        expect(cut.chains[0]!.last.hash).not.to.equal(whole.chains[0]!.last.hash)
      }),
      run,
    ))
})
