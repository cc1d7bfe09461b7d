import { expect } from 'chai'
import * as fc from 'fast-check'
import { setImmediate } from 'node:timers/promises'
import type { Connection } from '../../src/cluster/connection.ts'
import type { Credentials } from '../../src/cluster/credentials.ts'
import type { ObjectKey } from '../../src/cluster/ports.ts'
import { Transport } from '../../src/cluster/transport.ts'
import type { Millis } from '../../src/core/time.ts'
import { QuietClock } from '../support/quiet-clock.ts'
import { ReflectorLife } from '../support/reflector-life.ts'
import { type Fault, faults, type RequestKind, ScriptedApi } from '../support/scripted-api.ts'
import { type Breakage, breakages } from '../support/scripted-watch.ts'

const names = ['a', 'b', 'c', 'd', 'e'] as const
/** Of two objects each. */
const mostPages = 3
/** The longest that a fault may be felt after it is over: a watch that stalls, and the longest back-off behind it. */
const aftermath: Millis = 200_000
/** One call and one watch at a time, each of which may find the connection of the last one not yet free. */
const socketsPerLife = 4
/** As long as a watch: that ends by itself once in this time. */
const calmTime: Millis = 450_000
/** When a fault that follows no other is over: the shortest back-off. */
const quickReturn: Millis = 100
/** What the back-off admits in an outage: at its begin, and per second. */
const outageRequests = { first: 12, perSecond: 3 } as const

const actions = [
  'compact',
  'bookmark',
  'release',
  'recover',
  'rotate',
  'turn',
  'start',
  'subscribe',
  'refresh',
  'stop',
  'stop at the next change',
] as const
type Action = (typeof actions)[number]

type Step =
  | { readonly do: 'put' | 'remove' | 'replace'; readonly name: string }
  | { readonly do: 'ask'; readonly name: string; readonly timeout: Millis }
  | { readonly do: 'fault'; readonly fault: Fault; readonly on: RequestKind | 'any' }
  | { readonly do: 'outage'; readonly fault: Fault }
  | { readonly do: 'break'; readonly how: Breakage }
  | { readonly do: 'wait'; readonly by: Millis }
  | { readonly do: 'act'; readonly action: Action }

function often<T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.WeightedArbitrary<T> {
  return { weight, arbitrary }
}

function act(...among: readonly Action[]): fc.Arbitrary<Step> {
  return fc.record({ do: fc.constant('act'), action: fc.constantFrom(...among) })
}

const anyName = fc.constantFrom(...names)
const anyFault = fc.constantFrom(...faults)
const anyRequest = fc.constantFrom('any', 'next page', 'next page', 'watch')
const anyTime: fc.Arbitrary<Millis> = fc.oneof(fc.constant(0), fc.nat(300), fc.nat(3_000), fc.nat(40_000))
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  often(12, fc.record({ do: fc.constantFrom('put', 'put', 'remove', 'replace'), name: anyName })),
  often(8, fc.record({ do: fc.constant('wait'), by: anyTime })),
  often(8, fc.record({ do: fc.constant('fault'), fault: anyFault, on: anyRequest })),
  often(5, fc.record({ do: fc.constant('break'), how: fc.constantFrom(...breakages) })),
  often(8, act('compact', 'bookmark', 'release', 'rotate', 'turn', 'turn', 'subscribe', 'refresh', 'refresh')),
  often(6, act('start')),
  often(6, act('recover')),
  often(1, act('stop', 'stop at the next change')),
  often(1, fc.record({ do: fc.constant('outage'), fault: anyFault })),
  often(1, fc.record({ do: fc.constant('ask'), name: anyName, timeout: anyTime })),
)

const anySchedule = fc.record({
  /** What the first reflector finds. */
  present: fc.subarray([...names]),
  begin: fc.constantFrom('synced', 'synced', 'not started'),
  steps: fc.array(anyStep, { maxLength: 60, size: 'max' }),
  end: fc.constantFrom('stop first', 'close first'),
  /** How a watch is refused whose place is forgotten. */
  expired: fc.constantFrom('410', 'error-410'),
})
type Schedule = typeof anySchedule extends fc.Arbitrary<infer T> ? T : never

/** Each renewal brings other TLS options, so that connections have to be made anew. */
class RotatingConnection implements Connection {
  readonly url: string
  readonly namespace = ''
  #credentials: Credentials = { tls: {}, headers: {} }

  constructor(url: string) {
    this.url = url
  }

