import { expect } from 'chai'
import type { FuzzCase } from './fuzz-mutations.ts'
import { fuzzSeeds } from './fuzz-seeds.ts'
import { judgeAnswer, type FuzzAnswer } from './fuzz-verdict.ts'

const seeds = fuzzSeeds({ namespace: 'shop', account: 'app', policy: 'fuzz', operatorUser: 'operator' })
const bad = seeds[0]!
const good = seeds[2]!

function caseOf(review: unknown, path = bad.path): FuzzCase {
  return { method: 'POST', path, headers: {}, body: Buffer.from(JSON.stringify(review)) }
}

function answerOf(response: object, status = 200): FuzzAnswer {
  const body = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }
  return { status, body: JSON.stringify(body) }
}

const uid = bad.review['request'].uid as string
const refusal = { uid, allowed: false, status: { code: 403, message: 'no' } }

const wrong: readonly (readonly [sentence: string, answer: FuzzAnswer, fault: string])[] = [
  ['an allow of what must be refused', answerOf({ uid, allowed: true }), 'what must be refused is allowed'],
  ['the uid of another request', answerOf({ ...refusal, uid: 'x' }), 'the uid is another one than that of the request'],
  ['a refusal without a word', answerOf({ ...refusal, status: { code: 403 } }), 'no message'],
  [
    'a refusal because the judge failed',
    answerOf({ ...refusal, status: { code: 500, message: 'x' } }),
    'refused with code 500',
  ],
  ['a verdict that is none', answerOf({ uid, allowed: 'yes' }), 'neither allowed nor refused'],
  ['a warning that breaks the header', answerOf({ ...refusal, warnings: ['a\nb'] }), 'a warning is no header text'],
  ['a patch that is none', answerOf({ ...refusal, patchType: 'JSONPatch', patch: 'x' }), 'the patch cannot be read'],
  ['no review', { status: 200, body: '{}' }, 'no AdmissionReview'],
  ['a failure of the server', { status: 500, body: '{"kind":"Status","message":"x"}' }, 'status 500'],
  ['no answer at all', { status: 0, body: 'ECONNRESET' }, 'status 0'],
  ['a page', { status: 400, body: '<html>' }, 'a rejection that is no Status'],
  [
    'a stack trace',
    { status: 400, body: '{"kind":"Status","message":"TypeError\\n    at judge (judge.ts:1:2)"}' },
    'a stack trace',
  ],
]

describe('judgeAnswer', () => {
  for (const [sentence, answer, fault] of wrong) {
    it(`finds ${sentence}`, () => expect(judgeAnswer(bad, caseOf(bad.review), answer).fault).to.equal(fault))
  }

  it('takes a refusal in good form, and knows that it had to be one', () => {
    const verdict = judgeAnswer(bad, caseOf(bad.review), answerOf(refusal))
    expect(verdict).to.deep.equal({ outcome: 'refused', claimed: true, fault: null })
  })

  it('takes an allow of what is harmless', () => {
    const verdict = judgeAnswer(good, caseOf(good.review), answerOf({ uid, allowed: true }))
    expect(verdict).to.deep.equal({ outcome: 'allowed', claimed: false, fault: null })
  })

  it('is sure of most reviews that are not spoilt, of whatever kind', () => {
    const claims = seeds.map((seed) => judgeAnswer(seed, caseOf(seed.review, seed.path), answerOf(refusal)).claimed)
    expect(claims.filter((claimed) => claimed)).to.have.length(17)
  })
})
