import type { NHIGrantStatus } from '../../api/v1alpha1/nhi-grant-status.schema.ts'
import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import { Forbidden } from '../../cluster/errors.ts'
import type { ClusterClient, EventSink, ObjectKey } from '../../cluster/ports.ts'
import { resources } from '../../cluster/resources.ts'
import { differences } from '../../core/grant/drift.ts'
import { parseInstant, type Instant, type Millis } from '../../core/time.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { after, again, type Outcome } from '../../runtime/queue.ts'
import { allEnded } from '../all-ended.ts'
import { announce } from '../announce.ts'
import { deleteExactly } from '../delete-exactly.ts'
import { callsUntil, type ObjectCalls } from './calls-until.ts'
import { factsOf } from './carrier.ts'
import type { Carriers } from './carriers.ts'
import { complianceOf, complianceStatus, type Compliance } from './compliance.ts'
import { examine, examineOther, typeOfCarrier, type Deviation } from './deviation.ts'
import type { GrantStore } from './grant-store.ts'
import type { CreatedUids } from './objects.ts'
import { Restraint } from './restraint.ts'
import { bindingsToOwnRole } from './role-bindings.ts'
import { wantedObjects, type WantedObject } from './wanted.ts'

/** What became of a deviation: it is as issued again; it waits for its turn; it is beyond the operator. */
export type DriftOutcome = 'Healed' | 'Waiting' | 'Held' | 'Refused'

export interface DriftObserver {
  drift(labels: { readonly kind: string; readonly outcome: string }): void
}

export interface HealerParts {
  readonly client: ClusterClient
  readonly store: GrantStore
  readonly carriers: Carriers
  readonly events: EventSink
  readonly clock: Clock
  readonly log: Log
  readonly observer: DriftObserver
}

/** Writes the status of a grant if it says something new, and returns the grant as it is then. */
export type Report = (grant: NHIGrant, status: NHIGrantStatus, calls: ObjectCalls) => Promise<NHIGrant>

/** For so long after its issue what is not in the cache may only be on its way there. */
const settleTime: Millis = 2_000
/** What the operator cannot put right is looked at again at this interval. */
const beyondInterval: Millis = 5_000

/**
 * Keeps the objects of an Active grant as they were issued. Nothing is changed in place, for that could be more than was
 * issued: what differs is deleted, at once, and created again while the window of the grant is open. What a cache says is
 * put to the API server before anything is done about it.
 */
export class Healer {
  readonly #parts: HealerParts
  readonly #restraint: Restraint

  constructor(parts: HealerParts) {
    this.#parts = parts
    this.#restraint = new Restraint(parts.clock)
  }

