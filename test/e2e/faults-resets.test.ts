import { setTimeout as delay } from 'node:timers/promises'

import { expect } from 'chai'

import { Unreachable } from '../../src/cluster/errors.ts'
import { configMaps, FaultScene, mostWatchesInASecond } from '../support/fault-scene.ts'
import { heapInUse } from '../support/own-process.ts'
import { mostInASecond, type SeenRequest } from '../support/seen-request.ts'
import { controlPlane } from '../support/shared-control-plane.ts'

const minute = 60_000

/** What came of calls that were made one after the other. */
interface Tally {
  /** What kinds of errors there were: the errors themselves would weigh upon the heap. */
  readonly failures: string[]
  made: number
}

/** Calls, with a pause after each, until the signal. */
async function keepCalling(end: AbortSignal, call: (n: number) => Promise<unknown>): Promise<Tally> {
  const tally: Tally = { failures: [], made: 0 }
  while (!end.aborted) {
    tally.made += 1
    await call(tally.made).catch((error: Error) => tally.failures.push(error.constructor.name))
    await delay(10)
  }
  return tally
}

describe('a minute in which every connection is reset each 100 ms', function () {
  this.timeout(3 * minute)

  const readers = 4
  let scene: FaultScene
  let reads: readonly Tally[]
  let writes: Tally
  let heapPerRequest: number
  let resets: number
  let proxied: readonly SeenRequest[]

  before(async () => {
    scene = await FaultScene.set({ controlPlane: controlPlane() })
    await scene.start()
    const { client, namespace, proxy, churn } = scene
    const end = AbortSignal.timeout(minute)
    const read = (n: number): Promise<unknown> => client.get(configMaps, { namespace, name: `churned-${n % 20}` })
    const write = (n: number): Promise<unknown> =>
      client.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: `written-${n}` } })

    const quiet = proxy.link.resetEvery(100)
    const running = [
      Promise.all(Array.from({ length: readers }, () => keepCalling(end, read))),
      keepCalling(end, write),
      churn.writeUntil(end, 10),
    ] as const
    await delay(minute / 4)
    const early = { heap: heapInUse(), requests: proxy.requests.length }
    const [allReads, allWrites] = await Promise.all(running)
    heapPerRequest = (heapInUse() - early.heap) / (proxy.requests.length - early.requests)
    reads = allReads
    writes = allWrites
    quiet()
    resets = proxy.link.resets
    proxied = [...proxy.requests]
    await scene.caughtUp()
  })
  after(() => scene.end())

  const requests = (verb: SeenRequest['verb']): readonly SeenRequest[] =>
    proxied.filter((request) => request.verb === verb && request.path.includes(scene.namespace))

  it('did take place', () => {
    expect(resets, 'resets').to.be.above(200)
    expect(scene.restarts, 'watches that were broken').to.be.above(50)
    expect(scene.ledger.changes, 'changes').to.be.above(500)
  })

  it('loses no event, not even one of those in between, and lists nothing again', () => {
    expect(scene.faults('every')).to.deep.equal([])
    expect(requests('list')).to.have.length(1)
  })

  it('lets reads through, by trying them again', () => {
    const made = reads.reduce((sum, tally) => sum + tally.made, 0)
    const failures = reads.flatMap((tally) => tally.failures)
    for (const failure of failures) expect(failure).to.equal(Unreachable.name)
    expect(made, 'reads').to.be.above(500)
    expect(failures.length, 'failed reads').to.be.below(made / 20)
    // one of a reader's attempts at most falls to each reset
    expect(requests('get').length, 'attempts').to.be.within(made - failures.length, made + readers * resets)
  })

  it('lets a write through or says that nobody knows, and never repeats it', () => {
    for (const failure of writes.failures) expect(failure).to.equal(Unreachable.name)
    expect(writes.failures.length, 'failed writes').to.be.within(1, writes.made - 1)
    const succeeded = writes.made - writes.failures.length
    expect(requests('write').length, 'attempts').to.be.within(succeeded, writes.made)
    const written = [...scene.ledger.fold().keys()].filter((name) => name.startsWith('written-'))
    expect(written.length, 'objects').to.be.within(succeeded, writes.made)
  })

  it('is answered with no more watches than the back-off allows', () => {
    expect(mostInASecond(requests('watch'))).to.be.within(1, mostWatchesInASecond)
    // each watch but the last was ended by a reset
    expect(requests('watch').length).to.be.at.most(resets + 1)
  })

  it('keeps nothing of a request but what this test itself takes down', () => {
    expect(heapPerRequest, 'bytes of heap more after 45 s, for each request').to.be.below(1_000)
  })
})
