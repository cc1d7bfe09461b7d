import type { Connection } from '../cluster/connection.ts'
import { isReleased, KubeLeaseStore } from '../cluster/lease-store.ts'
import { Reflector } from '../cluster/reflector.ts'
import { resources } from '../cluster/resources.ts'
import { Transport, type TransportOptions } from '../cluster/transport.ts'
import type { Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { OptionTable } from '../runtime/config.ts'
import { Elector } from '../runtime/elector.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { UsageError } from '../runtime/usage-error.ts'

export const leaseOptions = {
  leaseName: { kind: 'string', default: 'lapse-controller', description: 'the Lease whose holder alone works' },
  leaseNamespace: { kind: 'string', default: null, description: 'where it is; without it the own namespace' },
  identity: {
    kind: 'string',
    default: null,
    description: 'of this process and no other that runs, on the Lease; without it host name and a random part',
  },
  leaseDuration: { kind: 'duration', default: '15s', description: 'the others wait that long for a lost holder' },
  renewDeadline: { kind: 'duration', default: '10s', description: 'a holder that cannot renew ends after this time' },
  retryPeriod: { kind: 'duration', default: '2s', description: 'from one renewal, or look, to the next' },
} as const satisfies OptionTable

export interface LeaseConfig {
  readonly leaseName: string
  readonly leaseNamespace: string | null
  readonly identity: string | null
  readonly leaseDuration: Millis
  readonly renewDeadline: Millis
  readonly retryPeriod: Millis
}

/** Throws UsageError when these values do not keep two processes apart. */
export function checkLease({ leaseName, identity, leaseDuration, renewDeadline, retryPeriod }: LeaseConfig): void {
  if (renewDeadline >= leaseDuration)
    throw new UsageError('--renew-deadline must be less than --lease-duration: a holder ends before another begins')
  if (leaseName === '') throw new UsageError('--lease-name must not be empty')
  // an empty holder is nobody: everybody would find the lease free
  if (identity === '') throw new UsageError('--identity must not be empty')
  if (retryPeriod <= 0 || retryPeriod * 3 > renewDeadline)
    throw new UsageError(
      '--retry-period must be at most a third of --renew-deadline: one failed renewal must not end it',
    )
}

export interface LeaseParts {
  readonly config: LeaseConfig
  readonly identity: string
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly userAgent: string
  readonly witness: NonNullable<TransportOptions['witness']>
  /** The lease was held and is held no more: nothing may be written from here on. */
  readonly onLost: (reason: string) => void
}

/** The candidacy of this process, over connections of its own, so that nothing else of it can hold up a renewal. */
export class LeaseCandidate {
  readonly elector: Elector
  readonly #transport: Transport
  readonly #watch: Reflector
  #won: Promise<void> | null = null

  constructor({ config, identity, connection, clock, log, metrics, userAgent, witness, onLost }: LeaseParts) {
    const { leaseName: name, leaseDuration, renewDeadline, retryPeriod } = config
    const key = { namespace: config.leaseNamespace ?? connection.namespace, name }
    const random = Math.random
    this.#transport = new Transport({ connection, clock, random, userAgent, observer: metrics, witness })
    const store = new KubeLeaseStore(this.#transport, key)
    const times = { leaseDuration, renewDeadline, retryPeriod }
    this.elector = new Elector({ store, identity, ...times, clock, log, random, onLost })
    this.#watch = new Reflector({ ...key, type: resources.leases, transport: this.#transport, clock, log, random })
    this.#watch.subscribe(({ after }) => {
      if (isReleased(after)) this.elector.wake()
    })
    metrics.leading(name, () => this.elector.leads)
  }

  /** Resolves when this process holds the lease. */
  win(): Promise<void> {
    this.#won ??= this.#compete()
    return this.#won
  }

  async #compete(): Promise<void> {
    this.#watch.start()
    this.elector.start()
    await this.elector.whenElected()
    await this.#watch.stop()
  }

  /** Gives the lease back, and drops the connections. */
  async release(): Promise<void> {
    await this.#watch.stop()
    await this.elector.release()
    await this.#transport.close()
  }
}
