import { join } from 'node:path'

import { pathOf, type ResourceType } from '../src/cluster/resources.ts'
import type { KubeObject } from '../test/support/admin-api.ts'
import type { ControlPlane } from '../test/support/control-plane.ts'
import { runAlone, type Benchmark } from './support/benchmark.ts'
import { withControlPlane } from './support/control-plane.ts'
import { deployment } from './support/deployments.ts'
import { measurement, type Measurement } from './support/measurement.ts'
import { startPeer } from './support/peer.ts'
import { median } from './support/percentile.ts'
import { progress } from './support/progress.ts'
import { sideBySide } from './support/side-by-side.ts'
import type { SyncAnswer, SyncQuestion } from './support/sync-peer.ts'

const count = 20_000
const rounds = 3
const writers = 32

export const sync: Benchmark = {
  name: 'sync',
  description: `How long a cache of ${count.toLocaleString('en-US')} objects takes to fill, and what it holds.

sync/KIND         from the start of a Reflector to its hasSynced: ConfigMaps of 1 KB, Pods of two containers.
sync/raw-KIND     the same pages of 500 by undici on one connection, parsed and kept as they are.
*-heap            bytes of heap per object, after a collection. The reflector strips managedFields, the raw list keeps them.

Each in a process of its own, so that it starts cold as an operator does; ${rounds} rounds in turns, medians.
Goal: at most 1.5 times the time of the raw list, and no more heap per object.`,
  measure: () => withControlPlane(measure),
}

interface Kind {
  readonly name: string
  readonly type: ResourceType
  object(namespace: string, index: number): KubeObject
}

const kinds: readonly Kind[] = [
  {
    name: 'configmaps',
    type: { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true },
    object: (_, index) => ({ metadata: { name: `settings-${index}` }, data: { settings: 'x'.repeat(1024) } }),
  },
  {
    name: 'pods',
    type: { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true },
    object: (namespace, index) => podOf(deployment(namespace, 'default', 'passing'), index),
  },
]

async function measure(controlPlane: ControlPlane): Promise<readonly Measurement[]> {
  const kubeconfig = await controlPlane.kubeconfigFor({ user: 'bench', groups: ['system:masters'] })
  const measured: Measurement[] = []
  for (const kind of kinds) {
    const namespace = await controlPlane.namespace()
    await fill(controlPlane, kind, namespace)
    progress(`${rounds} rounds`)
    const question = { kubeconfig, type: kind.type, namespace }
    const samples: Record<SyncQuestion['by'], SyncAnswer[]> = { reflector: [], raw: [] }
    for (let round = 0; round < rounds; round++) {
      for (const by of ['reflector', 'raw'] as const) samples[by].push(await ask({ ...question, by }))
    }
    measured.push(...summarize(kind, samples))
  }
  return measured
}

async function fill({ admin }: ControlPlane, kind: Kind, namespace: string): Promise<void> {
  progress(`creating ${count} ${kind.name}`)
  const path = pathOf(kind.type, namespace)
  await sideBySide(Array.from({ length: count }), writers, (_, index) =>
    admin.create(path, kind.object(namespace, index)),
  )
}

function podOf({ spec }: KubeObject, index: number): KubeObject {
  const { metadata, spec: podSpec } = spec.template as KubeObject
  return { metadata: { ...metadata, name: `api-${index}` }, spec: podSpec }
}

async function ask(question: SyncQuestion): Promise<SyncAnswer> {
  const peer = startPeer<SyncQuestion, SyncAnswer>(join(import.meta.dirname, 'support/sync-peer.ts'))
  try {
    const answer = await peer.ask(question)
    if (answer.objects < count) throw new Error(`only ${answer.objects} objects were there (${question.by})`)
    return answer
  } finally {
    await peer.stop()
  }
}

const timeGoal = { of: 'ratio', is: '≤', bound: 1.5 } as const
const heapGoal = { of: 'ratio', is: '≤', bound: 1 } as const

function summarize(
  { name }: Kind,
  samples: Readonly<Record<SyncQuestion['by'], readonly SyncAnswer[]>>,
): readonly Measurement[] {
  const of = (by: SyncQuestion['by'], read: (answer: SyncAnswer) => number): number => median(samples[by].map(read))
  const rawTime = measurement(
    `sync/raw-${name}`,
    of('raw', ({ millis }) => millis),
    'ms',
  )
  const rawHeap = measurement(
    `sync/raw-${name}-heap`,
    of('raw', ({ heapBytes }) => heapBytes),
    'B',
  )
  return [
    measurement(
      `sync/${name}`,
      of('reflector', ({ millis }) => millis),
      'ms',
      { against: rawTime, goal: timeGoal },
    ),
    measurement(
      `sync/${name}-heap`,
      of('reflector', ({ heapBytes }) => heapBytes),
      'B',
      { against: rawHeap, goal: heapGoal },
    ),
    rawTime,
    rawHeap,
  ]
}

if (import.meta.main) process.exitCode = await runAlone(sync)
