import { setTimeout as delay } from 'node:timers/promises'

import { parseDuration } from '../src/core/time.ts'
import type { AdminApi } from '../test/support/admin-api.ts'
import { isAllowed, untilAnswer, type Subject } from './support/access-probe.ts'
import { runAlone, type Benchmark } from './support/benchmark.ts'
import { grantInState, grantsPath, grantSpec } from './support/grants.ts'
import { createSubjects, withLapse, type LapseCluster } from './support/lapse-cluster.ts'
import { measurement, type Comparison, type Measurement } from './support/measurement.ts'
import { percentile } from './support/percentile.ts'
import { progress } from './support/progress.ts'
import { sideBySide } from './support/side-by-side.ts'

const count = 100
/** From the first create to the first end. */
const lead = 8_000
/** Between two ends. */
const spacing = 100
/** How long before its end a grant is asked about without a pause. */
const vigil = 10
/** How many ask at a time when all end at once. */
const probers = 4

export const overstay: Benchmark = {
  name: 'overstay',
  description: `How long access outlives its end.

overstay/seen-*      from notAfter to the first SubjectAccessReview that says no, asked without a pause from ${vigil} ms before the
                     end on. ${count} grants that end one by one, ${spacing} ms apart.
overstay/reported-*  status.revocation.overstay of the same grants: what Lapse itself measured and put on record.
overstay/delete-*    the API server alone: from sending the delete of a RoleBinding to the first no, in between those ends.
overstay/burst-*     as seen, of ${count} grants that end in the same instant; ${probers} ask in turns about those that still hold, so
                     each figure is too high by up to one turn. overstay/burst-reported-* as reported.

Goal: p99 of overstay/seen at most 50 ms. Access that ends before its time is an error, not a figure.`,
  measure: () => withLapse(measure),
}

/** Milliseconds after the end. */
interface Overstays {
  readonly seen: readonly number[]
  readonly reported: readonly number[]
}

async function measure(cluster: LapseCluster): Promise<readonly Measurement[]> {
  const names = Array.from({ length: count }, (_, index) => `one-by-one-${index}`)
  const subjects = await createSubjects(cluster, names)
  const bound = await createSubjects(
    cluster,
    names.map((_, index) => `bound-${index}`),
  )
  const together = await createSubjects(
    cluster,
    names.map((_, index) => `together-${index}`),
  )
  progress(`${count} grants that end one by one, with deletes of RoleBindings in between`)
  const { apart, deletes } = await oneByOne(cluster.api, subjects, bound)
  progress(`${count} grants that end in the same instant`)
  const burst = await atOnce(cluster.api, together)
  return summarize(apart, deletes, burst)
}

async function oneByOne(
  api: AdminApi,
  subjects: readonly Subject[],
  bound: readonly Subject[],
): Promise<{ readonly apart: Overstays; readonly deletes: readonly number[] }> {
  const firstEnd = Date.now() + lead
  const ends = subjects.map((_, index) => firstEnd + index * spacing)
  await issue(api, subjects, ends)
  const [seen, deletes] = await Promise.all([
    Promise.all(subjects.map((subject, index) => watchEnd(api, subject, ends[index]!))),
    timeDeletes(api, bound, ends),
  ])
  return { apart: { seen, reported: await reportedBy(api, subjects) }, deletes }
}

async function atOnce(api: AdminApi, subjects: readonly Subject[]): Promise<Overstays> {
  const end = Date.now() + lead
  await issue(
    api,
    subjects,
    subjects.map(() => end),
  )
  const seen = await watchCommonEnd(api, subjects, end)
  return { seen, reported: await reportedBy(api, subjects) }
}

/** Creates the grants and returns when all are Active; that must be before the first ends. */
async function issue(api: AdminApi, subjects: readonly Subject[], ends: readonly number[]): Promise<void> {
  await sideBySide(subjects, 8, async (subject, index) => {
    const notAfter = new Date(ends[index]!).toISOString()
    await api.create(grantsPath(subject.namespace), {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHIGrant',
      metadata: { name: subject.name },
      spec: grantSpec(subject, { notAfter }),
    })
    await grantInState(api, subject, subject.name, 'Active')
  })
  if (Date.now() > Math.min(...ends) - vigil) throw new Error(`${count} grants were not issued within ${lead} ms`)
}

