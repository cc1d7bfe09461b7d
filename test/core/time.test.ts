import { expect } from 'chai'
import * as fc from 'fast-check'
import { formatDuration, formatInstant, parseDuration, parseInstant } from '../../src/core/time.ts'

const hour = 3_600_000

describe('parseDuration', () => {
  const table: readonly (readonly [sentence: string, text: string, millis: number | null])[] = [
    ['reads hours, minutes and seconds', '1h30m5s', hour + 30 * 60_000 + 5_000],
    ['reads minutes beyond the hour', '90m', 90 * 60_000],
    ['reads zero, which whoever asks may refuse', '0s', 0],
    ['reads nothing from nothing', '', null],
    ['knows no negative durations', '-5m', null],
    ['knows no unit below a second', '5ms', null],
    ['knows no fractions', '1.5h', null],
    ['knows no days', '2d', null],
    ['wants a unit', '30', null],
    ['wants the larger unit first', '30m1h', null],
    ['takes each unit once', '1h1h', null],
    ['takes no blank', '1h 30m', null],
    ['takes no line break at the end', '1h\n', null],
    ['takes at most six digits', '1000000h', null],
  ]
  for (const [sentence, text, millis] of table) {
    it(`${sentence}: ${JSON.stringify(text)}`, () => expect(parseDuration(text)).to.equal(millis))
  }
})

describe('formatDuration', () => {
  const table: readonly (readonly [millis: number, text: string])[] = [
    [0, '0ms'],
    [38, '38ms'],
    [37.6, '38ms'],
    [1_000, '1s'],
    [1_999, '1s'],
    [60_000, '1m'],
    [hour + 5_000, '1h5s'],
    [2160 * hour, '2160h'],
  ]
  for (const [millis, text] of table)
    it(`writes ${millis} ms as ${text}`, () => expect(formatDuration(millis)).to.equal(text))

  it('writes what parseDuration reads', () => {
    const wholeSeconds = fc.integer({ min: 1, max: 3_600 * 2160 }).map((seconds) => seconds * 1_000)
    fc.assert(
      fc.property(wholeSeconds, (millis) => parseDuration(formatDuration(millis)) === millis),
      { seed: 36 },
    )
  })
})

describe('parseInstant', () => {
  const noon = Date.UTC(2027, 2, 1, 12)
  const table: readonly (readonly [sentence: string, text: string, instant: number | null])[] = [
    ['reads UTC', '2027-03-01T12:00:00Z', noon],
    ['reads an offset', '2027-03-01T14:30:00+02:30', noon],
    ['reads small letters', '2027-03-01t12:00:00z', noon],
    ['rounds a fraction down to the millisecond', '2027-03-01T12:00:00.001999Z', noon + 1],
    ['reads a leap day', '2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
    ['wants a leap day to exist', '2027-02-29T00:00:00Z', null],
    ['does not take the 30th of February for the 2nd of March', '2027-02-30T00:00:00Z', null],
    ['does not take hour 24 for the next day', '2027-03-01T24:00:00Z', null],
    ['knows no leap second', '2027-03-01T23:59:60Z', null],
    ['knows no month 13', '2027-13-01T00:00:00Z', null],
    ['knows no offset of a day', '2027-03-01T12:00:00+24:00', null],
    ['wants a time zone', '2027-03-01T12:00:00', null],
    ['wants a time', '2027-03-01', null],
    ['takes no words', 'tomorrow', null],
    ['takes no number', '1803902400000', null],
  ]
  for (const [sentence, text, instant] of table) {
    it(`${sentence}: ${text}`, () => expect(parseInstant(text)).to.equal(instant))
  }

  it('reads what formatInstant writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (instant) => {
        return parseInstant(formatInstant(instant)) === instant
      }),
      { seed: 36 },
    )
  })
})
