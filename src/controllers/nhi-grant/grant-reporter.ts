import { isDeepStrictEqual } from 'node:util'
import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { NHIGrantStatus } from '../../api/v1alpha1/nhi-grant-status.schema.ts'
import { Conflict } from '../../cluster/errors.ts'
import type { EventSink } from '../../cluster/ports.ts'
import type { Log } from '../../runtime/log.ts'
import { announce } from '../announce.ts'
import type { ObjectCalls } from './calls-until.ts'
import type { EvidenceRecorder } from './evidence-recorder.ts'
import type { GrantStore } from './grant-store.ts'
import { grantType } from './grant-type.ts'
import { newsOfGrant } from './news.ts'

export interface GrantReporterParts {
  readonly client: ObjectCalls
  readonly store: GrantStore
  readonly evidence: EvidenceRecorder
  readonly events: EventSink
  readonly log: Log
}

/** Writes the status of grants, and returns each grant as it is then. */
export class GrantReporter {
  readonly #parts: GrantReporterParts

  constructor(parts: GrantReporterParts) {
    this.#parts = parts
  }

  /** One write per reconcile that changes something, on record before it is made; none when the status already says it. */
  async report(grant: NHIGrant, status: NHIGrantStatus, calls: ObjectCalls = this.#parts.client): Promise<NHIGrant> {
    if (isDeepStrictEqual(status, grant.status)) return grant
    await this.#parts.evidence.ofStatus(grant, status)
    const written = await this.write(grant, status, calls)
    announce(this.#parts, newsOfGrant(grant, written))
    return written
  }

  /**
   * What goes neither on record nor is told. A conflict may come from a write of our own whose answer was lost: the next try starts from
   * what is there, not from the cache.
   */
  async write(grant: NHIGrant, status: NHIGrantStatus, calls: ObjectCalls = this.#parts.client): Promise<NHIGrant> {
    const { store } = this.#parts
    try {
      const written = (await calls.replaceStatus(grantType(grant), { ...grant }, status)) as unknown as NHIGrant
      store.wrote(written)
      return written
    } catch (error) {
      const { namespace = '', name } = grant.metadata
      const newest = error instanceof Conflict ? await calls.get(grantType(grant), { namespace, name }) : null
      if (newest !== null) store.wrote(newest as unknown as NHIGrant)
      throw error
    }
  }
}
