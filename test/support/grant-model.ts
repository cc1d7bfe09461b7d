import {
  hurried,
  type AskedGrant,
  type GrantReading,
  type Instant,
  type ModelPolicy,
  type Right,
  type Sign,
} from './asked-grant.ts'

interface ModelGrant extends AskedGrant {
  /** The earliest that was seen on record; null: none was. */
  notAfter: Instant | null
  /** The latest instant at which it can have been issued. */
  issuedBy: Instant
  /** From when on it gives nothing any more, whatever happens. */
  over: Instant
  /** Since when what it rests on is not as it must be; null: it is. */
  lackingSince: Instant | null
  isDeleted: boolean
  /** Versions of the policy under which somebody who may has said so. */
  readonly approved: Set<number>
  readonly denied: Set<number>
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
  /** Those that are up: since when. */
  readonly #signs = new Map<Sign, Instant>()
  readonly #deadlineOf: (end: Instant) => Instant
  #policy: ModelPolicy | null
  #inScope = true
  #hasTask = false

  /** `deadlineOf` says until when the removal of what ended at an instant may take. */
  constructor(policy: ModelPolicy, subjects: readonly string[], deadlineOf: (end: Instant) => Instant) {
    this.#policy = policy
    this.#subjects = new Set(subjects)
    this.#deadlineOf = deadlineOf
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

  /** Those that nothing has ended, whether or not they were issued. */
  living(at: Instant): readonly AskedGrant[] {
    return [...this.#grants.values()].filter((grant) => this.#endOf(grant) > at)
  }

  /** Whoever has got something by a grant, or may get it. */
  get holders(): readonly string[] {
    return [...new Set([...this.#subjects, ...[...this.#grants.values()].map(({ holder }) => holder)])]
  }

  isUp(sign: Sign): boolean {
    return this.#signs.has(sign)
  }

  isThere(subject: string): boolean {
    return this.#subjects.has(subject)
  }

  isSuspended(subject: string): boolean {
    return this.#suspended.has(subject)
  }

  asked(grant: AskedGrant, at: Instant): void {
    const fresh = { notAfter: null, issuedBy: Infinity, over: Infinity, lackingSince: at, isDeleted: false }
    this.#grants.set(grant.uid, { ...grant, ...fresh, approved: new Set(), denied: new Set() })
    this.#settle(at)
  }

  /** By somebody who may, under the version of the policy that is in force. */
  said(uid: string, decision: 'Approve' | 'Deny', at: Instant): void {
    const grant = this.#grants.get(uid)
    const version = this.#policy?.version ?? 0
    if (decision === 'Approve') grant?.approved.add(version)
    else grant?.denied.add(version)
    if (decision === 'Deny') this.#closeIssued(at, (each) => each.uid === uid)
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
    this.#closeIssued(at, () => true)
    this.#policy = policy
    this.#settle(at)
  }

  /** Whoever is created again is another one. */
  subjectIs(subject: string, what: 'there' | 'gone', at: Instant): void {
    if (what === 'there') this.#subjects.add(subject)
    else this.#subjects.delete(subject)
    if (what === 'gone') this.#closeIssued(at, (grant) => grant.subject === subject)
    this.#settle(at)
  }

  scopeIs(inScope: boolean, at: Instant): void {
    this.#inScope = inScope
    this.#settle(at)
  }

  signIs(sign: Sign, what: 'up' | 'down', at: Instant): void {
    for (const grant of this.#grants.values()) this.#closeIfSeen(grant, this.#cutOf(grant), at)
    if (what === 'up') this.#signs.set(sign, at)
    else this.#signs.delete(sign)
    this.#settle(at)
  }

  /** Somebody put another account in the place of its own identity. */
  identityTaken(uid: string, at: Instant): void {
    this.#closeIssued(at, (grant) => grant.uid === uid)
  }

  /** Whoever starts another one starts it for grants that have not been issued. */
  taskIs(what: 'there' | 'over', at: Instant): void {
    if (what === 'over') this.#closeIssued(at, ({ hasTask }) => hasTask)
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

  /** Why that access must not be there; null: it may. */
  whyNot(holder: string, right: Right, at: Instant): string | null {
    const tamperedAt = this.#tampered.get(`${holder} ${right}`)
    if (tamperedAt !== undefined && at < this.#deadlineOf(tamperedAt)) return null
    const ends = [...this.#grants.values()]
      .filter((each) => each.isProper && each.holder === holder && each.rights.includes(right))
      .filter(({ isDeleted, notAfter }) => isDeleted || notAfter !== null)
      .map((grant) => this.#endOf(grant))
    if (ends.length === 0) return 'no grant that may give it is on record with an end'
    if (ends.some((end) => at < this.#deadlineOf(end))) return null
    return `the last grant that gave it ended ${at - Math.max(...ends)} ms ago`
  }

  /** As things are. */
  #endOf(grant: ModelGrant): Instant {
    return Math.min(grant.notAfter ?? Infinity, grant.over, grant.lackingSince ?? Infinity, this.#cutOf(grant))
  }

  /** When it is over in a rush; Infinity: there is none. */
  #cutOf(grant: ModelGrant): Instant {
    const rush = grant.isWide ? undefined : this.#signs.get('rush')
    return rush === undefined ? Infinity : Math.max(rush, grant.issuedBy + hurried)
  }

  #readOne(
    grant: ModelGrant,
    { state, notAfter, tokenEnd }: GrantReading,
    answered: Instant,
    issuedBy: Instant,
  ): readonly string[] {
    const isOver = finals.includes(state)
    if (notAfter !== null) grant.issuedBy = Math.min(grant.issuedBy, issuedBy)
    const limit = 'at' in grant.end ? grant.end.at : grant.issuedBy + grant.end.after
    const problems = notAfter === null ? [] : problemsOf(grant, notAfter, isOver ? Infinity : limit)
    const outlives = tokenEnd !== null && tokenEnd > limit ? [`the token of ${grant.name} outlives it`] : []
    if (notAfter !== null) grant.notAfter = Math.min(grant.notAfter ?? Infinity, notAfter)
    if (isOver) grant.over = Math.min(grant.over, answered)
    return [...problems, ...outlives]
  }

  /** What lacks something has ended. What was not issued may be once it is there. */
  #settle(at: Instant): void {
    for (const grant of this.#grants.values()) {
      const since = grant.lackingSince
      const isLacking = this.#lacks(grant)
      if (!isLacking) this.#closeIfSeen(grant, since ?? Infinity, at)
      grant.lackingSince = isLacking ? (since ?? at) : null
    }
  }

  /** An end is for good once it must have been seen; what is taken back before may never have been. */
  #closeIfSeen(grant: ModelGrant, end: Instant, at: Instant): void {
    if (grant.notAfter !== null && at >= this.#deadlineOf(end)) this.#close(grant.uid, end)
  }

  #lacks(grant: ModelGrant): boolean {
    const policy = this.#policy
    if (policy === null || !this.#inScope || !this.isThere(grant.subject) || this.isSuspended(grant.subject))
      return true
    if (grant.isWide ? !policy.isWide : this.isUp('incident')) return true
    if (grant.hasTask && !this.#hasTask) return true
    const isFrozen = !grant.isWide && this.isUp('freeze')
    const needsApproval = (policy.needsApproval || isFrozen) && !grant.isEmergency
    return grant.denied.has(policy.version) || (needsApproval && !grant.approved.has(policy.version))
  }

  /** What was not issued may yet be, on what is there then. */
  #closeIssued(at: Instant, concerns: (grant: ModelGrant) => boolean): void {
    for (const grant of this.#grants.values())
      if (grant.notAfter !== null && concerns(grant)) this.#close(grant.uid, at)
  }

  #close(uid: string, at: Instant): void {
    const grant = this.#grants.get(uid)
    if (grant !== undefined) grant.over = Math.min(grant.over, at)
  }
}

/** What is wrong with an end that is on record; `limit`: the latest that it may say. */
function problemsOf(
  { name, isProper, notAfter: known }: ModelGrant,
  notAfter: Instant,
  limit: Instant,
): readonly string[] {
  const problems: string[] = []
  if (known === null && notAfter > limit) problems.push(`${name} ends ${notAfter - limit} ms later than it asked for`)
  if (known !== null && notAfter > known) problems.push(`the end of ${name} moved later by ${notAfter - known} ms`)
  if (!isProper) problems.push(`${name}, which asks for what it may not have, was issued`)
  return problems
}
