import type { AdminApi } from '../test/support/admin-api.ts'
import { untilAnswer, type Subject } from './support/access-probe.ts'
import { runAlone, type Benchmark } from './support/benchmark.ts'
import { createGrant, grantInState } from './support/grants.ts'
import { createSubjects, withLapse, type LapseCluster } from './support/lapse-cluster.ts'
import { machineLoad } from './support/machine-load.ts'
import { measurement, type Goal, type Measurement } from './support/measurement.ts'
import { percentile } from './support/percentile.ts'
import { progress } from './support/progress.ts'
import { RawGrants } from './support/raw-grants.ts'

const rounds = 100
const warmUpRounds = 10

export const grant: Benchmark = {
  name: 'grant',
  description: `How long it takes from asking for access to having it.

grant/yes-*   from sending the create of an NHIGrant to the first SubjectAccessReview that says yes, asked without a pause
              on one connection. Lapse runs as its chart installs it: two webhook calls, the operator's record, its binding.
access/raw-*  the same by hand: create of an object with the same spec and schema that no webhook and no controller knows,
              update of its status, create of a RoleBinding that no webhook is asked about, first yes. By the same client,
              in turns with the grants.
access/yes-*  of that, the part from sending the create of the RoleBinding to the first yes.

${rounds} of each, one after another. Goal: the median of grant/yes within twice that of access/raw, and at most 14 ms.`,
  measure: () => withLapse(measure),
}

interface Sample {
  readonly grant: number
  readonly raw: number
  /** Part of `raw`. */
  readonly binding: number
}

async function measure(cluster: LapseCluster): Promise<readonly Measurement[]> {
  const { api } = cluster
  const raw = new RawGrants(api)
  await raw.prepare()
  const numbers = Array.from({ length: warmUpRounds + rounds }, (_, index) => index)
  const granted = await createSubjects(
    cluster,
    numbers.map((index) => `granted-${index}`),
  )
  const bound = await createSubjects(
    cluster,
    numbers.map((index) => `bound-${index}`),
  )
  progress(`${rounds} grants, in turns with the raw writes`)
  const samples: Sample[] = []
  for (const index of numbers) {
    const grantMillis = await timeGrant(api, granted[index]!)
    samples.push({ grant: grantMillis, ...(await timeRaw(api, raw, bound[index]!)) })
  }
  return summarize(samples.slice(warmUpRounds))
}

/** Of one grant; returns when the operator is done with it, so that its work does not fall into the next sample. */
async function timeGrant(api: AdminApi, subject: Subject): Promise<number> {
  const start = performance.now()
  await createGrant(api, subject, { duration: '1h' })
  await untilAnswer(api, subject, 'yes')
  const millis = performance.now() - start
  await grantInState(api, subject, subject.name, 'Active')
  return millis
}

async function timeRaw(api: AdminApi, raw: RawGrants, subject: Subject): Promise<Pick<Sample, 'raw' | 'binding'>> {
  const start = performance.now()
  await raw.record(subject)
  const atBinding = performance.now()
  await raw.bind(subject)
  await untilAnswer(api, subject, 'yes')
  const end = performance.now()
  return { raw: end - start, binding: end - atBinding }
}

function summarize(samples: readonly Sample[]): readonly Measurement[] {
  const of = (field: keyof Sample, share: number): number =>
    percentile(
      samples.map((sample) => sample[field]),
      share,
    )
  const raw50 = measurement('access/raw-p50', of('raw', 0.5), 'ms')
  const raw99 = measurement('access/raw-p99', of('raw', 0.99), 'ms')
  const goal: readonly Goal[] = [
    { of: 'ratio', is: '≤', bound: 2 },
    { of: 'value', is: '≤', bound: 14 },
  ]
  return [
    measurement('grant/yes-p50', of('grant', 0.5), 'ms', { against: raw50, goal, note: machineLoad() }),
    measurement('grant/yes-p99', of('grant', 0.99), 'ms', { against: raw99 }),
    raw50,
    raw99,
    measurement('access/yes-p50', of('binding', 0.5), 'ms'),
    measurement('access/yes-p99', of('binding', 0.99), 'ms'),
  ]
}

if (import.meta.main) process.exitCode = await runAlone(grant)
