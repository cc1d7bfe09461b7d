import { expect } from 'chai'
import { EventEmitter } from 'node:events'
import { silentLog } from '../../src/runtime/log.ts'
import { type ProcessSignals, Shutdown } from '../../src/runtime/shutdown.ts'
import { FakeClock } from '../support/fake-clock.ts'

describe('the shutdown', () => {
  let clock: FakeClock
  let signals: EventEmitter
  let exits: number[]
  let happened: string[]
  let shutdown: Shutdown

  beforeEach(() => {
    clock = new FakeClock()
    signals = new EventEmitter()
    signals.on('SIGTERM', () => happened.push('ended by whoever listened before'))
    exits = []
    happened = []
    const fake: ProcessSignals = {
      on: (signal, listener) => signals.on(signal, listener),
      removeAllListeners: (signal) => signals.removeAllListeners(signal),
      exit: (code) => void exits.push(code),
    }
    shutdown = new Shutdown({ grace: 10_000, clock, log: silentLog, process: fake })
    shutdown.listen()
  })

  function step(name: string, takes: number): void {
    shutdown.add(name, async () => {
      happened.push(`${name} begins`)
      await new Promise<void>((resolve) => void clock.after(takes, resolve))
      happened.push(`${name} ends`)
    })
  }

  for (const signal of ['SIGTERM', 'SIGINT']) {
    it(`runs its steps one after the other on ${signal} and exits with 0`, async () => {
      step('webhook', 100)
      step('queue', 50)
      signals.emit(signal)
      expect(shutdown.requested).to.equal(true)
      await clock.advance(1_000)
      expect(happened).to.deep.equal(['webhook begins', 'webhook ends', 'queue begins', 'queue ends'])
      expect(exits).to.deep.equal([0])
      expect(clock.pending, 'timers left').to.equal(0)
    })
  }

  it('exits at once on a second signal', async () => {
    step('slow', 5_000)
    signals.emit('SIGTERM')
    await clock.advance(10)
    signals.emit('SIGTERM')
    expect(exits).to.deep.equal([143])
    signals.emit('SIGINT')
    expect(exits).to.deep.equal([143, 130])
  })

  it('exits with 1 when the grace is over', async () => {
    step('endless', Infinity)
    signals.emit('SIGTERM')
    await clock.advance(9_999)
    expect(exits).to.be.empty
    await clock.advance(1)
    expect(exits).to.deep.equal([1])
  })

  it('runs the next step after one that fails, and exits with 1', async () => {
    shutdown.add('broken', () => {
      throw new Error('a defect')
    })
    step('queue', 0)
    signals.emit('SIGTERM')
    await clock.advance(10)
    expect(happened).to.deep.equal(['queue begins', 'queue ends'])
    expect(exits).to.deep.equal([1])
  })

  it('can be asked for by the process itself, with a code of its own, once', async () => {
    step('queue', 10)
    void shutdown.end('the lease is lost', 4)
    void shutdown.end('again', 5)
    await clock.advance(100)
    expect(happened).to.deep.equal(['queue begins', 'queue ends'])
    expect(exits).to.deep.equal([4])
  })

  it('waits for a step no longer than for its own time, and goes on with the next', async () => {
    shutdown.add('hangs', () => new Promise(() => {}), 3_000)
    step('lease', 10)
    signals.emit('SIGTERM')
    await clock.advance(2_999)
    expect(happened).to.deep.equal([])
    await clock.advance(100)
    expect(happened).to.deep.equal(['lease begins', 'lease ends'])
    expect(exits).to.deep.equal([1])
  })
})