  credentials(): Promise<Credentials> {
    return Promise.resolve(this.#credentials)
  }

  renew(): void {
    this.#credentials = { tls: {}, headers: {} }
  }
}

function keyOf(name: string): ObjectKey {
  return { namespace: 'ns', name }
}

/** Plays one schedule: an API server, a transport, and reflectors one after the other. */
class Scenario {
  readonly violations: string[] = []
  readonly #clock: QuietClock
  readonly #api: ScriptedApi
  readonly #connection: Connection
  readonly #transport: Transport
  readonly #lives: ReflectorLife[] = []
  readonly #outages = { count: 0, time: 0, isNow: false }

  constructor(clock: QuietClock, api: ScriptedApi, connection: Connection) {
    this.#clock = clock
    this.#api = api
    this.#connection = connection
    this.#transport = new Transport({ connection, clock, random: () => 0.5 })
  }

  async play({ present, begin, steps, end }: Schedule): Promise<void> {
    for (const name of present) this.#api.put(keyOf(name))
    if (begin === 'synced') this.#start()
    try {
      await this.#wait(0)
      for (const step of steps) await this.#take(step)
      await this.#comeToAgree()
      await this.#end(end)
    } finally {
      for (const life of this.#lives) life.stop()
      await this.#transport.close()
    }
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'put':
        return this.#api.put(keyOf(step.name))
      case 'remove':
        return this.#api.remove(keyOf(step.name))
      case 'replace':
        this.#api.remove(keyOf(step.name))
        return this.#api.put(keyOf(step.name))
      case 'ask':
        return this.#running?.ask(keyOf(step.name), step.timeout)
      case 'fault':
        return this.#api.script(step.fault, step.on)
      case 'outage':
        return this.#setOutage(step.fault)
      case 'break':
        return this.#api.break(step.how)
      case 'wait':
        return this.#wait(step.by)
      case 'act':
        return this.#act(step.action)
      default:
        return step satisfies never
    }
  }

  async #act(action: Action): Promise<void> {
    switch (action) {
      case 'compact':
        return this.#api.history.compact()
      case 'bookmark':
        return this.#api.bookmark()
      case 'release':
        return this.#api.release()
      case 'recover':
        return this.#setOutage(null)
      case 'rotate':
        return this.#connection.renew()
      case 'turn':
        await setImmediate()
        return
      case 'start':
        return this.#start()
      case 'subscribe':
        return this.#running?.subscribe()
      case 'refresh':
        return this.#refresh()
      case 'stop':
        return this.#running?.stop()
      case 'stop at the next change':
        return this.#running?.stopAtNextChange()
      default:
        return action satisfies never
    }
  }

