import { expect } from 'chai'
import * as fc from 'fast-check'
import type { Millis } from '../../src/core/time.ts'
import { Elector, type ElectorOptions } from '../../src/runtime/elector.ts'
import type { LeaseRecord, LeaseStore, StoredLease } from '../../src/runtime/lease-record.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { FakeClock } from '../support/fake-clock.ts'

const hour = 3_600_000
const times = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 } as const

type Fault = 'none' | 'unanswered' | 'refused' | 'slow'

/** One record in memory. Unanswered: it is done and the caller never hears of it; refused: it is not done. */
class MemoryLease {
  stored: StoredLease | null = null
  writes = 0
  /** What others do right before a write. */
  beforeWrite: () => void = () => {}
  #versions = 0

  put(record: LeaseRecord): void {
    this.stored = { record, version: String(++this.#versions) }
  }

  /** As one candidate sees it, over his own line to it. */
  seenBy(clock: FakeClock, line: { fault: Fault }): LeaseStore {
    const answer = async <T>(act: () => T, timeout: Millis): Promise<T> => {
      const { fault } = line
      if (fault === 'refused') throw new Error('connection refused')
      const value = act()
      if (fault === 'slow') await wait(clock, 1_000)
      if (fault === 'unanswered') {
        await wait(clock, timeout)
        throw new Error('no answer')
      }
      return value
    }
    return {
      read: (timeout) => answer(() => this.stored, timeout),
      write: (record, over, timeout) =>
        answer(() => {
          this.beforeWrite()
          if ((this.stored?.version ?? null) !== over) return null
          this.writes += 1
          this.put(record)
          return this.stored
        }, timeout),
    }
  }
}

function wait(clock: FakeClock, time: Millis): Promise<void> {
  return new Promise((resolve) => clock.after(time, resolve))
}

/** What is on record before a look and after it. */
interface Foretime {
  readonly before: LeaseRecord | null
  readonly after: readonly LeaseRecord[]
  readonly fault?: Fault
}

interface Candidate {
  readonly elector: Elector
  readonly line: { fault: Fault }
  /** Why it holds no more. */
  readonly lost: string[]
  elected: boolean
}

describe('an elector', () => {
  let clock: FakeClock
  let lease: MemoryLease
  const running: Elector[] = []

  beforeEach(() => {
    clock = new FakeClock()
    lease = new MemoryLease()
  })
  afterEach(() => {
    for (const elector of running.splice(0)) void elector.release()
  })

  function candidate(identity: string, options: Partial<ElectorOptions> & { readonly on?: FakeClock } = {}): Candidate {
    const made = idle(identity, options)
    made.elector.start()
    return made
  }

  /** Not started yet. */
  function idle(identity: string, options: Partial<ElectorOptions> & { readonly on?: FakeClock } = {}): Candidate {
    const { on = clock, ...others } = options
    const line: { fault: Fault } = { fault: 'none' }
    const lost: string[] = []
    const elector = new Elector({
      store: lease.seenBy(on, line),
      identity,
      ...times,
      clock: on,
      log: silentLog,
      random: () => 0.5,
      onLost: (reason) => lost.push(reason),
      ...others,
    })
    const made: Candidate = { elector, line, lost, elected: false }
    void elector.whenElected().then(() => (made.elected = true))
    running.push(elector)
    return made
  }

  it('takes a lease that nobody holds, and says who, since when and for how long', async () => {
    const { elector } = candidate('a')
    await clock.advance(0)
    expect(elector.leads).to.equal(true)
    const now = clock.now()
    expect(lease.stored?.record).to.deep.equal({
      holder: 'a',
      duration: 15_000,
      acquired: now,
      renewed: now,
      transitions: 0,
    })
  })

  describe('that has looked before it began', () => {
    const record = { duration: 15_000, acquired: 0, renewed: 0, transitions: 3 }
    const released = { ...record, holder: '' }
    const held = { ...record, holder: 'b' }

    async function tookFree({ before, after, fault = 'none' }: Foretime): Promise<boolean> {
      if (before !== null) lease.put(before)
      const { elector, line } = idle('a')
      line.fault = fault
      const look = elector.look()
      await clock.advance(hour)
      await look
      line.fault = 'none'
      for (const put of after) lease.put(put)
      elector.start()
      await clock.advance(20_000)
      expect(elector.leads).to.equal(true)
      return elector.wasFree
    }

    it('knows that nobody has led since, when it takes what it found given back', async () => {
      expect(await tookFree({ before: released, after: [] })).to.equal(true)
    })

    const others: readonly (Foretime & { readonly what: string })[] = [
      { what: 'somebody held it then', before: held, after: [released] },
      { what: 'somebody held it meanwhile', before: released, after: [held, released] },
      { what: 'somebody holds it without a renewal', before: released, after: [held] },
      { what: 'there was none', before: null, after: [] },
      { what: 'it was its own', before: { ...record, holder: 'a' }, after: [] },
      { what: 'nothing could be seen', before: released, after: [], fault: 'refused' },
      { what: 'nothing was answered', before: released, after: [], fault: 'unanswered' },
    ]
    for (const { what, ...foretime } of others)
      it(`does not know it when ${what}`, async () => {
        expect(await tookFree(foretime)).to.equal(false)
      })
  })

  it('renews every two seconds, and keeps since when it holds', async () => {
    const { elector } = candidate('a')
    await clock.advance(0)
    const acquired = clock.now()
    await clock.advance(60_000)
    expect(elector.leads).to.equal(true)
    expect(lease.writes).to.equal(31)
    expect(lease.stored?.record).to.include({ acquired, renewed: clock.now(), transitions: 0 })
  })

  it('leaves a lease alone that another renews', async () => {
    candidate('a')
    await clock.advance(0)
    const b = candidate('b')
    await clock.advance(10 * 60_000)
    expect(b.elector.leads).to.equal(false)
    expect(b.elected).to.equal(false)
  })

  it('leads in the order in which it was written when two find it free at once', async () => {
    const both = [candidate('a'), candidate('b')]
    await clock.advance(0)
    expect(both.map(({ elector }) => elector.leads)).to.deep.equal([true, false])
  })

  it('takes over what was not renewed for the time of the lease, counted from when it first saw it so', async () => {
    lease.put({ holder: 'gone', duration: 15_000, acquired: 0, renewed: 0, transitions: 3 })
    const b = candidate('b')
    await clock.advance(14_999)
    expect(b.elector.leads, 'however old the times on the record are').to.equal(false)
    await clock.advance(2_001)
    expect(b.elector.leads).to.equal(true)
    expect(lease.stored?.record).to.include({ holder: 'b', transitions: 4 })
  })

  it('waits as long as the record says when the holder asked for more time than itself would', async () => {
    lease.put({ holder: 'patient', duration: 60_000, acquired: 0, renewed: 0, transitions: 0 })
    const b = candidate('b')
    await clock.advance(59_000)
    expect(b.elector.leads).to.equal(false)
    await clock.advance(3_000)
    expect(b.elector.leads).to.equal(true)
  })

  it('goes on at once with what it held before a restart', async () => {
    lease.put({ holder: 'a', duration: 15_000, acquired: 0, renewed: 0, transitions: 3 })
    const { elector } = candidate('a')
    await clock.advance(0)
    expect(elector.leads).to.equal(true)
    expect(lease.stored?.record.transitions).to.equal(3)
  })

  it('gives the lease back at its release, and another takes it as soon as it looks', async () => {
    const a = candidate('a')
    await clock.advance(0)
    const b = candidate('b')
    await clock.advance(100)
    void a.elector.release()
    expect(a.elector.leads, 'before it is given back').to.equal(false)
    await clock.advance(0)
    expect(lease.stored?.record.holder).to.equal('')
    b.elector.wake()
    await clock.advance(0)
    expect(b.elector.leads).to.equal(true)
    expect(a.lost).to.deep.equal([])
  })

  it('gives back what a renewal without an answer has left on record', async () => {
    const a = candidate('a')
    await clock.advance(0)
    a.line.fault = 'unanswered'
    await clock.advance(2_100)
    a.line.fault = 'none'
    const released = a.elector.release()
    await clock.advance(5_000)
    await released
    expect(lease.stored?.record.holder).to.equal('')
  })

  it('gives back what it was about to take when it is told to end', async () => {
    const a = candidate('a')
    a.line.fault = 'slow'
    await clock.advance(500)
    expect(lease.stored?.record.holder, 'although it has not heard of it').to.equal('a')
    const released = a.elector.release()
    await clock.advance(3_000)
    await released
    expect(lease.stored?.record.holder).to.equal('')
    expect(a.elected).to.equal(false)
  })

  it('gives back what it took without hearing of it', async () => {
    const a = candidate('a')
    a.line.fault = 'unanswered'
    await clock.advance(4_000)
    a.line.fault = 'none'
    const released = a.elector.release()
    await clock.advance(1_000)
    await released
    expect(lease.stored?.record.holder).to.equal('')
  })

  it('gives nothing back that is somebody else’s', async () => {
    const a = candidate('a')
    await clock.advance(0)
    lease.put({ holder: 'b', duration: 15_000, acquired: 0, renewed: 0, transitions: 1 })
    await a.elector.release()
    expect(lease.stored?.record.holder).to.equal('b')
  })

  it('writes nothing when it is released as a candidate', async () => {
    candidate('a')
    await clock.advance(0)
    const b = candidate('b')
    await clock.advance(100)
    await b.elector.release()
    expect(lease.stored?.record.holder).to.equal('a')
    expect(clock.pending, 'only the holder’s next renewal and its deadline').to.equal(2)
  })

  it('holds on when an answer is lost but the renewal took place', async () => {
    const a = candidate('a')
    await clock.advance(1_000)
    a.line.fault = 'unanswered'
    await clock.advance(1_500)
    a.line.fault = 'none'
    await clock.advance(60_000)
    expect(a.elector.leads).to.equal(true)
    expect(a.lost).to.deep.equal([])
  })

  for (const fault of ['refused', 'unanswered'] as const)
    it(`survives one renewal that is ${fault}, also with the longest period that is allowed`, async () => {
      const a = candidate('a', { retryPeriod: 3_333 })
      await clock.advance(1_000)
      a.line.fault = fault
      await clock.advance(3_000) // one renewal begins
      a.line.fault = 'slow'
      await clock.advance(30_000)
      expect(a.lost).to.deep.equal([])
      expect(a.elector.leads).to.equal(true)
    })

  it('does not write without a pause when others write all the time', async () => {
    const a = candidate('a')
    await clock.advance(1_000)
    let writes = 0
    lease.beforeWrite = () => {
      writes += 1
      lease.put({ ...lease.stored!.record })
    }
    await clock.advance(8_999)
    expect(writes, 'in four renewals').to.equal(16)
    expect(a.lost).to.deep.equal([])
    await clock.advance(1)
    expect(a.lost).to.deep.equal(['it was not renewed in time'])
  })

  it('is in touch as long as it leads, or has heard of the lease within its time', async () => {
    const a = candidate('a')
    const b = candidate('b')
    expect(b.elector.isInTouch, 'before the first answer').to.equal(false)
    await clock.advance(60_000)
    expect([a.elector.isInTouch, b.elector.isInTouch]).to.deep.equal([true, true])
    b.line.fault = 'refused'
    await clock.advance(12_000)
    expect(b.elector.isInTouch).to.equal(true)
    await clock.advance(5_000)
    expect(b.elector.isInTouch).to.equal(false)
  })

  it('makes the lease again when somebody deleted it', async () => {
    const a = candidate('a')
    await clock.advance(1_000)
    lease.stored = null
    await clock.advance(1_500)
    expect(a.elector.leads).to.equal(true)
    expect(lease.stored).to.deep.include({ record: { ...lease.stored!.record, holder: 'a' } })
  })

  it('is over as soon as it sees another on the record', async () => {
    const a = candidate('a')
    await clock.advance(1_000)
    lease.put({ holder: 'b', duration: 15_000, acquired: 0, renewed: 0, transitions: 1 })
    await clock.advance(1_001)
    expect(a.lost).to.deep.equal(['it is held by b'])
    await clock.advance(hour)
    expect(lease.stored?.record.holder).to.equal('b')
  })

  it('is over ten seconds after it sent its last renewal that was answered', async () => {
    const a = candidate('a')
    await clock.advance(4_000)
    a.line.fault = 'refused'
    await clock.advance(9_999)
    expect([a.elector.leads, a.lost.length]).to.deep.equal([true, 0])
    await clock.advance(1)
    expect(a.elector.leads).to.equal(false)
    expect(a.lost).to.deep.equal(['it was not renewed in time'])
    a.line.fault = 'none'
    await clock.advance(hour)
    expect(a.elector.leads, 'for good').to.equal(false)
  })

  it('counts a renewal from when it was sent, not from its answer', async () => {
    const a = candidate('a')
    await clock.advance(0)
    a.line.fault = 'slow'
    await clock.advance(3_000) // sent at 2,000, answered at 3,000
    a.line.fault = 'refused'
    await clock.advance(8_999)
    expect(a.elector.leads).to.equal(true)
    await clock.advance(1)
    expect(a.elector.leads).to.equal(false)
  })

  it('counts what it took from when it was asked for', async () => {
    const a = candidate('a')
    a.line.fault = 'slow' // the read has been answered, the write takes a second
    await clock.advance(999)
    expect(a.elector.leads).to.equal(false)
    await clock.advance(1)
    expect(a.elector.leads).to.equal(true)
    a.line.fault = 'refused'
    await clock.advance(8_999)
    expect(a.elector.leads).to.equal(true)
    await clock.advance(1)
    expect(a.elector.leads).to.equal(false)
  })

  it('is over before anything else can run when nothing ran for longer than the deadline', async () => {
    const a = candidate('a')
    await clock.advance(1_000)
    clock.block(10_000)
    expect(a.elector.leads, 'although no timer has fired').to.equal(false)
    expect(a.lost).to.deep.equal([])
    await clock.advance(0)
    expect(a.lost).to.deep.equal(['it was not renewed in time'])
  })

  it('is over when the wall clock says so: the machine may have slept', async () => {
    const a = candidate('a')
    await clock.advance(1_000)
    clock.jump(11_000)
    expect(a.elector.leads).to.equal(false)
    await clock.advance(2_000)
    expect(a.lost).to.deep.equal(['it was not renewed in time'])
  })

  it('holds no longer for a wall clock that is set back', async () => {
    const a = candidate('a')
    await clock.advance(4_000)
    clock.jump(-hour)
    clock.block(10_000)
    expect(a.elector.leads).to.equal(false)
  })

  it('takes nothing over sooner for a wall clock that is set forward', async () => {
    lease.put({ holder: 'gone', duration: 15_000, acquired: 0, renewed: 0, transitions: 0 })
    const b = candidate('b')
    await clock.advance(2_000)
    clock.jump(hour)
    await clock.advance(12_000)
    expect(b.elector.leads).to.equal(false)
  })

  it('leaves no timer behind when it is over', async () => {
    const a = candidate('a')
    await clock.advance(4_000)
    await a.elector.release()
    expect(clock.pending).to.equal(0)
  })

  it('never leads beside another, whatever fails and whichever clock is wrong', async () => {
    const steps = fc.array(
      fc.record({
        who: fc.nat(2),
        what: fc.constantFrom<Fault | 'jump' | 'back' | 'block' | 'release'>(
          ...(['none', 'none', 'unanswered', 'refused', 'slow', 'jump', 'back', 'block', 'release'] as const),
        ),
        during: fc.integer({ min: 1, max: 25_000 }),
      }),
      { maxLength: 25 },
    )
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        lease = new MemoryLease()
        const clocks = [0, hour, -hour].map((off) => new FakeClock(Date.UTC(2026, 0, 1) + off))
        const all = clocks.map((on, index) => candidate(`c${index}`, { on }))
        for (const { who, what, during } of script) {
          const one = all[who]!
          const on = clocks[who]!
          if (what === 'jump') on.jump(20_000)
          else if (what === 'back') on.jump(-20_000)
          else if (what === 'release') void one.elector.release()
          else if (what !== 'block') one.line.fault = what
          for (let rest = during; rest > 0; rest -= 500) {
            // a candidate whose process is stopped has a clock that goes on and nothing that runs
            for (const each of clocks) {
              if (what === 'block' && each === on) each.block(Math.min(500, rest))
              else await each.advance(Math.min(500, rest))
            }
            const leading = all.filter(({ elector }) => elector.leads)
            if (leading.length > 1) throw new Error('two lead at once')
          }
        }
      }),
      { numRuns: 60, seed: 4 },
    )
  })
})
