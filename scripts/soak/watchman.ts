import { setTimeout as delay } from 'node:timers/promises'

import { marks } from '../../src/api/v1alpha1/objects.ts'
import type { AdminApi, KubeObject } from '../../test/support/admin-api.ts'
import { hasEnded, listGrants } from './churn.ts'
import type { Outages } from './outages.ts'

const interval = 200
/** Milliseconds: an over-stay above that is worth a line of its own. */
const notable = 1_000
const rbac = '/apis/rbac.authorization.k8s.io/v1'

/** Milliseconds. */
export interface Overstays {
  /** Of access whose end, and all the time since, was outside of outages. */
  readonly undisturbed: number
  readonly disturbed: number
}

export interface WatchmanParts {
  readonly admin: AdminApi
  readonly outages: Outages
  /** The instant at which somebody ended the grant of that UID before its time; Infinity: nobody did. */
  readonly endedEarlyAt: (uid: string) => number
}

/**
 * Looks at the bindings that carry grants, from outside and not through the proxy: what is there after its end outlives it.
 * It looks every 200 ms, and an over-stay is what it saw for certain: it may be too small by as much.
 */
export class Watchman {
  readonly #parts: WatchmanParts
  readonly #stopped = new AbortController()
  #rounds: Promise<void> = Promise.resolve()
  #longest: Overstays = { undisturbed: 0, disturbed: 0 }
  #looks = 0
  readonly #late = new Map<string, string>()

  constructor(parts: WatchmanParts) {
    this.#parts = parts
  }

  /** Access that outlived its end by over a second outside of outages, in words. */
  get late(): readonly string[] {
    return [...this.#late.values()]
  }

  /** How often it saw the bindings. */
  get looks(): number {
    return this.#looks
  }

  start(): void {
    this.#rounds = this.#go()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#rounds
  }

  /** The longest since this was last asked. */
  takeLongest(): Overstays {
    const longest = this.#longest
    this.#longest = { undisturbed: 0, disturbed: 0 }
    return longest
  }

  /** For when every grant must have ended: those that have not, and whatever carries one still. Each in words. */
  async findLeftovers(): Promise<readonly string[]> {
    const { admin } = this.#parts
    const grants = (await listGrants(admin)).filter((grant) => !hasEnded(grant))
    const carriers = [...(await listCarriers(admin, 'rolebindings')), ...(await listCarriers(admin, 'roles'))]
    return [
      ...grants.map(({ metadata, status }) => `grant ${metadata?.namespace}/${metadata?.name}, ${status?.state}`),
      ...carriers.map(
        (object) => `${object.metadata?.namespace}/${object.metadata?.name} of grant ${grantUidOf(object)}`,
      ),
    ]
  }

  async #go(): Promise<void> {
    const { signal } = this.#stopped
    while (await delay(interval, true, { signal }).catch(() => false)) {
      await this.#look().catch(() => undefined) // the API server is away: there is nothing to see
    }
  }

  async #look(): Promise<void> {
    const asked = Date.now()
    for (const binding of await listCarriers(this.#parts.admin, 'rolebindings')) this.#judge(binding, asked)
    this.#looks += 1
  }

  #judge(binding: KubeObject, now: number): void {
    const { outages, endedEarlyAt } = this.#parts
    const uid = grantUidOf(binding)
    const notAfter = Date.parse(binding.metadata?.annotations?.[marks.notAfter] ?? '')
    const end = Math.min(notAfter, endedEarlyAt(uid))
    if (now <= end) return
    const kind = outages.touches(end, now) ? 'disturbed' : 'undisturbed'
    this.#longest = { ...this.#longest, [kind]: Math.max(this.#longest[kind], now - end) }
    if (kind === 'disturbed' || now - end < notable) return
    const how = end === notAfter ? 'expired' : 'was revoked or deleted'
    this.#late.set(uid, `grant ${uid} ${how} at ${new Date(end).toISOString()} and held ${now - end} ms more`)
  }
}

/** Of the operator's own, whatever carries a grant. */
export async function listCarriers(admin: AdminApi, plural: 'roles' | 'rolebindings'): Promise<readonly KubeObject[]> {
  const answer = await admin.get(`${rbac}/${plural}?labelSelector=${encodeURIComponent(marks.grantUid)}`)
  return answer['items'] as readonly KubeObject[]
}

function grantUidOf({ metadata }: KubeObject): string {
  return metadata?.labels?.[marks.grantUid] ?? ''
}
