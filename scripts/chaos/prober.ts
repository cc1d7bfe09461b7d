import { setTimeout as delay } from 'node:timers/promises'

import type { AdminApi } from '../../test/support/admin-api.ts'
import { serviceAccountUsername } from '../../src/core/identity.ts'
import { paths } from '../../test/support/scene.ts'
import { hasEnded } from '../soak/churn.ts'
import { rule } from '../soak/policy.ts'
import type { Asked } from './churn.ts'
import type { Troubles } from './troubles.ts'

const interval = 250
/** Milliseconds for which a grant that is over is asked about. */
const lateEnough = 30_000

export interface ProberParts {
  readonly admin: AdminApi
  readonly namespace: string
  /** Grows. */
  readonly asked: readonly Asked[]
  readonly troubles: Troubles
}

export interface Findings {
  /** Answers of the API server. */
  readonly answers: number
  /** Of them, that the subject may. */
  readonly allowed: number
  /** Grants that had effect. */
  readonly effective: number
  /** The longest time that access was seen after its end, milliseconds: of expiries, and of all others. */
  readonly overstay: { readonly expiry: number; readonly revocation: number }
  /** What must not be, in words. */
  readonly problems: readonly string[]
}

/** Asks the API server by SubjectAccessReviews what each subject may do, again and again, and knows nothing of bindings. */
export class Prober {
  readonly #parts: ProberParts
  readonly #stopped = new AbortController()
  #rounds: Promise<void> = Promise.resolve()
  readonly #notAfter = new Map<string, number>()
  readonly #effective = new Set<string>()
  /** UIDs of grants that are over for so long that nothing can come of them. */
  readonly #settled = new Set<string>()
  readonly #overSince = new Map<string, number>()
  readonly #problems = new Map<string, string>()
  #answers = 0
  #allowed = 0
  #overstay = { expiry: 0, revocation: 0 }

  constructor(parts: ProberParts) {
    this.#parts = parts
  }

  get findings(): Findings {
    const [answers, allowed, overstay] = [this.#answers, this.#allowed, this.#overstay]
    return { answers, allowed, effective: this.#effective.size, overstay, problems: [...this.#problems.values()] }
  }

  start(): void {
    this.#rounds = this.#go()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#rounds
  }

  async #go(): Promise<void> {
    const { signal } = this.#stopped
    while (await delay(interval, true, { signal }).catch(() => false)) {
      await this.#round().catch(() => undefined) // the API server is away: nobody may do anything
    }
  }

  async #round(): Promise<void> {
    const { admin, namespace } = this.#parts
    const at = Date.now()
    const asked = this.#parts.asked.filter(({ uid }) => !this.#settled.has(uid))
    const answers = await Promise.all(asked.map(async (grant) => ({ grant, isAllowed: await this.#allows(grant) })))
    const listed = await admin.list(paths.grants(namespace))
    for (const { metadata, status } of listed) {
      const notAfter = Date.parse((status?.notAfter as string | undefined) ?? '')
      const known = this.#notAfter.get(metadata!.uid!) ?? Infinity
      if (!Number.isNaN(notAfter)) this.#notAfter.set(metadata!.uid!, Math.min(known, notAfter))
    }
    const present = new Map(listed.map((grant) => [grant.metadata!.uid!, grant]))
    this.#answers += answers.length
    for (const { grant, isAllowed } of answers) {
      const found = present.get(grant.uid)
      if (isAllowed) this.#judge(grant, at, found !== undefined)
      else if (found === undefined || hasEnded(found)) this.#settle(grant.uid, at)
    }
  }

  #settle(uid: string, at: number): void {
    const since = this.#overSince.get(uid) ?? at
    this.#overSince.set(uid, since)
    if (at - since > lateEnough) this.#settled.add(uid)
  }

  #judge(grant: Asked, at: number, isPresent: boolean): void {
    const { troubles } = this.#parts
    this.#allowed += 1
    this.#effective.add(grant.uid)
    const notAfter = this.#notAfter.get(grant.uid)
    if (notAfter === undefined && isPresent)
      this.#problems.set(grant.uid, `${grant.name} has effect, and no end on record`)
    const expiry = notAfter ?? Infinity
    const kind = expiry <= grant.endedEarlyAt ? 'expiry' : 'revocation'
    const end = Math.min(expiry, grant.endedEarlyAt)
    if (at <= end) return
    this.#overstay = { ...this.#overstay, [kind]: Math.max(this.#overstay[kind], at - end) }
    const deadline = Math.min(troubles.deadlineOfExpiry(expiry), troubles.deadlineOfRevocation(grant.endedEarlyAt))
    if (at > deadline)
      this.#problems.set(
        grant.uid,
        `${grant.name} had effect ${at - end} ms after its ${kind}, ${at - deadline} ms too long`,
      )
  }

  async #allows({ subject }: Asked): Promise<boolean> {
    const { admin, namespace } = this.#parts
    const [group, resource] = [rule.apiGroups[0], rule.resources[0]]
    const review = await admin.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      spec: {
        user: serviceAccountUsername(namespace, subject),
        resourceAttributes: { namespace, verb: 'patch', group, resource },
      },
    })
    return review['status'].allowed === true
  }
}
