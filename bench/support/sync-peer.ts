import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { loadConnection } from '../../src/cluster/connection.ts'
import { Reflector } from '../../src/cluster/reflector.ts'
import { pathOf, type ResourceType } from '../../src/cluster/resources.ts'
import { Transport } from '../../src/cluster/transport.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { answerPeer } from './peer.ts'
import { connectRaw } from './raw-client.ts'

export interface SyncQuestion {
  readonly by: 'reflector' | 'raw'
  readonly kubeconfig: string
  readonly type: ResourceType
  readonly namespace: string
}

export interface SyncAnswer {
  /** How many objects there were. */
  readonly objects: number
  /** Until the last of them was there. */
  readonly millis: number
  /** Of the heap, what was there after a collection and not before, per object. */
  readonly heapBytes: number
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** One question for each process: the heap and the compiled code of another one would be in the figures. */
async function sync(question: SyncQuestion): Promise<SyncAnswer> {
  const load = question.by === 'reflector' ? await reflector(question) : await rawList(question)
  const before = heapInUse()
  const start = performance.now()
  const kept = await load()
  const millis = performance.now() - start
  const heapBytes = heapInUse() - before
  return { objects: kept.length, millis, heapBytes: heapBytes / kept.length }
}

function heapInUse(): number {
  collect()
  return process.memoryUsage().heapUsed
}

type Load = () => Promise<readonly unknown[]>

async function reflector({ kubeconfig, type, namespace }: SyncQuestion): Promise<Load> {
  const clock = systemClock
  const connection = await loadConnection({ kubeconfig, clock })
  const transport = new Transport({ connection, clock, random: Math.random, userAgent: 'bench' })
  const cache = new Reflector({ type, namespace, transport, clock, random: Math.random, log: silentLog })
  return async () => {
    cache.start()
    await cache.whenSynced()
    return cache.list()
  }
}

/** The same pages, parsed and kept as they are. */
async function rawList({ kubeconfig, type, namespace }: SyncQuestion): Promise<Load> {
  const client = await connectRaw(kubeconfig, 1)
  return async () => {
    const kept: unknown[] = []
    for (let next: string | undefined = ''; next !== undefined;) {
      const position = next === '' ? '' : `&continue=${encodeURIComponent(next)}`
      const page = (await client.request('GET', `${pathOf(type, namespace)}?limit=500${position}`)) as Page
      kept.push(...page.items)
      next = page.metadata.continue
    }
    return kept
  }
}

interface Page {
  readonly items: readonly unknown[]
  readonly metadata: { readonly continue?: string }
}

answerPeer(sync)
