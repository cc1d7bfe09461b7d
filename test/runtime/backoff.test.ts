import { expect } from 'chai'
import { backoffAfter } from '../../src/runtime/backoff.ts'

const longest = 5_000
const failed = new Error('no')
const asking = (retryAfter: unknown): Error => Object.assign(new Error('too many requests'), { retryAfter })

const least = (): number => 0
const most = (): number => 1 - Number.EPSILON

describe('the back-off', () => {
  const pauses: readonly (readonly [sentence: string, error: unknown, failures: number, from: number, to: number])[] = [
    ['begins with 5 ms', failed, 0, 3, 5],
    ['doubles', failed, 1, 5, 10],
    ['goes on doubling', failed, 6, 160, 320],
    ['ends at the longest', failed, 10, 2_500, 5_000],
    ['stays there after any number of failures', failed, 5_000, 2_500, 5_000],
    ['is at least what the error asks for', asking(1_000), 0, 1_000, 1_500],
    ['is its own where that is longer than what the error asks for', asking(1_000), 20, 2_500, 5_000],
    ['cuts what the error asks for to the longest, but for the spread', asking(99_999_000), 0, 5_000, 7_500],
    ['cuts what has no end', asking(Infinity), 0, 5_000, 7_500],
    ['does not listen to a number below zero', asking(-1), 0, 3, 5],
    ['does not listen to what is no number', asking(Number.NaN), 0, 3, 5],
    ['does not listen to a text', asking('5000'), 0, 3, 5],
    ['takes a failure that is no error', 'no', 0, 3, 5],
    ['takes a failure that is nothing', null, 0, 3, 5],
  ]
  for (const [sentence, error, failures, from, to] of pauses)
    it(sentence, () => {
      expect(backoffAfter(error, failures, { longest, random: least }), 'at least').to.equal(from)
      expect(backoffAfter(error, failures, { longest, random: most }), 'at most').to.equal(to)
    })
})
