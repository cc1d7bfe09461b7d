import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { AuditSink } from '../../audit/ports.ts'
import type { ClusterClient, EventSink, ObjectKey } from '../../cluster/ports.ts'
import type { GrantPlan } from '../../core/grant/plan.ts'
import { planGrant } from '../../core/grant/plan-grant.ts'
import type { GrantRecord } from '../../core/grant/record.ts'
import type { Instant } from '../../core/time.ts'
import type { TwoSidedClock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { after, again, done, next, type Outcome } from '../../runtime/queue.ts'
import { callsUntil, type ObjectCalls } from './calls-until.ts'
import { EvidenceRecorder } from './evidence-recorder.ts'
import { PodEvictor, whosePodsGo } from './evict-pods.ts'
import { GrantReporter } from './grant-reporter.ts'
import type { GrantStore } from './grant-store.ts'
import type { Healer } from './heal.ts'
import { grantInputs } from './inputs.ts'
import { grantType } from './grant-type.ts'
import { deleteObjects, isObstacle, type Obstacle } from './objects.ts'
import { observeGrant } from './observe.ts'
import { lookAgain } from './look-again.ts'
import { endingStatus, needsMark } from './ending-mark.ts'
import { policyNamedBy } from './named-in-spec.ts'
import { PatientCreation } from './patient-creation.ts'
import { carryOut, type Carried, type CarryingOut } from './issue-credential.ts'
import type { UntilObjects } from './until-objects.ts'
import { untilStatus } from './until-status.ts'
import { heldInterval, patience, proveRevocation, type Removal } from './prove.ts'
import {
  activeStatus,
  approvedStatus,
  deniedStatus,
  endedStatus,
  recordedStatus,
  reviewedStatus,
  seenStatus,
  shortenedStatus,
  waitingStatus,
  whenUnsettled,
} from './status.ts'

/** What a grant's reconciler tells the outside world beside the status. */
export interface GrantObserver {
  grant(labels: { readonly policy: string; readonly namespace: string; readonly outcome: string }): void
  overstay(millis: number): void
}

export interface GrantReconcilerParts {
  readonly client: ClusterClient
  readonly store: GrantStore
  readonly healer: Pick<Healer, 'keep'>
  readonly untilObjects: UntilObjects
  readonly events: EventSink
  readonly audit: AuditSink
  readonly clock: TwoSidedClock
  readonly log: Log
  readonly observer: GrantObserver
  /** Has the grant reconciled at that instant too, whatever becomes of the run that asks for it. */
  readonly remind: (key: ObjectKey, at: Instant) => void
  /** Has `evictPods` called for the grant, on a queue of its own: no end waits behind Pods that take their time. */
  readonly remindOfPods: (key: ObjectKey) => void
}

type EndOfGrant = Omit<Extract<GrantPlan, { kind: 'End' }>, 'kind'>

/** A grant whose objects are acknowledged to be gone, and whose proof is to come. */
interface Ending extends Removal {
  readonly end: EndOfGrant
}

/** Brings one NHIGrant or ClusterNHIGrant to where its plan says it must be: observe → plan → enforce → report. */
export class GrantReconciler {
  /** By the grant's UID. Lost in a crash, the removal is made again: what is gone is gone. */
  readonly #endings = new Map<string, Ending>()
  readonly #parts: GrantReconcilerParts
  /** By the grant's UID: what was created, until the grant is Active or over. Lost in a crash, it is found again. */
  readonly #carried = new Map<string, Carried>()
  readonly #evidence: EvidenceRecorder
  readonly #reporter: GrantReporter
  readonly #creation: PatientCreation
  readonly #evictor: PodEvictor

  constructor(parts: GrantReconcilerParts) {
    this.#parts = parts
    this.#evidence = new EvidenceRecorder(parts)
    this.#reporter = new GrantReporter({ ...parts, evidence: this.#evidence })
    this.#creation = new PatientCreation(parts)
    this.#evictor = new PodEvictor(parts)
  }

  async reconcile(key: ObjectKey): Promise<Outcome> {
    const { store, clock } = this.#parts
    await this.#sweep(key)
    const grant = store.get(key)
    if (grant === null) return done
    const ending = this.#endings.get(grant.metadata.uid)
    if (ending !== undefined) return this.#finish(grant, ending)
    const now = clock.now()
    const plan = planGrant(observeGrant(grant), () => grantInputs(grant, this.#parts), now)
    switch (plan.kind) {
      case 'Rest': {
        const seen = await this.#reporter.report(grant, seenStatus(grant))
        store.release(grant)
        if (whosePodsGo(seen) !== null) this.#parts.remindOfPods(key)
        return lookAgain(plan.lookAgainAt, clock)
      }
      case 'Reviewed':
        await this.#reporter.report(grant, reviewedStatus(grant, plan.by, now))
        return again(now)
      case 'Discard':
        return this.#discard(grant)
      case 'Wait':
        await this.#reporter.report(grant, waitingStatus(grant, plan, now))
        return lookAgain(plan.at, clock)
      case 'Deny':
        return this.#deny(grant, plan.reason, plan.message)
      case 'Issue':
        return this.#issue(key, grant, plan.record)
      case 'Approved':
        await this.#reporter.report(grant, approvedStatus(grant, plan.approvals))
        return again(now)
      case 'Shorten':
        await this.#reporter.report(grant, shortenedStatus(grant, plan, now))
        return again(now)
      case 'Keep':
        return this.#keep(grant, plan, now)
      case 'End':
        this.#evidence.ofEnding(grant, plan.message)
        return this.#end(grant, plan, null)
      case 'Prove':
        return this.#end(grant, endingOf(grant), whenUnsettled(grant))
    }
  }

  /** Of a grant whose revocation is proved. */
  async evictPods(key: ObjectKey): Promise<Outcome> {
    const grant = this.#parts.store.get(key)
    if (grant === null) return done
    return (await this.#evictor.evict(grant, (...status) => this.#reporter.report(...status))) ?? done
  }

  async #keep(
    grant: NHIGrant,
    { lookAgainAt, until }: Extract<GrantPlan, { kind: 'Keep' }>,
    now: Instant,
  ): Promise<Outcome> {
    const kept = await this.#reporter.report(grant, untilStatus(grant, until, now))
    return this.#parts.healer.keep(kept, lookAgainAt, (...status) => this.#reporter.report(...status))
  }

  /**
   * Write before act: what is created is on record first, its end has been asked for, and the clock is read again in between.
   * By its end all of this is over, whoever does not answer.
   */
  async #issue(key: ObjectKey, grant: NHIGrant, record: GrantRecord): Promise<Outcome> {
    const { client, store, clock, remind } = this.#parts
    const calls = callsUntil(record.notAfter, client, clock)
    store.reserve(grant)
    remind(key, record.notAfter)
    const clocksDiffer = clock.now() - clock.earliest()
    const recorded = await this.#reporter.report(grant, recordedStatus(grant, record, clock.now(), clocksDiffer), calls)
    if (clock.now() >= record.notAfter) return after(0)
    const { uid } = grant.metadata
    const known = this.#carried.get(uid)
    if (known !== undefined) return this.#activate(recorded, record, known, calls)
    const report: CarryingOut['report'] = (...news) => this.#reporter.report(...news, calls)
    const carried = await this.#creation.attempt(key, uid, () => carryOut(recorded, record, { calls, clock, report }))
    if (isObstacle(carried)) return this.#withdraw(store.get(key) ?? recorded, carried, calls)
    this.#carried.set(uid, carried)
    return next
  }

  /** It can be used since its objects are there. That is told when others that are due have theirs too. */
  async #activate(grant: NHIGrant, record: GrantRecord, carried: Carried, calls: ObjectCalls): Promise<Outcome> {
    const { clock } = this.#parts
    const { uids, tokenExpiresAt } = carried
    await this.#reporter.report(grant, activeStatus(grant, uids, tokenExpiresAt, clock.now()), calls)
    this.#carried.delete(grant.metadata.uid)
    this.#count(grant, 'Active')
    return again(record.notAfter)
  }

  /** Part of a grant could not be created: what was is taken back, and it is denied for good. */
  async #withdraw(grant: NHIGrant, obstacle: Obstacle, calls: ObjectCalls): Promise<Outcome> {
    await deleteObjects(calls, grant, this.#parts.clock)
    return this.#deny(grant, obstacle.reason, obstacle.message)
  }

  async #deny(grant: NHIGrant, reason: string, message: string): Promise<Outcome> {
    await this.#reporter.report(grant, deniedStatus(grant, reason, message, this.#parts.clock.now()))
    this.#parts.store.release(grant)
    this.#forget(grant.metadata.uid)
    this.#count(grant, 'Denied')
    return done
  }

  /** Removes the access and comes back for the proof: no removal waits for the proof of another. */
  async #end(grant: NHIGrant, end: EndOfGrant, unsettledSince: Instant | null): Promise<Outcome> {
    const { client, clock } = this.#parts
    const deletion = await deleteObjects(client, grant, clock)
    const removedAt = unsettledSince ?? clock.now()
    const since = clock.monotonic() - Math.max(0, clock.now() - removedAt)
    const ending: Ending = { end, removedAt, since, ...deletion }
    this.#endings.set(grant.metadata.uid, ending)
    this.#carried.delete(grant.metadata.uid)
    return unsettledSince === null ? next : this.#finish(grant, ending)
  }

  /**
   * Says what the API server says to the removal. What was removed has ended, whatever else has changed since: it is never
   * planned anew. What is not settled, or is held up, is looked at again later, so that no end waits behind the proof of
   * another.
   */
  async #finish(grant: NHIGrant, ending: Ending): Promise<Outcome> {
    const { client, clock, observer, store } = this.#parts
    const { end } = ending
    const marked = await this.#mark(grant, end)
    const proof = await proveRevocation(client, clock, marked, ending)
    await this.#reporter.report(marked, endedStatus(marked, end, proof, ending))
    store.release(grant)
    if (grant.status?.state !== end.state) this.#count(grant, end.state)
    if (proof.verdict.kind === 'Unsettled') return after(patience)
    this.#endings.delete(grant.metadata.uid)
    if (proof.verdict.kind === 'HeldByFinalizer') return after(heldInterval)
    if (proof.verdict.kind !== 'NoAccess') observer.overstay(Math.max(0, proof.goneAt - end.at))
    return done
  }

  /** Its record was kept for as long as its policy says. */
  async #discard(grant: NHIGrant): Promise<Outcome> {
    const { namespace = '', name, uid } = grant.metadata
    await this.#evidence.ofDiscard(grant)
    await this.#parts.client.delete(grantType(grant), { namespace, name }, { uid })
    return done
  }

  /**
   * What ends a grant before its time may pass before the end can be told: that waits for its record, and for the proof. Until then this mark
   * says it, also to the next process.
   */
  async #mark(grant: NHIGrant, end: EndOfGrant): Promise<NHIGrant> {
    if (!needsMark(grant, end)) return grant
    return this.#reporter.write(grant, endingStatus(grant, end))
  }

  /** The grant is gone; the garbage collector would remove what it owned, but slowly. */
  async #sweep(key: ObjectKey): Promise<void> {
    const { client, store, clock } = this.#parts
    for (const gone of store.deleted(key)) {
      await deleteObjects(client, gone, clock)
      this.#evidence.ofDeletion(gone)
      store.forget(gone)
      this.#endings.delete(gone.metadata.uid)
      this.#forget(gone.metadata.uid)
    }
  }

  /** The grant is not going to be Active. */
  #forget(uid: string): void {
    this.#creation.forget(uid)
    this.#carried.delete(uid)
  }

  #count(grant: NHIGrant, outcome: string): void {
    const { observer, log } = this.#parts
    const namespace = grant.metadata.namespace ?? ''
    const policy = policyNamedBy(grant)
    observer.grant({ policy, namespace, outcome })
    log.info('grant', { namespace, name: grant.metadata.name, policy, outcome })
  }
}

/** How a grant that has ended without proof had ended. */
function endingOf(grant: NHIGrant): EndOfGrant {
  const { state, endedAt, endedReason = '' } = grant.status ?? {}
  const at = endedAt === undefined ? 0 : Date.parse(endedAt)
  return { state: state === 'Revoked' || state === 'Completed' ? state : 'Expired', at, message: endedReason }
}