async function watchEnd(api: AdminApi, subject: Subject, end: number): Promise<number> {
  await delay(end - vigil - Date.now())
  if (!(await isAllowed(api, subject))) throw new Error(`the access of ${subject.name} ended before its time`)
  await untilAnswer(api, subject, 'no')
  return sinceEnd(subject, end)
}

async function watchCommonEnd(api: AdminApi, subjects: readonly Subject[], end: number): Promise<readonly number[]> {
  await delay(end - vigil - Date.now())
  const seen: number[] = []
  const open = [...subjects]
  const probe = async (): Promise<void> => {
    for (let subject = open.shift(); subject !== undefined; subject = open.shift()) {
      if (await isAllowed(api, subject)) open.push(subject)
      else seen.push(sinceEnd(subject, end))
    }
  }
  await Promise.all(Array.from({ length: probers }, probe))
  return seen
}

/** To be called when a no has just arrived. */
function sinceEnd(subject: Subject, end: number): number {
  const millis = Date.now() - end
  if (millis < 0) throw new Error(`the access of ${subject.name} ended ${-millis} ms before its time`)
  return millis
}

/** One delete halfway between two ends. */
async function timeDeletes(
  api: AdminApi,
  bound: readonly Subject[],
  ends: readonly number[],
): Promise<readonly number[]> {
  const samples: number[] = []
  for (const [index, subject] of bound.entries()) {
    const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${subject.namespace}/rolebindings`
    await api.create(path, {
      metadata: { name: subject.name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
      subjects: [{ kind: 'ServiceAccount', namespace: subject.namespace, name: subject.name }],
    })
    await untilAnswer(api, subject, 'yes')
    await delay(ends[index]! + spacing / 2 - Date.now())
    const start = performance.now()
    await api.delete(`${path}/${subject.name}`)
    await untilAnswer(api, subject, 'no')
    samples.push(performance.now() - start)
  }
  return samples
}

/** As the status of each grant says once it is Expired; anything left over is an error. */
async function reportedBy(api: AdminApi, subjects: readonly Subject[]): Promise<readonly number[]> {
  return sideBySide(subjects, 4, async (subject) => {
    const grant = await grantInState(api, subject, subject.name, 'Expired')
    const { overstay: text, residual = [] } = grant['status'].revocation
    if (residual.length > 0) throw new Error(`${subject.name} still holds access by ${residual.join(', ')}`)
    return millisOf(text as string)
  })
}

/** The notation of src/core/time.ts: below a second in ms, else whole seconds and up. */
function millisOf(text: string): number {
  const millis = /^(\d+)ms$/.exec(text)?.[1] ?? parseDuration(text)
  if (millis === null) throw new Error(`no duration: ${text}`)
  return Number(millis)
}

function summarize(apart: Overstays, deletes: readonly number[], burst: Overstays): readonly Measurement[] {
  const reference = spread('overstay/delete', deletes)
  const [p50, p99, max] = reference
  const goal = { of: 'value', is: '≤', bound: 50 } as const
  return [
    ...spread('overstay/seen', apart.seen, [{ against: p50 }, { against: p99, goal }, { against: max }]),
    ...spread('overstay/reported', apart.reported),
    ...reference,
    ...spread('overstay/burst', burst.seen),
    ...spread('overstay/burst-reported', burst.reported),
  ]
}

type Spread = readonly [Measurement, Measurement, Measurement]

/** Median, 99th percentile and maximum. */
function spread(name: string, samples: readonly number[], comparisons: readonly Comparison[] = []): Spread {
  return [
    measurement(`${name}-p50`, percentile(samples, 0.5), 'ms', comparisons[0]),
    measurement(`${name}-p99`, percentile(samples, 0.99), 'ms', comparisons[1]),
    measurement(`${name}-max`, percentile(samples, 1), 'ms', comparisons[2]),
  ]
}

if (import.meta.main) process.exitCode = await runAlone(overstay)
