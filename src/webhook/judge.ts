import { formatDuration, type Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { TemplateKind } from '../core/workload/template-kinds.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { readAdmissionReview, type AdmissionRequest } from './admission-review.ts'
import { outcomeOf, refused, renderAnswer, warningOf, type Answer } from './answer.ts'
import { readJson } from './read-json.ts'
import type { Review } from './review.ts'
import { failure, type Reply } from './status.ts'
import type { ReviewedWorld } from './watched-world.ts'
import type { Webhook } from './webhooks.ts'

export interface JudgeOptions {
  readonly world: ReviewedWorld
  readonly operatorUser: string
  /** Further kinds whose objects embed pod templates; absent: none. */
  readonly podTemplates?: readonly TemplateKind[]
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'review'>
}

/** For so long a review waits for objects that were created just before its own. */
const longestWait: Millis = 500

/** A quiet watch hears something every two minutes, and is opened anew after two and a half. */
const staleAfter: Millis = 240_000

const notReady = refused(
  503,
  'lapse is not ready: it has not yet read the policies and the access that it judges by; try again',
)
const failed = refused(
  500,
  'lapse failed to judge this object: nothing is allowed that was not judged; see the log of the webhook',
)

const tooDeep = refused(422, 'denied by lapse: the object is nested too deeply to be judged')

/** Answers reviews: reads them, waits for what is on its way, has them judged and counts the outcome. */
export class Judge {
  readonly #options: JudgeOptions

  constructor(options: JudgeOptions) {
    this.#options = options
  }

  /** Never rejects: whatever goes wrong is a no. */
  async answer(webhook: Webhook, body: string): Promise<Reply> {
    const started = performance.now()
    const reading = readAdmissionReview(readJson(body))
    if (!reading.ok) {
      this.#count(webhook, 'error', started)
      const message = `lapse cannot read this review: ${reading.message}`
      return reading.uid === null ? failure(400, message) : reply(reading.uid, refused(400, message))
    }
    const answer = this.#flagged(await this.#judge(webhook, reading.request))
    this.#count(webhook, outcomeOf(answer), started)
    return reply(reading.request.uid, answer)
  }

  async #judge(webhook: Webhook, request: AdmissionRequest): Promise<Answer> {
    if (!this.#options.world.isReady()) return notReady
    try {
      const answer = this.#review(webhook.review, request)
      return answer.unsettled.length === 0 ? answer : await this.#settle(webhook.review, request, answer)
    } catch (error) {
      const { uid, kind, namespace, name } = request
      const fields = { webhook: webhook.name, uid, kind, namespace, name }
      if (isOverflow(error)) {
        this.#options.log.warn('object nested too deeply', fields)
        return tooDeep
      }
      this.#options.log.error('review failed', { ...fields, error })
      return failed
    }
  }

  /** Whoever cannot be told of changes still has to decide, and says by what. */
  #flagged(answer: Answer): Answer {
    const age = this.#options.world.age ?? 0
    if (age <= staleAfter) return answer
    const stale = `lapse judges by what it knew ${formatDuration(age)} ago: it has not heard of the API server since`
    return {
      ...answer,
      warnings: [warningOf(stale), ...answer.warnings],
      auditAnnotations: { ...answer.auditAnnotations, stale },
    }
  }

  #review(review: Review, request: AdmissionRequest): Answer {
    const { world, clock, operatorUser, podTemplates = [] } = this.#options
    return review(request, { world: world.world, now: clock.now(), operatorUser, podTemplates, said: world.said })
  }

  /** Judges again with each change of what is missing, until nothing is, or for so long as a review may wait. */
  async #settle(review: Review, request: AdmissionRequest, first: Answer): Promise<Answer> {
    const { world, clock } = this.#options
    const end = clock.monotonic() + longestWait
    let answer = first
    for (let rest = longestWait; answer.unsettled.length > 0 && rest > 0; rest = end - clock.monotonic()) {
      await world.nextChange(answer.unsettled, rest)
      answer = this.#review(review, request)
    }
    return answer
  }

  #count(webhook: Webhook, verdict: string, started: number): void {
    this.#options.metrics.review({ webhook: webhook.name, verdict, duration: performance.now() - started })
  }
}

/** Whatever walks through an object does so by recursion: what is too deep for one of them is for all. */
function isOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message === 'Maximum call stack size exceeded'
}

function reply(uid: string, answer: Answer): Reply {
  return { status: 200, body: renderAnswer(uid, answer) }
}
