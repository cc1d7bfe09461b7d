import { expect } from 'chai'
import type { Instant } from '../../src/core/time.ts'
import type { Fields } from '../../src/runtime/log.ts'
import { silentLog } from '../../src/runtime/log.ts'
import type { ReviewOutcome } from '../../src/runtime/metrics.ts'
import { allowed, refused, type Answer } from '../../src/webhook/answer.ts'
import { Judge } from '../../src/webhook/judge.ts'
import type { Review } from '../../src/webhook/review.ts'
import { SaidOfGrants } from '../../src/webhook/said-of-grants.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { deployment } from './objects.ts'
import { operatorUser, reviewOf, worldOf } from './requests.ts'

const body = JSON.stringify(reviewOf(deployment()))
const awaited = { kind: 'ServiceAccount', namespace: 'payments', name: 'api' } as const

interface Fixture {
  readonly review: Review
  readonly isReady?: boolean
  readonly age?: number | null
}

function fixture({ review, isReady = true, age = null }: Fixture) {
  const clock = new FakeClock()
  const errors: Fields[] = []
  const outcomes: ReviewOutcome[] = []
  const waits: number[] = []
  const judge = new Judge({
    operatorUser,
    clock,
    log: { ...silentLog, error: (message, fields) => void errors.push({ message, ...fields }) },
    metrics: { review: (outcome) => void outcomes.push(outcome) },
    world: {
      world: worldOf(),
      said: new SaidOfGrants(),
      isReady: () => isReady,
      age,
      nextChange: async (_references, within) => {
        waits.push(within)
        await clock.advance(Math.min(within, 200))
      },
    },
  })
  const ask = async (text = body) => {
    const reply = await judge.answer({ name: 'workloads', review }, text)
    return { status: reply.status, body: JSON.parse(reply.body) as Json }
  }
  return { ask, errors, outcomes, waits }
}

interface Json {
  readonly kind: string
  readonly message?: string
  readonly response: {
    readonly uid: string
    readonly allowed: boolean
    readonly status: { readonly code: number; readonly message: string }
  }
}

