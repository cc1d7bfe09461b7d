import { setTimeout as delay } from 'node:timers/promises'

import { ApiError, type AdminApi } from '../test/support/admin-api.ts'
import { eventually } from '../test/support/eventually.ts'
import { isAllowed, untilAnswer, type Subject } from './support/access-probe.ts'
import { runAlone, type Benchmark } from './support/benchmark.ts'
import { grantInState, grantsPath, grantSpec } from './support/grants.ts'
import { createSubjects, withLapse, type LapseCluster } from './support/lapse-cluster.ts'
import { measurement, type Measurement } from './support/measurement.ts'
import { median } from './support/percentile.ts'
import { progress } from './support/progress.ts'

const rounds = 5
/** Rounds that may be repeated: on a busy machine the API server can be away for longer than the lease lasts. */
const repeats = 3
/** From the kill of the API server to its new start, which takes some seconds itself. The controller's lease outlives both. */
const pause = 1_000
/** How long the grant lasts whose end falls into the outage. */
const lifetime = 1_500

export const recovery: Benchmark = {
  name: 'recovery',
  description: `How soon Lapse works again after an outage of the API server.

kube-apiserver is killed with controller and webhook running and started again ${pause / 1000} s later. Counted from its /readyz:

recovery/issued-*  until the first yes to a grant that is created right then: webhook asked, watch back, decided, bound.
recovery/ended-*   until the first no to a grant whose end fell into the outage.
recovery/outage    how long that was: from the kill to /readyz.

${rounds} rounds, each with grants of its own; one in which the controller lost its lease, and so ended, is repeated.
Goal: at most 2,000 ms, each of them.`,
  measure: () => withLapse(measure),
}

/** Milliseconds; `issued` and `ended` after /readyz. */
interface Sample {
  readonly outage: number
  readonly issued: number
  readonly ended: number
}

async function measure(cluster: LapseCluster): Promise<readonly Measurement[]> {
  const samples: Sample[] = []
  for (let round = 1; samples.length < rounds; round++) {
    if (round > rounds + repeats)
      throw new Error('the controller keeps losing its lease in outages that are meant to be short')
    progress(`outage ${samples.length + 1} of ${rounds}`)
    const sample = await tryRound(cluster, round)
    if (sample === null) await startAgain(cluster, round)
    else samples.push(sample)
  }
  const of = (field: keyof Sample): readonly number[] => samples.map((sample) => sample[field])
  return [
    ...spread('recovery/issued', of('issued')),
    ...spread('recovery/ended', of('ended')),
    measurement('recovery/outage', median(of('outage')), 'ms'),
  ]
}

/** null: the controller ended. */
async function tryRound(cluster: LapseCluster, round: number): Promise<Sample | null> {
  let hasEnded = false
  void cluster.lapse.controller.exited.then(() => (hasEnded = true))
  return breakOnce(cluster, round).catch((error: unknown) => {
    if (hasEnded) return null
    throw error
  })
}

async function breakOnce(cluster: LapseCluster, round: number): Promise<Sample> {
  const { api, controlPlane } = cluster
  const [before, after] = await createSubjects(cluster, [`before-${round}`, `after-${round}`])
  const end = Date.now() + lifetime
  await createGrant(api, before!, { notAfter: new Date(end).toISOString() })
  await grantInState(api, before!, before!.name, 'Active')
  if (Date.now() > end) throw new Error(`a grant was not issued within ${lifetime} ms`)

  const apiServer = controlPlane.part('kube-apiserver')
  const killed = performance.now()
  await apiServer.kill()
  await delay(pause)
  await apiServer.restart()
  const ready = performance.now()
  const since = (): number => performance.now() - ready
  const [ended, issued] = await Promise.all([
    untilAnswer(api, before!, 'no').then(since),
    issue(api, after!).then(since),
  ])
  await grantInState(api, before!, before!.name, 'Expired')
  return { outage: ready - killed, issued, ended }
}

/** As a kubelet does. Resolves when the new controller has the lease. */
async function startAgain(cluster: LapseCluster, round: number): Promise<void> {
  progress('the outage outlived the lease: again')
  await cluster.lapse.startController()
  const [subject] = await createSubjects(cluster, [`again-${round}`])
  await createGrant(cluster.api, subject!, { duration: '1h' })
  await grantInState(cluster.api, subject!, subject!.name, 'Active')
}

/** Resolves at the first yes. What the API server or a webhook refuses is asked again: it counts as time. */
async function issue(api: AdminApi, subject: Subject): Promise<void> {
  await eventually('a grant is admitted', async () => {
    try {
      await createGrant(api, subject, { duration: '1h' })
    } catch (error) {
      if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error
    }
    return true
  })
  await eventually('the grant gives access', async () => (await isAllowed(api, subject)) || undefined)
}

function createGrant(api: AdminApi, subject: Subject, end: Parameters<typeof grantSpec>[1]): Promise<object> {
  return api.create(grantsPath(subject.namespace), {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'NHIGrant',
    metadata: { name: subject.name },
    spec: grantSpec(subject, end),
  })
}

function spread(name: string, samples: readonly number[]): readonly Measurement[] {
  const goal = { of: 'value', is: '≤', bound: 2_000 } as const
  return [
    measurement(`${name}-min`, Math.min(...samples), 'ms'),
    measurement(`${name}-p50`, median(samples), 'ms'),
    measurement(`${name}-max`, Math.max(...samples), 'ms', { goal }),
  ]
}

if (import.meta.main) process.exitCode = await runAlone(recovery)
