import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { load } from 'js-yaml'

import type { AdminApi, KubeObject } from '../test/support/admin-api.ts'
import { eventually } from '../test/support/eventually.ts'
import { untilAnswer, type Subject } from './support/access-probe.ts'
import { progress, runAlone, type Benchmark } from './support/benchmark.ts'
import { grantInState, grantsPath, grantSpec } from './support/grants.ts'
import { createSubjects, withLapse, type LapseCluster } from './support/lapse-cluster.ts'
import { measurement, type Measurement } from './support/measurement.ts'
import { percentile } from './support/percentile.ts'

const rounds = 100
const warmUpRounds = 10
const crdPath = join(import.meta.dirname, '../crds/lapse.dev_nhigrants.yaml')
const rawGroup = 'bench.example.com'
const rawRole = 'bench-rollout'

export const grant: Benchmark = {
  name: 'grant',
  description: `How long it takes from asking for access to having it.

grant/yes-*   from sending the create of an NHIGrant to the first SubjectAccessReview that says yes, asked without a pause
              on one connection. Lapse runs as its chart installs it: two webhook calls, the operator's record, its binding.
access/raw-*  the same by hand: create of an object with the same spec and schema that no webhook and no controller knows,
              update of its status, create of a RoleBinding, first yes. By the same client, in turns with the grants.
access/yes-*  of that, the part from sending the create of the RoleBinding to the first yes.

${rounds} of each, one after another. Goal: the median of grant/yes within 3 times that of access/raw.`,
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
  await prepareRaw(api)
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
    samples.push({ grant: grantMillis, ...(await timeRaw(api, bound[index]!)) })
  }
  return summarize(samples.slice(warmUpRounds))
}

/** Of one grant; returns when the operator is done with it, so that its work does not fall into the next sample. */
async function timeGrant(api: AdminApi, subject: Subject): Promise<number> {
  const object = grantObject('lapse.dev', subject)
  const start = performance.now()
  await api.create(grantsPath(subject.namespace), object)
  await untilAnswer(api, subject, 'yes')
  const millis = performance.now() - start
  await grantInState(api, subject, subject.name, 'Active')
  return millis
}

async function timeRaw(api: AdminApi, subject: Subject): Promise<Pick<Sample, 'raw' | 'binding'>> {
  const path = `/apis/${rawGroup}/v1alpha1/namespaces/${subject.namespace}/nhigrants`
  const object = grantObject(rawGroup, subject)
  const start = performance.now()
  const created = await api.create(path, object)
  await api.replace(`${path}/${subject.name}/status`, { ...created, status: recordedStatus() })
  const atBinding = performance.now()
  await api.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${subject.namespace}/rolebindings`, {
    metadata: { name: subject.name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: rawRole },
    subjects: [{ kind: 'ServiceAccount', namespace: subject.namespace, name: subject.name }],
  })
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
  const goal = { of: 'ratio', is: '≤', bound: 3 } as const
  return [
    measurement('grant/yes-p50', of('grant', 0.5), 'ms', { against: raw50, goal }),
    measurement('grant/yes-p99', of('grant', 0.99), 'ms', { against: raw99 }),
    raw50,
    raw99,
    measurement('access/yes-p50', of('binding', 0.5), 'ms'),
    measurement('access/yes-p99', of('binding', 0.99), 'ms'),
  ]
}

function grantObject(group: string, subject: Subject): KubeObject {
  return {
    apiVersion: `${group}/v1alpha1`,
    kind: 'NHIGrant',
    metadata: { name: subject.name, namespace: subject.namespace },
    spec: grantSpec(subject, { duration: '1h' }),
  }
}

/** As much as the operator records before it creates the binding. */
function recordedStatus(): object {
  const now = new Date().toISOString()
  return {
    state: 'Pending',
    policy: { version: '1.0.0', digest: `sha256:${'0'.repeat(64)}` },
    subject: { username: 'system:serviceaccount:bench:deployer', uid: '00000000-0000-0000-0000-000000000000' },
    rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch', 'patch'] }],
    issuedAt: now,
    notAfter: now,
    objects: [{ kind: 'RoleBinding', name: 'lapse-00000000-0000-0000-0000-000000000000-rollout' }],
    observedGeneration: 1,
    conditions: [
      { type: 'Ready', status: 'False', reason: 'Issuing', message: `until ${now}`, lastTransitionTime: now },
    ],
  }
}

/** The same schema under a group that is not ours, and a role to bind. */
async function prepareRaw(api: AdminApi): Promise<void> {
  const crd = load(await readFile(crdPath, 'utf8')) as KubeObject
  await api.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    ...crd,
    metadata: { name: `nhigrants.${rawGroup}` },
    spec: { ...crd['spec'], group: rawGroup, names: { kind: 'NHIGrant', plural: 'nhigrants' } },
  })
  await api.create('/apis/rbac.authorization.k8s.io/v1/clusterroles', {
    metadata: { name: rawRole },
    rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch', 'patch'] }],
  })
  await eventually('the raw kind is served', () => api.get(`/apis/${rawGroup}/v1alpha1/nhigrants`))
}

if (import.meta.main) process.exitCode = await runAlone(grant)
