import { setTimeout as delay } from 'node:timers/promises'

import { isWrite, type AuditEvent } from '../test/support/audit-log.ts'
import { runAlone, type Benchmark } from './support/benchmark.ts'
import { grantInState, grantsPath, grantSpec } from './support/grants.ts'
import { createSubjects, withLapse, type LapseCluster } from './support/lapse-cluster.ts'
import { measurement, type Measurement } from './support/measurement.ts'
import { costOf, type ProcessCost } from './support/process-cost.ts'
import { progress } from './support/progress.ts'
import { sideBySide } from './support/side-by-side.ts'

const count = 50
const watched = 60_000
/** For what follows the issue of a grant in its own time. */
const settling = 15_000

export const steady: Benchmark = {
  name: 'steady',
  description: `What Lapse does while nothing happens: ${watched / 1000} s with a policy in force and ${count} active grants.

steady/writes         requests of Lapse's ServiceAccounts in the audit log that change something, but for the next line.
steady/lease-writes   renewals of the controller's Lease.
steady/reads          gets, lists and watches that were opened.
steady/access-reviews SubjectAccessReviews, which change nothing.
steady/*-cpu, *-rss   of the two processes, seconds of the processor in that time and memory at its end.

Goal: no write.`,
  measure: () => withLapse(measure),
}

async function measure(cluster: LapseCluster): Promise<readonly Measurement[]> {
  await issueGrants(cluster)
  await delay(settling)
  progress(`${watched / 1000} s of rest`)
  const before = await costs(cluster)
  const seenBefore = (await requestsOfLapse(cluster)).length
  if (seenBefore === 0) throw new Error('the audit log has nothing of Lapse, which has just issued grants')
  await delay(watched)
  const events = (await requestsOfLapse(cluster)).slice(seenBefore)
  return [...requests(events), ...spent(before, await costs(cluster))]
}

function requestsOfLapse({ controlPlane, lapse }: LapseCluster): Promise<readonly AuditEvent[]> {
  const accounts = `system:serviceaccount:${lapse.namespace}:`
  return controlPlane.auditEvents(({ user }) => user.username.startsWith(accounts))
}

async function issueGrants(cluster: LapseCluster): Promise<void> {
  progress(`${count} grants`)
  const { api } = cluster
  const names = Array.from({ length: count }, (_, index) => `steady-${index}`)
  await sideBySide(await createSubjects(cluster, names), 8, async (subject) => {
    await api.create(grantsPath(subject.namespace), {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHIGrant',
      metadata: { name: subject.name },
      spec: grantSpec(subject, { duration: '1h' }),
    })
    await grantInState(api, subject, subject.name, 'Active')
  })
}

function requests(events: readonly AuditEvent[]): readonly Measurement[] {
  const changes = events.filter((event) => isWrite(event) && !concerns(event, 'subjectaccessreviews'))
  const others = changes.filter((event) => !concerns(event, 'leases'))
  for (const { verb, requestURI } of others) progress(`a write: ${verb} ${requestURI}`)
  return [
    measurement('steady/writes', perMinute(others), '1/min', { goal: { of: 'value', is: '≤', bound: 0 } }),
    measurement('steady/lease-writes', perMinute(changes.filter((event) => concerns(event, 'leases'))), '1/min'),
    measurement('steady/reads', perMinute(events.filter(isRead)), '1/min'),
    measurement(
      'steady/access-reviews',
      perMinute(events.filter((event) => concerns(event, 'subjectaccessreviews'))),
      '1/min',
    ),
  ]
}

function concerns({ objectRef }: AuditEvent, resource: string): boolean {
  return objectRef?.resource === resource
}

function isRead({ verb, stage }: AuditEvent): boolean {
  return verb === 'watch' ? stage === 'ResponseStarted' : ['get', 'list'].includes(verb)
}

function perMinute(events: readonly AuditEvent[]): number {
  return (events.length / watched) * 60_000
}

type Costs = Readonly<Record<'controller' | 'webhook', ProcessCost>>

async function costs({ lapse }: LapseCluster): Promise<Costs> {
  const [controller, webhook] = await Promise.all([costOf(lapse.controller.pid), costOf(lapse.webhook.pid)])
  return { controller, webhook }
}

function spent(before: Costs, after: Costs): readonly Measurement[] {
  return (['controller', 'webhook'] as const).flatMap((process) => [
    measurement(`steady/${process}-cpu`, after[process].cpuSeconds - before[process].cpuSeconds, 's'),
    measurement(`steady/${process}-rss`, after[process].residentMegabytes, 'MB'),
  ])
}

if (import.meta.main) process.exitCode = await runAlone(steady)
