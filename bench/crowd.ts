import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'

import type { AdminApi, KubeObject } from '../test/support/admin-api.ts'
import { isAllowed, untilAnswer, type Subject } from './support/access-probe.ts'
import { runAlone, type Benchmark } from './support/benchmark.ts'
import { createGrant, grantInState } from './support/grants.ts'
import { createSubjects, policyName, withLapse, type LapseCluster } from './support/lapse-cluster.ts'
import { lastAnswer } from './support/last-answer.ts'
import { machineLoad } from './support/machine-load.ts'
import { measurement, type Goal, type Measurement } from './support/measurement.ts'
import { percentile } from './support/percentile.ts'
import { costOf } from './support/process-cost.ts'
import { progress } from './support/progress.ts'
import { RawGrants, writesPerGrant } from './support/raw-grants.ts'
import { sideBySide } from './support/side-by-side.ts'
import { watchEnds } from './support/vigil.ts'

export const crowdSize = 10_000
/** Namespaces over which they are spread: RBAC looks at every binding of a namespace for each request in it. */
const places = 100
/** Creates in flight, of both sides. */
const lanes = 32
/** As many by hand, and as many that end while the crowd stands, or as there are in it. */
const fewer = 1_000
/** Between two ends. */
const spacing = 10
/** Every so many of them is watched from outside. */
const watchedEvery = 4
const settling = 15_000
const restarts = 3
/** How long the grant lasts whose end falls into a restart, from when all else is ready. */
const lifetime = 5_000

export function crowd(count: number): Benchmark {
  const part = Math.min(count, fewer)
  return {
    name: 'crowd',
    description: `What Lapse does with ${count.toLocaleString('en-US')} active grants in ${places} namespaces. Number: --grants N.

grant/sustained    grants per second, from sending the first create to the last RoleBinding; ${lanes} creates in flight.
access/raw-writes  the same by hand, the same ${writesPerGrant} writes for each; ${part} of them, ${lanes} at a time.
memory/*           resident memory of the controller that issued them, ${settling / 1000} s later, and of one that was started with them there.
overstay/crowd-*   from notAfter to the first no while they stand, of ${part} more that end ${spacing} ms apart; one in ${watchedEvery} is watched.
restart/expiry     the controller ends (SIGTERM), a grant comes to its end, a controller is started: from its start to the first no.
                   The longest of ${restarts}.
withdraw/last      from sending the delete of the policy to the first no to the last of them.
withdraw/role      the API server alone: from sending the delete of the ClusterRole of ${part} RoleBindings to the same.

Goal: sustained at least half of the raw writes; p99 of the overstay at most 25 ms; an expiry within 3,000 ms of a restart;
all denied within 50 ms of the withdrawal; at most 150 MB.`,
    measure: () => withLapse((cluster) => measure(cluster, count)),
  }
}

async function measure(cluster: LapseCluster, count: number): Promise<readonly Measurement[]> {
  const raw = new RawGrants(cluster.api)
  await raw.prepare()
  const part = Math.min(count, fewer)
  const namespaces = await placesOf(cluster)
  const byHand = spread(namesOf('bound', part), namespaces)
  const rawRate = await writeRaw(raw, byHand)
  const subjects = await createAll(cluster, spread(namesOf('crowd', count), namespaces))
  const rate = await issueAll(cluster, subjects)
  const sustained = rateRows(rate, rawRate)
  const issuer = await memoryRow(cluster, 'memory/issuer')
  const passing = await createAll(cluster, spread(namesOf('passing', part), namespaces))
  const overstays = overstayRows(await passThrough(cluster, passing, rate))
  const restarted = await restartRow(cluster)
  const successor = await memoryRow(cluster, 'memory/restarted')
  const role = measurement('withdraw/role', await withdrawRaw(cluster, raw, byHand), 'ms')
  const last = valueRow('withdraw/last', await withdraw(cluster, subjects), 'ms', 50, role)
  return [...sustained, issuer, successor, ...overstays, restarted, last, role]
}