  /** For a grant whose plan is to keep it until then. */
  async keep(grant: NHIGrant, until: Instant, report: Report): Promise<Outcome> {
    if ((grant.status?.objects ?? []).length === 0) return again(until)
    const wanted = wantedObjects(grant, this.#parts.store)
    const at = this.#whenToExamine(grant, wanted)
    if (at === null) return again(until)
    if (at > this.#parts.clock.now()) return again(Math.min(at, until))
    return this.#examine(grant, wanted, until, report)
  }

  /** When the API server must be asked, by what the caches say; null: all is as it was issued. */
  #whenToExamine(grant: NHIGrant, wanted: readonly WantedObject[]): Instant | null {
    const { carriers } = this.#parts
    const { uid } = grant.metadata
    if (complianceOf(grant)?.status === 'False' || carriers.othersOf(uid).length > 0) return 0
    const settled = (parseInstant(grant.status?.issuedAt ?? '') ?? 0) + settleTime
    const times = wanted.map((object): Instant | null => {
      const found = carriers.get(object)
      if (found === null) return carriers.isGone(uid, object) ? 0 : settled
      const isGoing = found.metadata.deletionTimestamp !== undefined
      return isGoing || differences(factsOf(object.manifest), factsOf(found)).length > 0 ? 0 : null
    })
    const due = times.filter((time) => time !== null)
    return due.length === 0 ? null : Math.min(...due)
  }

  async #examine(grant: NHIGrant, wanted: readonly WantedObject[], until: Instant, report: Report): Promise<Outcome> {
    const { client, clock, carriers } = this.#parts
    const calls = callsUntil(until, client, clock)
    const others = carriers.othersOf(grant.metadata.uid)
    const examined = await allEnded([
      ...wanted.map((object) => examine(calls, grant, object)),
      ...others.map((object) => examineOther(calls, grant, object)),
    ])
    const deviations = examined.filter((deviation) => deviation !== null)
    // what gives more than was issued goes before anything is said; what could not be removed is not forgotten
    await allEnded(deviations.map((deviation) => this.#remove(calls, deviation)))
    const found = new Set(deviations.map(({ object }) => object))
    carriers.examined(
      grant.metadata.uid,
      others.filter((other) => !found.has(other)),
    )
    if (deviations.length > 0) return this.#heal(grant, deviations, until, report, calls)
    if (complianceOf(grant)?.status === 'False')
      await this.#say(grant, compliant('AsIssued', 'it is as it was issued'), report, calls)
    return again(until)
  }

  /** What gave more than was issued is gone: that is said, and then what is missing is restored. */
  async #heal(
    grant: NHIGrant,
    deviations: readonly Deviation[],
    until: Instant,
    report: Report,
    calls: ObjectCalls,
  ): Promise<Outcome> {
    const { clock, log } = this.#parts
    const { namespace, name, uid } = grant.metadata
    if (deviations.every(({ kind, isHeld }) => kind === 'Shortened' && !isHeld)) {
      const created = await this.#create(calls, grant, deviations)
      await this.#say(grant, compliant('AsIssued', 'its end was brought forward'), report, calls, created)
      return again(until)
    }
    const message = deviations.map((deviation) => deviation.message).join('; ')
    const found = await this.#say(grant, { status: 'False', reason: 'Drift', message }, report, calls)
    const beyond = deviations.filter(({ kind, isHeld }) => isHeld || kind === 'Taken')
    const pause = this.#restraint.pauseFor(uid)
    const isNews = complianceOf(grant)?.message !== complianceOf(found)?.message
    if (isNews) log.warn('drift', { namespace, name, found: message })
    if (beyond.length > 0 || pause > 0) {
      const outcome = beyond.length > 0 ? 'Held' : 'Waiting'
      if (isNews) this.#tell(grant, deviations, 'DriftFound', message, outcome)
      return again(Math.min(until, clock.now() + (beyond.length > 0 ? beyondInterval : pause)))
    }
    return this.#restore(found, deviations, until, report, calls)
  }

  async #restore(
    grant: NHIGrant,
    deviations: readonly Deviation[],
    until: Instant,
    report: Report,
    calls: ObjectCalls,
  ): Promise<Outcome> {
    const { clock } = this.#parts
    const message = complianceOf(grant)?.message ?? ''
    const missing = deviations.filter(({ manifest }) => manifest !== null)
    if (missing.length > 0) this.#restraint.restored(grant.metadata.uid)
    try {
      const created = await this.#create(calls, grant, missing)
      if (clock.now() >= until) return after(0)
      await this.#say(grant, compliant('DriftHealed', `healed: ${message}`), report, calls, created)
      this.#tell(grant, deviations, 'DriftHealed', message, 'Healed')
      return again(until)
    } catch (error) {
      if (!(error instanceof Forbidden)) throw error
      const refusal = `${message}; the operator may not restore it: ${error.message}`
      await this.#say(grant, { status: 'False', reason: 'NotHeldByOperator', message: refusal }, report, calls)
      this.#tell(grant, deviations, 'DriftFound', refusal, 'Refused')
      return again(Math.min(until, clock.now() + beyondInterval))
    }
  }

  async #remove(calls: ObjectCalls, { object, doomed }: Deviation): Promise<void> {
    if (doomed !== null) await deleteExactly(calls, typeOfCarrier(object), object, doomed)
  }

  /** Roles first. Who has bound a Role of the grant's own while it said something else would gain what it says from now on. */
  async #create(calls: ObjectCalls, grant: NHIGrant, missing: readonly Deviation[]): Promise<CreatedUids> {
    const uids = new Map<string, string>()
    for (const kind of ['Role', 'RoleBinding', 'ClusterRoleBinding'] as const)
      for (const { object, manifest } of missing.filter((each) => each.object.kind === kind)) {
        if (manifest === null) continue
        if (kind === 'Role') await this.#clear(calls, await bindingsToOwnRole(calls, grant))
        const { metadata } = await calls.create(typeOfCarrier(object), manifest)
        uids.set(`${object.kind}/${object.name}`, metadata.uid)
      }
    return uids
  }

  async #clear(calls: ObjectCalls, bindings: readonly (ObjectKey & { readonly uid: string })[]): Promise<void> {
    for (const { uid, ...key } of bindings) await deleteExactly(calls, resources.roleBindings, key, uid)
  }

  #say(
    grant: NHIGrant,
    compliance: Compliance,
    report: Report,
    calls: ObjectCalls,
    created?: CreatedUids,
  ): Promise<NHIGrant> {
    return report(grant, complianceStatus(grant, compliance, this.#parts.clock.now(), created), calls)
  }

  #tell(
    grant: NHIGrant,
    deviations: readonly Deviation[],
    reason: 'DriftFound' | 'DriftHealed',
    note: string,
    outcome: DriftOutcome,
  ): void {
    const { apiVersion, kind, metadata } = grant
    const action = outcome === 'Healed' ? 'Restore' : 'Compare'
    announce(this.#parts, [{ regarding: { apiVersion, kind, metadata }, type: 'Warning', reason, action, note }])
    for (const deviation of deviations) this.#parts.observer.drift({ kind: deviation.kind, outcome })
  }
}

function compliant(reason: 'AsIssued' | 'DriftHealed', message: string): Compliance {
  return { status: 'True', reason, message }
}
