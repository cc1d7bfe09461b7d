/** What a subject may be asked about. */
export const rights = ['patch deployments', 'get deployments', 'get pods', 'get secrets'] as const
export type Right = (typeof rights)[number]

/** Instants are those of the machine that the tests run on, in milliseconds. */
type Instant = number

/** A grant as it is asked for. */
export interface AskedGrant {
  readonly uid: string
  readonly name: string
  readonly subject: string
  /** What it gives while it is Active. */
  readonly rights: readonly Right[]
  /** false: it asks for what it may not have, and must never be issued. */
  readonly isProper: boolean
  /** It ends with the task, and is not issued without one. */
  readonly hasTask: boolean
  /** It needs no approval. */
  readonly isEmergency: boolean
  readonly end: { readonly after: number } | { readonly at: Instant }
}

/** What the API server says of a grant. */
export interface GrantReading {
  readonly uid: string
  readonly state: string
  readonly notAfter: Instant | null
}

interface ModelGrant extends AskedGrant {
  /** As it was first seen on record; null: it has not been seen there. */
  notAfter: Instant | null
  /** From when on it gives nothing any more, whatever happens. */
  over: Instant
  /** Since when what it rests on is not as it must be; null: it is. */
  lackingSince: Instant | null
  isDeleted: boolean
  /** Versions of the policy under which somebody who may has said so. */
  readonly approved: Set<number>
  readonly denied: Set<number>
}

export interface ModelPolicy {
  readonly version: number
  /** Whether somebody must approve. */
  readonly needsApproval: boolean
}

const finals = ['Expired', 'Completed', 'Revoked', 'Denied']

/**
 * Says which access may be there, and until when, from what was done to a cluster: the promises of docs/lifecycle.md in a few
 * rules, by which nothing is given but what a live grant asked for. It knows no controllers. Where two orders of what happens
 * at once are possible, it takes the one that allows more.
 */
export class GrantModel {
  readonly #grants = new Map<string, ModelGrant>()
  /** Access that somebody gave by hand, past the operator, which has to be taken away: since when. */
  readonly #tampered = new Map<string, Instant>()
  readonly #suspended = new Set<string>()
  readonly #subjects: Set<string>
  #policy: ModelPolicy | null
  #inScope = true
  #hasTask = false

  constructor(policy: ModelPolicy, subjects: readonly string[]) {
    this.#policy = policy
    this.#subjects = new Set(subjects)
  }

  get policy(): ModelPolicy | null {
    return this.#policy
  }

  get hasTask(): boolean {
    return this.#hasTask
  }

  get inScope(): boolean {
    return this.#inScope
  }