function rateRows(rate: number, rawRate: number): readonly Measurement[] {
  const against = measurement('access/raw-writes', rawRate, '1/s')
  const goal: Goal = { of: 'ratio', is: '≥', bound: 0.5 }
  return [measurement('grant/sustained', rate, '1/s', { against, goal, note: machineLoad() }), against]
}

function overstayRows(overstays: readonly number[]): readonly Measurement[] {
  return [
    measurement('overstay/crowd-p50', percentile(overstays, 0.5), 'ms'),
    valueRow('overstay/crowd-p99', percentile(overstays, 0.99), 'ms', 25),
    measurement('overstay/crowd-max', percentile(overstays, 1), 'ms'),
  ]
}

async function restartRow(cluster: LapseCluster): Promise<Measurement> {
  const served: number[] = []
  for (let round = 0; round < restarts; round++) served.push(await restart(cluster, round))
  return valueRow('restart/expiry', Math.max(...served), 'ms', 3_000)
}

async function memoryRow({ lapse }: LapseCluster, name: string): Promise<Measurement> {
  await delay(settling)
  return valueRow(name, (await costOf(lapse.controller.pid)).residentMegabytes, 'MB', 150)
}

/** Of which at most so much is aimed at. */
function valueRow(name: string, value: number, unit: string, atMost: number, against?: Measurement): Measurement {
  const goal: Goal = { of: 'value', is: '≤', bound: atMost }
  progress(`${name}: ${Math.round(value)} ${unit}`)
  return measurement(name, value, unit, { goal, note: machineLoad(), ...(against !== undefined && { against }) })
}

/** Raw grants per second. */
async function writeRaw(raw: RawGrants, subjects: readonly Subject[]): Promise<number> {
  progress(`${subjects.length} grants by hand`)
  const start = performance.now()
  await sideBySide(subjects, lanes, async (subject) => {
    const recorded = await raw.record(subject)
    await raw.bind(subject)
    await raw.conclude(subject, recorded)
  })
  return perSecond(subjects.length, start)
}

/** Grants per second. */
async function issueAll(cluster: LapseCluster, subjects: readonly Subject[]): Promise<number> {
  const { api } = cluster
  progress(`${subjects.length} grants in ${places} namespaces`)
  const before = await countBindings(api)
  const start = performance.now()
  const created = sideBySide(subjects, lanes, (subject) => createGrant(api, subject, { duration: '1h' }))
  await Promise.all([created, untilBindings(api, before + subjects.length)])
  const rate = perSecond(subjects.length, start)
  progress(`${rate.toFixed(1)} a second; until all are Active`)
  await lastAnswer(api, subjects, 'yes')
  await untilActive(api, subjects.length)
  return rate
}

async function untilBindings(api: AdminApi, wanted: number): Promise<void> {
  for (let last = performance.now(), most = 0; ;) {
    const count = await countBindings(api)
    if (count >= wanted) return
    if (count > most) [most, last] = [count, performance.now()]
    if (performance.now() - last > 30_000) throw new Error(`${wanted - count} grants are not issued`)
    await delay(50)
  }
}

/** By what the API server says of the rest of a list, so that it costs next to nothing. */
async function countBindings(api: AdminApi): Promise<number> {
  const path = '/apis/rbac.authorization.k8s.io/v1/rolebindings?limit=1'
  const { items, metadata } = await api.get(path)
  return (items as readonly KubeObject[]).length + Number(metadata?.['remainingItemCount'] ?? 0)
}

async function untilActive(api: AdminApi, wanted: number): Promise<void> {
  const path = `/apis/lapse.dev/v1alpha1/accesspolicies/${policyName}`
  const deadline = performance.now() + 60_000
  for (;;) {
    const { status } = await api.get(path)
    const count = Number(status?.grants?.active ?? 0)
    if (count >= wanted) return
    if (performance.now() > deadline) throw new Error(`only ${count} grants are Active: ${JSON.stringify(status)}`)
    await delay(200)
  }
}