  get #running(): ReflectorLife | null {
    return this.#lives.find(({ isRunning }) => isRunning) ?? null
  }

  #start(): void {
    if (this.#running === null) this.#lives.push(new ReflectorLife(this.#transport, this.#clock, this.violations))
  }

  #refresh(): void {
    if (this.#running === null) return
    this.#api.expectRefresh()
    void this.#running.refresh(this.#api)
  }

  #setOutage(fault: Fault | null): void {
    this.#api.outage(fault)
    this.#outages.isNow = fault !== null
    if (fault !== null) this.#outages.count += 1
  }

  async #wait(by: Millis): Promise<void> {
    await this.#clock.advance(by)
    if (this.#outages.isNow) this.#outages.time += by
    for (const life of this.#lives) life.checkAtRest()
    const { openWatches, openSockets } = this.#api
    const watches = this.#running === null ? 0 : 1
    if (openWatches > watches) this.violations.push(`${openWatches} watches are open`)
    if (openSockets > socketsPerLife * Math.max(this.#lives.length, 1))
      this.violations.push(`${openSockets} sockets are open`)
  }

  /** Nothing goes wrong from now on: the cache must come to agree with the server, and then leave it alone. */
  async #comeToAgree(): Promise<void> {
    this.#setOutage(null)
    this.#api.calm()
    this.#start()
    await this.#wait(aftermath)
    this.#start() // for one that stopped meanwhile
    await this.#wait(0)
    this.#running?.checkAgreement(this.#api)
    const before = this.#api.requests.length
    await this.#wait(calmTime)
    const later = this.#api.requests.slice(before).join()
    if (later !== 'watch') this.violations.push(`requests without a reason: ${later}`)
    this.#api.break('reset')
    await this.#wait(quickReturn)
    if (this.#api.openWatches !== 1) this.violations.push('a single fault is felt for long')
  }

  async #end(end: Schedule['end']): Promise<void> {
    this.#running?.ask(keyOf('nobody'), calmTime)
    if (end === 'close first') {
      await this.#transport.close()
      this.#connection.renew()
      await this.#wait(10_000)
    }
    this.#running?.stop()
    this.#api.put(keyOf('a'))
    await this.#wait(0)
    await this.#transport.close()
    await this.#wait(0)
    const { openSockets } = this.#api
    if (openSockets > 0) this.violations.push(`${openSockets} sockets are left`)
    if (this.#clock.pending > 0) this.violations.push(`${this.#clock.pending} timers are left`)
    this.#checkRequests()
  }

  /** Bounded by what went wrong and by the time of the outages, and not one of them without a pause. */
  #checkRequests(): void {
    const { reasons, requests, hasty } = this.#api
    const lives = this.#lives.length
    const { count, time } = this.#outages
    const free = count === 0 ? 0 : outageRequests.first * (count + lives) + (outageRequests.perSecond * time) / 1_000
    const made = (kind: string): number => requests.filter((each) => each === kind).length
    const most = {
      list: lives + reasons.list + free,
      'next page': (mostPages - 1) * made('list') + reasons.list + free,
      watch: lives + reasons.list + reasons.watch + free,
    }
    for (const [kind, limit] of Object.entries(most)) {
      if (made(kind) > limit) this.violations.push(`${made(kind)} times ${kind}, where ${limit} would do`)
    }
    if (hasty >= Math.max(lives, 1)) this.violations.push(`${hasty} requests without a pause after a failure`)
  }
}

/** What was wrong, and which faults took effect. */
async function play(schedule: Schedule): Promise<Pick<Scenario, 'violations'> & Pick<ScriptedApi, 'effects'>> {
  const clock = new QuietClock()
  const api = new ScriptedApi(clock, schedule.expired)
  const scenario = new Scenario(clock, api, new RotatingConnection(await api.listen()))
  try {
    await scenario.play(schedule)
  } finally {
    api.close()
  }
  return { violations: scenario.violations, effects: api.effects }
}

function dayOf(...steps: Step[]): [Schedule] {
  return [{ present: ['a'], begin: 'synced', steps, end: 'stop first', expired: '410' }]
}

const worstDays = [
  // the only trace of a change is spoilt
  dayOf({ do: 'break', how: 'malformed' }, { do: 'put', name: 'a' }),
  // no credentials are accepted, however often they are replaced
  dayOf({ do: 'outage', fault: '401' }, { do: 'break', how: 'error-410' }, { do: 'wait', by: 5_000 }),
  // a stop while a list goes unanswered
  dayOf(
    { do: 'fault', fault: 'held', on: 'any' },
    { do: 'break', how: 'error-410' },
    { do: 'wait', by: 1_000 },
    { do: 'act', action: 'stop' },
    { do: 'wait', by: 0 },
  ),
]

describe('the reflector on a real connection, under any schedule of changes, faults, starts and stops', () => {
  const effects = new Map<string, number>()
  const unhandled: unknown[] = []
  const note = (reason: unknown): unknown => unhandled.push(reason)

  before(() => process.on('unhandledRejection', note))
  after(() => process.off('unhandledRejection', note))

  it('loses nothing, comes to agree with the server, is silent after its stop and leaves nothing open', async () => {
    await fc.assert(
      fc.asyncProperty(anySchedule, async (schedule) => {
        const played = await play(schedule)
        for (const [effect, count] of played.effects) effects.set(effect, (effects.get(effect) ?? 0) + count)
        expect(played.violations.join('\n')).to.equal('')
        expect(unhandled.splice(0).map(String), 'unhandled rejections').to.deep.equal([])
      }),
      { seed: 20_261_121, numRuns: 100, examples: worstDays },
    )
  }).timeout(60_000)

  it('did so under every fault, on lists, on their next pages and on watches', () => {
    const refusals = faults.filter((fault) => fault !== 'overtaken' && fault !== 'hang-up')
    const kinds = ['list', 'next page', 'watch'].flatMap((kind) => refusals.map((fault) => `${kind}: ${fault}`))
    const others = ['hang-up', 'compaction', ...breakages].map((how) => `watch: ${how}`)
    const missing = [...kinds, ...others, 'next page: compaction'].filter((effect) => !effects.has(effect))
    expect(missing).to.deep.equal([])
  })
})
