import { marks } from '../api/v1alpha1/objects.ts'
import { Conflict } from '../cluster/errors.ts'
import type { Cache, Change, ClusterClient, MetadataOnly, ObjectKey } from '../cluster/ports.ts'
import { dueAt, endOfBinding, type BindingEnd } from '../core/reaper/binding-end.ts'
import { formatInstant, type Instant, type Millis } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { after, again, done, type Outcome, WorkQueue } from '../runtime/queue.ts'
import type { QueueObserver } from '../runtime/queue-observer.ts'
import type { Reaped } from '../runtime/reaper-metrics.ts'
import { bindingTypes, type BindingKind, finalizersOf, isManaged } from './managed-binding.ts'

export interface ReaperParts {
  readonly client: Pick<ClusterClient, 'delete'>
  /** Of the bindings that `carriesGrant` selects, metadata only. */
  readonly caches: Readonly<Record<BindingKind, Cache<MetadataOnly>>>
  /** For so long after an end the controller is left to carry it out itself, with its proof. */
  readonly grace: Millis
  readonly clock: Clock
  readonly log: Log
  /** In [0, 1). */
  readonly random: () => number
  readonly observer?: QueueObserver
  /** Told of each binding that this process has removed. */
  readonly reaped: (reaped: Reaped) => void
}

/** How many removals are under way at a time. */
const workers = 32
/** A removal that fails is tried again at least this often, for ever. */
const longestBackoff: Millis = 5_000
/** What was removed is looked for again after this time: a finalizer may hold it. */
const lookAgain: Millis = 5_000
/** Whoever makes anew what was removed, and thinks that it is not over, is not to drive us in circles. */
const truce: Millis = 1_000
/** The watch is behind when another binding has the name: it is looked at again after this time. */
const catchUp: Millis = 100

/**
 * Removes what carries a grant once the end that is written on it has come. It asks nobody else: neither grants nor policies, controller
 * nor webhook. Several side by side do no harm: each removal names the UID that it is meant for.
 */
export class Reaper {
  readonly #parts: ReaperParts
  readonly #queue: WorkQueue
  /** By UID, the earliest that was ever read off the binding: the operator never writes one anew. */
  readonly #ends = new Map<string, BindingEnd>()
  /** When the last of each name was removed, by the monotonic clock. */
  readonly #removedAt = new Map<string, Millis>()
  /** UIDs of what was removed, and is held by a finalizer. */
  readonly #held = new Set<string>()

  constructor(parts: ReaperParts) {
    const { clock, log, random, observer } = parts
    this.#parts = parts
    this.#queue = new WorkQueue({
      name: 'reaper',
      worker: (key) => this.#reap(key),
      concurrency: workers,
      longestBackoff,
      clock,
      log,
      random,
      ...(observer === undefined ? {} : { observer }),
    })
  }

  start(): void {
    for (const kind of ['RoleBinding', 'ClusterRoleBinding'] as const)
      this.#parts.caches[kind].subscribe((change) => this.#heed(kind, change))
    this.#queue.start()
  }

  /** Resolves when the removals that are under way have ended. */
  drain(): Promise<void> {
    return this.#queue.drain()
  }

  /** How many bindings are there still although they are due. */
  overdue(): number {
    const { caches, clock } = this.#parts
    const now = clock.now()
    const all = [...caches.RoleBinding.list(), ...caches.ClusterRoleBinding.list()]
    return all.filter((binding) => isManaged(binding) && this.#dueAt(binding) <= now).length
  }

  #heed(kind: BindingKind, { key, before, after: binding }: Change<MetadataOnly>): void {
    if (binding === null) {
      this.#forget(before)
      return
    }
    if (!isManaged(binding)) return
    this.#note(kind, binding)
    this.#queue.addAt(`${kind}/${key.namespace}/${key.name}`, this.#dueAt(binding))
  }

  #forget(binding: MetadataOnly | null): void {
    if (binding === null) return
    this.#ends.delete(binding.metadata.uid)
    this.#held.delete(binding.metadata.uid)
  }

  /** The earlier end wins; that somebody wanted a later one is told. */
  #note(kind: BindingKind, binding: MetadataOnly): void {
    const { uid } = binding.metadata
    const known = this.#ends.get(uid)
    const read = endOf(binding)
    if (known === undefined || read.at < known.at) this.#ends.set(uid, read)
    if (known !== undefined && read.at > known.at)
      this.#parts.log.warn('an end was moved later, and holds as it was', described(kind, binding, known.at))
  }

  #dueAt(binding: MetadataOnly): Instant {
    return dueAt(this.#ends.get(binding.metadata.uid) ?? endOf(binding), this.#parts.grace)
  }

  async #reap(id: string): Promise<Outcome> {
    const { client, caches, clock } = this.#parts
    const { kind, key } = parseId(id)
    const binding = caches[kind].get(key)
    if (binding === null || !isManaged(binding)) {
      this.#removedAt.delete(id)
      return done
    }
    const due = this.#dueAt(binding)
    if (clock.now() < due) return again(due)
    const rest = (this.#removedAt.get(id) ?? -Infinity) + truce - clock.monotonic()
    if (rest > 0) return after(rest)
    try {
      const outcome = await client.delete(bindingTypes[kind], key, { uid: binding.metadata.uid })
      this.#removedAt.set(id, clock.monotonic())
      if (outcome !== 'absent') this.#tell(kind, binding)
    } catch (error) {
      if (error instanceof Conflict) return after(catchUp)
      throw error
    }
    return after(lookAgain)
  }

  #tell(kind: BindingKind, binding: MetadataOnly): void {
    const { log, clock, reaped } = this.#parts
    const { uid } = binding.metadata
    const end = this.#ends.get(uid) ?? endOf(binding)
    const finalizers = finalizersOf(binding)
    if (finalizers.length === 0) {
      reaped({ kind, end: end.by })
      const facts = described(kind, binding, end.at)
      if (end.by === 'Unreadable') log.warn('binding removed, for it does not say until when it lasts', facts)
      else log.info('binding removed', { ...facts, lateMs: clock.now() - end.at })
    } else if (!this.#held.has(uid)) {
      this.#held.add(uid)
      log.warn('a binding that is removed is held by finalizers, and gives access', {
        ...described(kind, binding, end.at),
        finalizers,
      })
    }
  }
}

function endOf({ metadata }: MetadataOnly): BindingEnd {
  return endOfBinding(metadata.annotations?.[marks.notAfter], metadata.creationTimestamp)
}

function parseId(id: string): { readonly kind: BindingKind; readonly key: ObjectKey } {
  const [kind = '', namespace = '', name = ''] = id.split('/')
  return { kind: kind as BindingKind, key: { namespace, name } }
}

function described(kind: BindingKind, { metadata }: MetadataOnly, at: Instant): Readonly<Record<string, unknown>> {
  const { namespace, name, uid, labels } = metadata
  return {
    kind,
    namespace,
    name,
    uid,
    grantUid: labels?.[marks.grantUid],
    notAfter: at === 0 ? null : formatInstant(at),
  }
}
