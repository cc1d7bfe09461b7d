import { expect } from 'chai'
import type { Millis } from '../../src/core/time.ts'
import { ClockWatch } from '../../src/runtime/clock-watch.ts'
import type { Log } from '../../src/runtime/log.ts'
import { TrustedClock } from '../../src/runtime/trusted-clock.ts'
import { FakeClock } from '../support/fake-clock.ts'

const second = 1_000
const hour = 3_600_000

describe('the watch over the clocks', () => {
  let machine: FakeClock
  let watch: ClockWatch
  let changes: (Millis | null)[]
  let logged: string[]

  beforeEach(() => {
    machine = new FakeClock()
    changes = []
    logged = []
    const note = (message: string): unknown => logged.push(message)
    const log: Log = { error: note, warn: note, info: note, debug: note }
    const clock = new TrustedClock(machine)
    clock.heard({ date: machine.now(), sent: machine.monotonic(), received: machine.monotonic() })
    watch = new ClockWatch({ clock, log, onChange: (disagreement) => void changes.push(disagreement) })
  })

  it('says once that they differ, and once that they agree again', async () => {
    watch.start()
    machine.jump(-hour)
    await machine.advance(30 * second)
    machine.jump(hour)
    await machine.advance(30 * second)
    expect(changes).to.deep.equal([hour, null])
    expect(logged).to.deep.equal(['clocks disagree', 'clocks agree again'])
  })

  it('says nothing of five seconds', async () => {
    watch.start()
    machine.jump(-5 * second)
    await machine.advance(30 * second)
    expect(changes).to.deep.equal([])
  })

  it('says what it finds at its start, and nothing once it is stopped', async () => {
    machine.jump(-hour)
    watch.start()
    watch.stop()
    machine.jump(hour)
    await machine.advance(30 * second)
    expect(changes).to.deep.equal([hour])
  })
})