  /** Those that were asked for and not deleted. */
  get grants(): readonly AskedGrant[] {
    return [...this.#grants.values()].filter(({ isDeleted }) => !isDeleted)
  }

  isThere(subject: string): boolean {
    return this.#subjects.has(subject)
  }

  isSuspended(subject: string): boolean {
    return this.#suspended.has(subject)
  }

  asked(grant: AskedGrant, at: Instant): void {
    const fresh = { notAfter: null, over: Infinity, lackingSince: at, isDeleted: false }
    this.#grants.set(grant.uid, { ...grant, ...fresh, approved: new Set(), denied: new Set() })
    this.#settle(at)
  }

  /** By somebody who may, under the version of the policy that is in force. */
  said(uid: string, decision: 'Approve' | 'Deny', at: Instant): void {
    const grant = this.#grants.get(uid)
    const version = this.#policy?.version ?? 0
    if (decision === 'Approve') grant?.approved.add(version)
    else grant?.denied.add(version)
    this.#settle(at)
  }

  revoked(uid: string, at: Instant): void {
    this.#close(uid, at)
  }

  deleted(uid: string, at: Instant): void {
    this.#close(uid, at)
    const grant = this.#grants.get(uid)
    if (grant !== undefined) grant.isDeleted = true
  }

  /** null: it is withdrawn. What was issued under another version is over. */
  policyIs(policy: ModelPolicy | null, at: Instant): void {
    for (const grant of this.#grants.values()) if (grant.notAfter !== null) this.#close(grant.uid, at)
    this.#policy = policy
    this.#settle(at)
  }

  /** Whoever is created again is another one. */
  subjectIs(subject: string, what: 'there' | 'gone', at: Instant): void {
    if (what === 'there') this.#subjects.add(subject)
    else this.#subjects.delete(subject)
    this.#settle(at)
  }

  scopeIs(inScope: boolean, at: Instant): void {
    this.#inScope = inScope
    this.#settle(at)
  }

  /** Whoever starts another one starts it for grants that have not been issued. */
  taskIs(what: 'there' | 'over', at: Instant): void {
    this.#hasTask = what === 'there'
    this.#settle(at)
  }

  suspensionIs(subject: string, what: 'set' | 'lifted', at: Instant): void {
    if (what === 'set') this.#suspended.add(subject)
    else this.#suspended.delete(subject)
    this.#settle(at)
  }

  /** Somebody gave that access past the operator, who hears of it; Infinity: who finds it when he starts. */
  tampered(subject: string, right: Right, at: Instant): void {
    this.#tampered.set(`${subject} ${right}`, at)
  }

  /** The operator has started, and looks at everything. */
  started(at: Instant): void {
    for (const [access, since] of this.#tampered) if (since === Infinity) this.#tampered.set(access, at)
  }

  /**
   * Takes in what is on record. Returns what must not be there, in words. `issuedBy`: the latest instant from which an end on record can
   * have been counted.
   */
  read(readings: readonly GrantReading[], answered: Instant, issuedBy: Instant = answered): readonly string[] {
    return readings.flatMap((reading) => {
      const grant = this.#grants.get(reading.uid)
      return grant === undefined ? [] : this.#readOne(grant, reading, answered, issuedBy)
    })
  }

  /**
   * Why that access may be there, or how it must not: null, it may. `deadlineOf` says until when the removal of what ended at an
   * instant may take.
   */
  whyNot(subject: string, right: Right, at: Instant, deadlineOf: (end: Instant) => Instant): string | null {
    const tamperedAt = this.#tampered.get(`${subject} ${right}`)
    if (tamperedAt !== undefined && at < deadlineOf(tamperedAt)) return null
    const ends = [...this.#grants.values()]
      .filter((each) => each.isProper && each.subject === subject && each.rights.includes(right))
      .filter(({ isDeleted, notAfter }) => isDeleted || notAfter !== null)
      .map(({ notAfter, over, lackingSince }) => Math.min(notAfter ?? Infinity, over, lackingSince ?? Infinity))
    if (ends.length === 0) return 'no grant that may give it is on record with an end'
    if (ends.some((end) => at < deadlineOf(end))) return null
    return `the last grant that gave it ended ${at - Math.max(...ends)} ms ago`
  }

  #readOne(
    grant: ModelGrant,
    { state, notAfter }: GrantReading,
    answered: Instant,
    issuedBy: Instant,
  ): readonly string[] {
    const problems: string[] = []
    const isOver = finals.includes(state)
    if (notAfter !== null && grant.notAfter === null && !isOver) {
      const limit = 'at' in grant.end ? grant.end.at : issuedBy + grant.end.after
      if (notAfter > limit) problems.push(`${grant.name} ends ${notAfter - limit} ms later than it asked for`)
    }
    if (notAfter !== null && grant.notAfter !== null && notAfter > grant.notAfter)
      problems.push(`the end of ${grant.name} moved later by ${notAfter - grant.notAfter} ms`)
    if (notAfter !== null && !grant.isProper)
      problems.push(`${grant.name}, which asks for what it may not have, was issued`)
    if (notAfter !== null) grant.notAfter = Math.min(grant.notAfter ?? Infinity, notAfter)
    if (isOver) grant.over = Math.min(grant.over, answered)
    return problems
  }

  /** What is lacking ends for good what was issued; what was not may be issued once it is there. */
  #settle(at: Instant): void {
    for (const grant of this.#grants.values()) {
      const lacks = this.#lacks(grant)
      if (!lacks) grant.lackingSince = null
      else if (grant.notAfter !== null) this.#close(grant.uid, at)
      else grant.lackingSince ??= at
    }
  }

  #lacks(grant: ModelGrant): boolean {
    const policy = this.#policy
    if (policy === null || !this.#inScope || !this.isThere(grant.subject) || this.isSuspended(grant.subject))
      return true
    if (grant.hasTask && !this.#hasTask) return true
    const needsApproval = policy.needsApproval && !grant.isEmergency
    return grant.denied.has(policy.version) || (needsApproval && !grant.approved.has(policy.version))
  }

  #close(uid: string, at: Instant): void {
    const grant = this.#grants.get(uid)
    if (grant !== undefined) grant.over = Math.min(grant.over, at)
  }
}