describe('Judge', () => {
  const either: readonly (readonly [sentence: string, answer: Answer])[] = [
    ['a yes', allowed],
    ['a no', refused(403, 'no')],
  ]
  for (const [sentence, answer] of either)
    it(`says of ${sentence} by what it was judged when the API server has not been heard for long`, async () => {
      const { ask } = fixture({ review: () => answer, age: 300_000 })
      const { response } = (await ask()).body
      const stale = 'lapse judges by what it knew 5m ago: it has not heard of the API server since'
      expect(response).to.deep.include({ allowed: answer.allowed, warnings: [stale], auditAnnotations: { stale } })
    })

  it('says nothing of the kind while a quiet watch may be quiet', async () => {
    const { ask } = fixture({ review: () => allowed, age: 150_000 })
    expect((await ask()).body.response).not.to.have.any.keys('warnings', 'auditAnnotations')
  })

  it('answers with what the review says', async () => {
    const { ask, outcomes } = fixture({ review: () => allowed })
    expect((await ask()).body.response).to.deep.equal({ uid: reviewOf(deployment()).request.uid, allowed: true })
    expect(outcomes).to.have.length(1)
    expect(outcomes[0]).to.deep.include({ webhook: 'workloads', verdict: 'allow' })
  })

  it('makes a no of an error in the review, and logs it once without the object', async () => {
    const failure = new Error('a defect')
    const { ask, errors, outcomes } = fixture({
      review: () => {
        throw failure
      },
    })
    const { status, body: answer } = await ask()
    expect(status).to.equal(200)
    expect(answer.response.allowed).to.equal(false)
    expect(answer.response.status).to.deep.include({ code: 500 })
    expect(answer.response.status.message)
      .to.contain('lapse failed to judge this object')
      .and.not.to.contain('a defect')
    expect(errors).to.have.length(1)
    expect(errors[0]).to.have.all.keys('message', 'webhook', 'uid', 'kind', 'namespace', 'name', 'error')
    expect(outcomes[0]?.verdict).to.equal('error')
  })

  it('makes a refusal, and no error of its own, of an object that is too deep to walk through', async () => {
    const walk = (value: unknown): number => 1 + Math.max(0, ...Object.values(value ?? {}).map(walk))
    const { ask, errors, outcomes } = fixture({
      review: ({ object }) => (walk(object) > 0 ? allowed : refused(403, 'no')),
    })
    const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`
    const { body: answer } = await ask(body.replace('"object":{', `"object":{"deep":${deep},`))
    expect(answer.response.status).to.deep.include({
      code: 422,
      message: 'denied by lapse: the object is nested too deeply to be judged',
    })
    expect(errors).to.deep.equal([])
    expect(outcomes[0]?.verdict).to.equal('deny')
  })

  it('says no to everything until the caches have synced, without asking the review', async () => {
    const { ask, outcomes } = fixture({
      isReady: false,
      review: () => {
        throw new Error('asked')
      },
    })
    const { response } = (await ask()).body
    expect(response).to.deep.include({ allowed: false })
    expect(response.status.message).to.match(/^lapse is not ready/)
    expect(outcomes[0]?.verdict).to.equal('error')
  })

  it('waits for what is not there yet and judges again', async () => {
    const answers: Answer[] = [refused(403, 'not yet', { unsettled: [awaited] }), allowed]
    const { ask, waits } = fixture({ review: () => answers.shift() ?? refused(500, 'asked once too often') })
    expect((await ask()).body.response.allowed).to.equal(true)
    expect(waits).to.deep.equal([500])
  })

  it('waits no longer than half a second, whatever else happens meanwhile', async () => {
    const times: Instant[] = []
    const { ask, waits } = fixture({
      review: (_request, { now }) => {
        times.push(now)
        return refused(403, 'not there', { unsettled: [awaited] })
      },
    })
    expect((await ask()).body.response.status.message).to.equal('not there')
    expect(waits).to.deep.equal([500, 300, 100])
    expect(times.map((time) => time - times[0]!)).to.deep.equal([0, 200, 400, 500])
  })

  it('makes a no of an error in the second look as well', async () => {
    const answers: Answer[] = [allowedButUnsettled]
    const { ask, errors } = fixture({
      review: () => {
        const next = answers.shift()
        if (next === undefined) throw new Error('a defect')
        return next
      },
    })
    expect((await ask()).body.response.allowed).to.equal(false)
    expect(errors).to.have.length(1)
  })

  const unreadable: readonly (readonly [sentence: string, text: string, message: string])[] = [
    ['nothing', '', 'the body is no object'],
    ['half a review', body.slice(0, -20), 'the body is no object'],
    ['YAML', 'kind: AdmissionReview', 'the body is no object'],
    [
      'a review without a request',
      '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}',
      'the body has no request',
    ],
    [
      'a review nested a hundred thousand deep',
      `${'{"request":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
      'request.uid is missing',
    ],
  ]
  for (const [sentence, text, message] of unreadable)
    it(`answers ${sentence} with a clean 400`, async () => {
      const { ask, outcomes } = fixture({ review: () => allowed })
      const { status, body: answer } = await ask(text)
      expect(status).to.equal(400)
      expect(answer).to.deep.include({ kind: 'Status', message: `lapse cannot read this review: ${message}` })
      expect(outcomes[0]?.verdict).to.equal('error')
    })

  it('answers a review of another version by its uid, with a no', async () => {
    const { ask } = fixture({ review: () => allowed })
    const { status, body: answer } = await ask(body.replace('admission.k8s.io/v1', 'admission.k8s.io/v2'))
    expect(status).to.equal(200)
    expect(answer.response).to.deep.include({ uid: reviewOf(deployment()).request.uid, allowed: false })
    expect(answer.response.status.code).to.equal(400)
  })
})

const allowedButUnsettled: Answer = { ...allowed, unsettled: [awaited] }
