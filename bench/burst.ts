import { setTimeout as delay } from 'node:timers/promises'

import type { AdminApi } from '../test/support/admin-api.ts'
import { isAllowed, type Subject } from './support/access-probe.ts'
import { runAlone, type Benchmark } from './support/benchmark.ts'
import { createGrant, grantInState } from './support/grants.ts'
import { createSubjects, withLapse, type LapseCluster } from './support/lapse-cluster.ts'
import { lastAnswer } from './support/last-answer.ts'
import { machineLoad } from './support/machine-load.ts'
import { measurement, type Goal, type Measurement } from './support/measurement.ts'
import { median } from './support/percentile.ts'
import { progress } from './support/progress.ts'
import { RawGrants } from './support/raw-grants.ts'
import { sideBySide } from './support/side-by-side.ts'

const asked = 200
const ending = [200, 1_000] as const
const rounds = 3
/** From the first create to the common end: so long, and so many times what their issue takes. */
const lead = { least: 5_000, times: 3 } as const
/** How long before the end it is made sure that the access is still there. */
const vigil = 50

export const burst: Benchmark = {
  name: 'burst',
  description: `How long many take that come at once.

grant/last-of-${asked}       from sending the creates of ${asked} grants, all at once, to the first yes to the last of them.
access/raw-last-of-${asked}  the same by hand: ${asked} times object, status and RoleBinding, all at once.
overstay/last-of-N      from the common end of N grants to the first no to the last of them, N = ${ending.join(' and ')}.
overstay/deletes-of-N   the API server alone: from sending the deletes of N RoleBindings, all at once, to the same.

SubjectAccessReviews are asked about a sample of 32 without a pause, two at a time; about the others once the sample is
through, which counts if one is late. Medians of ${rounds} rounds in turns.

Goal: grant/last-of-${asked} at most 1,000 ms; overstay/last-of-N within 1.5 times overstay/deletes-of-N.`,
  measure: () => withLapse(measure),
}

async function measure(cluster: LapseCluster): Promise<readonly Measurement[]> {
  const raw = new RawGrants(cluster.api)
  await raw.prepare()
  const issued = await inTurns(
    (round) => issueAtOnce(cluster, round),
    (round) => bindAtOnce(cluster, raw, round),
  )
  const withinASecond: Goal = { of: 'value', is: '≤', bound: 1_000 }
  const rawIssued = measurement(`access/raw-last-of-${asked}`, issued.raw, 'ms')
  const measured = [
    measurement(`grant/last-of-${asked}`, issued.ours, 'ms', {
      against: rawIssued,
      goal: withinASecond,
      note: machineLoad(),
    }),
    rawIssued,
  ]
  for (const count of ending) measured.push(...(await ends(cluster, raw, count, issued.ours / asked)))
  return measured
}

/** `each`: how long the issue of one takes. */
async function ends(
  cluster: LapseCluster,
  raw: RawGrants,
  count: number,
  each: number,
): Promise<readonly Measurement[]> {
  const ended = await inTurns(
    (round) => endAtOnce(cluster, count, round, lead.least + lead.times * count * each),
    (round) => unbindAtOnce(cluster, raw, count, round),
  )
  const deletes = measurement(`overstay/deletes-of-${count}`, ended.raw, 'ms')
  const goal: Goal = { of: 'ratio', is: '≤', bound: 1.5 }
  return [
    measurement(`overstay/last-of-${count}`, ended.ours, 'ms', { against: deletes, goal, note: machineLoad() }),
    deletes,
  ]
}

/** Medians, in milliseconds. */
async function inTurns(
  ours: (round: number) => Promise<number>,
  raw: (round: number) => Promise<number>,
): Promise<{ readonly ours: number; readonly raw: number }> {
  const samples: { readonly ours: number; readonly raw: number }[] = []
  for (let round = 0; round < rounds; round++) samples.push({ ours: await ours(round), raw: await raw(round) })
  return {
    ours: median(samples.map(({ ours: millis }) => millis)),
    raw: median(samples.map(({ raw: millis }) => millis)),
  }
}

async function issueAtOnce(cluster: LapseCluster, round: number): Promise<number> {
  const { api } = cluster
  progress(`${asked} grants, all asked for at once`)
  const subjects = await createSubjects(cluster, namesOf(`asked-${round}`, asked))
  const start = performance.now()
  const created = allOf(subjects, (subject) => createGrant(api, subject, { duration: '1h' }))
  const [last] = await Promise.all([lastAnswer(api, subjects, 'yes'), created])
  await allActive(api, subjects)
  return took(last - start)
}

async function bindAtOnce(cluster: LapseCluster, raw: RawGrants, round: number): Promise<number> {
  const subjects = namesOf(`bound-${round}`, asked).map((name) => ({ namespace: cluster.namespace, name }))
  const start = performance.now()
  const bound = allOf(subjects, (subject) => raw.record(subject).then(() => raw.bind(subject)))
  const [last] = await Promise.all([lastAnswer(cluster.api, subjects, 'yes'), bound])
  return took(last - start)
}

async function endAtOnce(cluster: LapseCluster, count: number, round: number, time: number): Promise<number> {
  const { api } = cluster
  progress(`${count} grants that end in the same instant`)
  const subjects = await createSubjects(cluster, namesOf(`ending-${count}-${round}`, count))
  const end = Date.now() + time
  const notAfter = new Date(end).toISOString()
  await sideBySide(subjects, 16, (subject) => createGrant(api, subject, { notAfter }))
  await allActive(api, subjects)
  await delay(Math.max(0, end - vigil - Date.now()))
  if (Date.now() > end) throw new Error(`${count} grants were not issued by their end`)
  if (!(await isAllowed(api, subjects[0]!))) throw new Error('access ended before its time')
  const atEnd = performance.now() + end - Date.now()
  await delay(Math.max(0, end - Date.now()))
  const last = await lastAnswer(api, subjects, 'no')
  await sideBySide(subjects, 4, (subject) => grantInState(api, subject, subject.name, 'Expired'))
  return took(last - atEnd)
}

async function unbindAtOnce(cluster: LapseCluster, raw: RawGrants, count: number, round: number): Promise<number> {
  const { api, namespace } = cluster
  progress(`deletes of ${count} RoleBindings`)
  const subjects = namesOf(`unbound-${count}-${round}`, count).map((name) => ({ namespace, name }))
  await sideBySide(subjects, 16, (subject) => raw.bind(subject))
  await lastAnswer(api, subjects, 'yes')
  const start = performance.now()
  const [last] = await Promise.all([lastAnswer(api, subjects, 'no'), allOf(subjects, (each) => raw.unbind(each))])
  return took(last - start)
}

function took(millis: number): number {
  progress(`${Math.round(millis)} ms`)
  return millis
}

function namesOf(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
}

async function allOf(subjects: readonly Subject[], task: (subject: Subject) => Promise<void>): Promise<void> {
  await Promise.all(subjects.map(task))
}

async function allActive(api: AdminApi, subjects: readonly Subject[]): Promise<void> {
  await sideBySide(subjects, 8, (subject) => grantInState(api, subject, subject.name, 'Active'))
}

if (import.meta.main) process.exitCode = await runAlone(burst)
