import type { Change, KubeObject, ObjectKey } from '../../src/cluster/ports.ts'
import { Reflector } from '../../src/cluster/reflector.ts'
import { resources } from '../../src/cluster/resources.ts'
import type { Transport } from '../../src/cluster/transport.ts'
import type { Millis } from '../../src/core/time.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { ChangeLedger, type Entry, gone, isPartOf, versionOf } from './change-ledger.ts'
import type { HistoryEvent } from './object-history.ts'
import type { ScriptedApi } from './scripted-api.ts'

/** One reflector from its start to its stop, among its subscribers one that throws at every third change. */
export class ReflectorLife {
  readonly #reflector: Reflector
  readonly #violations: string[]
  readonly #ledgers: ChangeLedger[] = []
  #state: 'running' | 'stopping' | 'stopped' = 'running'
  #stopsAtNextChange = false
  #heard = 0
  readonly #failures = { thrown: 0, counted: 0 }
  #unanswered = 0

  constructor(transport: Transport, clock: Clock, violations: string[]) {
    this.#violations = violations
    this.#reflector = new Reflector({
      type: resources.nhiGrants,
      transport,
      clock,
      log: silentLog,
      random: () => 0.5,
      observer: { watchRestarted: () => {}, handlerFailed: () => (this.#failures.counted += 1), cacheAge: () => {} },
    })
    this.#reflector.subscribe(() => this.#disturb())
    this.subscribe()
    this.#reflector.start()
  }

  get isRunning(): boolean {
    return this.#state === 'running'
  }

  subscribe(): void {
    const ledger = new ChangeLedger()
    this.#ledgers.push(ledger)
    this.#reflector.subscribe((change) => this.#hear(ledger, change))
  }

  ask(key: ObjectKey, timeout: Millis): void {
    this.#unanswered += 1
    void this.#reflector.waitFor(key, timeout).then(() => (this.#unanswered -= 1))
  }

  /** Must come to an end: with a list that is no older than now as long as it runs, and with none behind its stop. */
  async refresh(api: ScriptedApi): Promise<void> {
    const { version } = api.history
    this.#unanswered += 1
    const end = await this.#reflector.refresh().then(
      () => (this.#state === 'running' ? api.listed : Infinity),
      () => (this.#state === 'running' ? -Infinity : version),
    )
    this.#unanswered -= 1
    if (end < version || end === Infinity) this.#violations.push(`a refresh of ${version} ended with ${end}`)
  }

  stopAtNextChange(): void {
    this.#stopsAtNextChange = true
  }

  stop(): void {
    if (this.#state !== 'running') return
    this.#state = 'stopping'
    void this.#reflector.stop().then(() => (this.#state = 'stopped'))
  }

  /** What must hold whenever everything has come to rest. */
  checkAtRest(): void {
    this.#violations.push(...this.#ledgers.flatMap(({ contradictions }) => contradictions.splice(0)))
    const { thrown, counted } = this.#failures
    if (counted !== thrown) this.#violations.push(`${thrown} failures of subscribers, of which ${counted} were counted`)
    if (this.#state === 'stopping') this.#violations.push('the stop does not end')
    if (this.#state === 'stopped' && this.#unanswered > 0) this.#violations.push('a question is without an answer')
    if (this.#state === 'running') this.#checkFold()
  }

  /** What must hold when the server has behaved for long enough. */
  checkAgreement({ history, listed }: ScriptedApi): void {
    this.#same('cached', this.#reflector.list().map(contentOf), history.objects.map(contentOf))
    const [ledger] = this.#ledgers
    for (const [name, past] of Map.groupBy(history.events, ({ object }) => object.metadata.name)) {
      const told = ledger?.entriesOf(name) ?? []
      const owed = past.filter(({ version }) => version > listed)
      if (!isPartOf(told, past.map(entryOf))) this.#violations.push(`${name}: told what never was: ${told.join()}`)
      if (!isPartOf(owed.map(entryOf), told)) this.#violations.push(`${name}: a change was lost: ${told.join()}`)
    }
  }

  #checkFold(): void {
    const cached = this.#reflector.list().map((object) => `${object.metadata.name} ${versionOf(object)}`)
    for (const ledger of this.#ledgers) {
      this.#same(
        'told',
        Array.from(ledger.fold(), ([name, entry]) => `${name} ${entry}`),
        cached,
      )
    }
  }

  #same(what: string, actual: readonly string[], expected: readonly string[]): void {
    const [is, should] = [actual.toSorted().join(), expected.toSorted().join()]
    if (is !== should) this.#violations.push(`${what}: ${is}; not ${should}`)
  }

  #hear(ledger: ChangeLedger, change: Change<KubeObject>): void {
    if (this.#state !== 'running') this.#violations.push(`${change.key.name}: told after the stop`)
    ledger.take(change)
  }

  #disturb(): void {
    this.#heard += 1
    if (this.#stopsAtNextChange) this.stop()
    if (this.#heard % 3 !== 0) return
    this.#failures.thrown += 1
    throw new Error('a defect')
  }
}

function contentOf({ metadata, note }: KubeObject): string {
  return JSON.stringify({ metadata, note })
}

function entryOf({ type, object }: HistoryEvent): Entry {
  return type === 'DELETED' ? gone : versionOf(object)
}