/** Milliseconds after the end; `rate` says how many grants can be issued in a second. */
async function passThrough(
  { api }: LapseCluster,
  subjects: readonly Subject[],
  rate: number,
): Promise<readonly number[]> {
  const count = subjects.length
  progress(`${count} more, of which one ends every ${spacing} ms`)
  const firstEnd = Date.now() + 10_000 + (2 * count * 1_000) / rate
  const ends = subjects.map((_, index) => firstEnd + index * spacing)
  await sideBySide(subjects, lanes, (subject, index) =>
    createGrant(api, subject, { notAfter: new Date(ends[index]!).toISOString() }),
  )
  const watched = subjects.flatMap((subject, index) =>
    index % watchedEvery === 0 ? [{ subject, end: ends[index]! }] : [],
  )
  await sideBySide(watched, 8, ({ subject }) => grantInState(api, subject, subject.name, 'Active'))
  if (Date.now() > firstEnd) throw new Error('the grants were not issued by their ends')
  const seen = await watchEnds(api, watched)
  await sideBySide(watched, 8, ({ subject }) => grantInState(api, subject, subject.name, 'Expired'))
  return seen
}

/** Milliseconds from the start of the process. */
async function restart(cluster: LapseCluster, round: number): Promise<number> {
  const { api, lapse } = cluster
  progress(`restart ${round + 1} of ${restarts}`)
  const [subject] = await createSubjects(cluster, [`restart-${round}`])
  const end = Date.now() + lifetime
  await createGrant(api, subject!, { notAfter: new Date(end).toISOString() })
  await grantInState(api, subject!, subject!.name, 'Active')
  await lapse.controller.stop()
  if (Date.now() > end) throw new Error(`the controller took more than ${lifetime} ms to end`)
  await delay(end + 100 - Date.now())
  if (!(await isAllowed(api, subject!))) throw new Error('access ended while no controller ran')
  const start = performance.now()
  const ready = lapse.startController()
  await untilAnswer(api, subject!, 'no')
  const millis = performance.now() - start
  await ready
  await grantInState(api, subject!, subject!.name, 'Expired')
  return millis
}

async function withdraw({ api }: LapseCluster, subjects: readonly Subject[]): Promise<number> {
  progress('the policy is withdrawn')
  await isAllowed(api, subjects[0]!)
  const start = performance.now()
  const withdrawn = api.delete(`/apis/lapse.dev/v1alpha1/accesspolicies/${policyName}`)
  const [last] = await Promise.all([lastAnswer(api, subjects, 'no'), withdrawn])
  return last - start
}

async function withdrawRaw({ api }: LapseCluster, raw: RawGrants, subjects: readonly Subject[]): Promise<number> {
  await isAllowed(api, subjects[0]!)
  const start = performance.now()
  const [last] = await Promise.all([lastAnswer(api, subjects, 'no'), raw.deleteRole()])
  return last - start
}

/** Namespaces in the scope of the policy. */
function placesOf({ controlPlane }: LapseCluster): Promise<readonly string[]> {
  return sideBySide(namesOf('place', places), 8, () => controlPlane.namespace({ team: 'bench' }))
}

function spread(names: readonly string[], namespaces: readonly string[]): readonly Subject[] {
  return names.map((name, index) => ({ namespace: namespaces[index % namespaces.length] ?? '', name }))
}

async function createAll({ api }: LapseCluster, subjects: readonly Subject[]): Promise<readonly Subject[]> {
  await sideBySide(subjects, 8, ({ namespace, name }) => createSubjects({ api, namespace }, [name]))
  return subjects
}

function perSecond(count: number, start: number): number {
  return (count / (performance.now() - start)) * 1_000
}

function namesOf(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
}

async function main(argv: readonly string[]): Promise<number> {
  const options = { grants: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const
  const { grants = String(crowdSize), help } = parseArgs({ args: [...argv], options }).values
  return runAlone(crowd(Number(grants)), help === true ? ['--help'] : [])
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2))
