import type { Millis } from '../core/time.ts'
import type { LeaseRecord, LeaseStore, StoredLease } from '../runtime/lease-record.ts'
import { Conflict, NotFound } from './errors.ts'
import { formatMicroTime } from './micro-time.ts'
import type { KubeObject, ObjectKey } from './ports.ts'
import { pathOf, resources } from './resources.ts'
import type { Transport } from './transport.ts'

/** Keeps the record in a Lease of coordination.k8s.io/v1. */
export class KubeLeaseStore implements LeaseStore {
  readonly #transport: Pick<Transport, 'call'>
  readonly #key: ObjectKey

  /** A transport of its own, so that renewals do not queue behind the writes that stand on them. */
  constructor(transport: Pick<Transport, 'call'>, key: ObjectKey) {
    this.#transport = transport
    this.#key = key
  }

  async read(timeout: Millis): Promise<StoredLease | null> {
    try {
      return storedOf(await this.#transport.call('GET', this.#path, undefined, { timeout }))
    } catch (error) {
      if (isAbsent(error)) return null
      throw error
    }
  }

  async write(record: LeaseRecord, over: string | null, timeout: Millis): Promise<StoredLease | null> {
    const { namespace, name } = this.#key
    const metadata = { namespace, name, ...(over === null ? {} : { resourceVersion: over }) }
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: specOf(record) }
    try {
      const written = await (over === null
        ? this.#transport.call('POST', pathOf(resources.leases, namespace), lease, { timeout })
        : this.#transport.call('PUT', this.#path, lease, { timeout }))
      return storedOf(written)
    } catch (error) {
      if (error instanceof Conflict || (over !== null && isAbsent(error))) return null
      throw error
    }
  }

  get #path(): string {
    return pathOf(resources.leases, this.#key.namespace, this.#key.name)
  }
}

/** Whether nobody holds a Lease, by its own word; null is one that is not there. */
export function isReleased(lease: KubeObject | null): boolean {
  return lease === null || storedOf(lease).record.holder === ''
}

interface LeaseSpec {
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  readonly acquireTime?: string
  readonly renewTime?: string
  readonly leaseTransitions?: number
}

/** The API server wants whole seconds, at least one, and exactly six fractional digits in each time. */
function specOf({ holder, duration, acquired, renewed, transitions }: LeaseRecord): LeaseSpec {
  return {
    holderIdentity: holder,
    leaseDurationSeconds: Math.max(1, Math.ceil(duration / 1_000)),
    acquireTime: formatMicroTime(acquired),
    renewTime: formatMicroTime(renewed),
    leaseTransitions: transitions,
  }
}

function storedOf(lease: unknown): StoredLease {
  const { metadata, spec = {} } = lease as KubeObject & { readonly spec?: LeaseSpec }
  const { holderIdentity = '', leaseDurationSeconds = 0, acquireTime, renewTime, leaseTransitions = 0 } = spec
  const record = {
    holder: holderIdentity,
    duration: leaseDurationSeconds * 1_000,
    acquired: instantOf(acquireTime),
    renewed: instantOf(renewTime),
    transitions: leaseTransitions,
  }
  return { record, version: metadata.resourceVersion }
}

function instantOf(time: string | undefined): number {
  const instant = time === undefined ? NaN : Date.parse(time)
  return Number.isNaN(instant) ? 0 : instant
}

function isAbsent(error: unknown): boolean {
  return error instanceof NotFound && error.missing === 'object'
}
