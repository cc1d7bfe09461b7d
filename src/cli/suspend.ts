import { apiVersion } from '../api/v1alpha1/objects.ts'
import type { NHISuspensionSpec } from '../api/v1alpha1/nhi-suspension.schema.ts'
import { Conflict } from '../cluster/errors.ts'
import type { KubeObject } from '../cluster/ports.ts'
import { resources } from '../cluster/resources.ts'
import { describeIdentity, sameIdentity, type Identity } from '../core/identity.ts'
import { canonicalIdentity } from '../core/policy/select.ts'
import type { Millis } from '../core/time.ts'
import { sleep } from '../runtime/sleep.ts'
import type { ClusterSession } from './cluster-session.ts'
import { exitCodes, type CommandIo } from './command.ts'
import { hasEnded, type GrantRow } from './grant-row.ts'
import { grantsDocument } from './grants-report.ts'
import { endIsProved, endIsSettled, outcomeText } from './grant-text.ts'
import { parseIdentity } from './identity-text.ts'
import { listClusterGrants, listGrants } from './list-grants.ts'
import { oneLine } from './one-line.ts'
import { printedDocument } from './print-document.ts'
import type { RevokeArgs } from './revoke-args.ts'
import { suspensionName } from './suspension-name.ts'

const pause = 250

/** Sets the kill switch of an identity, and waits until its last grant has ended. Throws UsageError, ClusterError. */
export async function suspend(
  text: string,
  { cluster, reason, wait }: RevokeArgs,
  session: ClusterSession,
  io: CommandIo,
): Promise<number> {
  const subject = canonicalIdentity(parseIdentity('--subject', text, session.namespace))
  const own = await liveGrantsOf(subject, session)
  await create(subject, reason, session, io)
  const deadline = session.clock.monotonic() + wait
  const { rows: ended, deleted } = await awaitEnds(subject, own, deadline, session)
  if (cluster.output !== 'text') io.stdout.write(printedDocument(grantsDocument(ended, session.now()), cluster.output))
  else io.stdout.write(ended.map((row) => outcomeText(row, session.now())).join(''))
  if (ended.length + deleted.length === 0) io.stderr.write(`lapse revoke: ${named(subject)} had no grants\n`)
  const codes = [...ended.map(codeOf), ...(await reportDeletions(deleted, deadline, session, io))]
  if (codes.includes(exitCodes.waiting)) return exitCodes.waiting
  return codes.includes(exitCodes.refused) ? exitCodes.refused : exitCodes.ok
}

function codeOf(row: GrantRow): number {
  if (!endIsSettled(row)) return exitCodes.waiting
  return endIsProved(row) ? exitCodes.ok : exitCodes.refused
}

async function reportDeletions(
  deleted: readonly GrantRow[],
  deadline: Millis,
  session: ClusterSession,
  io: CommandIo,
): Promise<readonly number[]> {
  if (deleted.length === 0) return []
  const { reportDeletion } = await import('./left-by-deletion.ts')
  const codes: number[] = []
  for (const row of deleted) codes.push(await reportDeletion(row, deadline - session.clock.monotonic(), session, io))
  return codes
}

async function create(subject: Identity, reason: string, session: ClusterSession, io: CommandIo): Promise<void> {
  const name = suspensionName(subject)
  if ((await createAs({ name }, subject, reason, session, io)) === 'Created') return
  const there = await session.client.get(resources.nhiSuspensions, { namespace: '', name })
  const isToStay = there !== null && there.metadata.deletionTimestamp === undefined
  if (isToStay && sameIdentity(subjectOf(there), subject))
    io.stderr.write(`lapse revoke: ${named(subject)} was suspended already\n`)
  // whoever may create suspensions may take the name for another identity
  else await createAs({ generateName: `${name}-` }, subject, reason, session, io)
}

/** Throws ClusterError but for a name that is taken. */
async function createAs(
  metadata: { readonly name: string } | { readonly generateName: string },
  subject: Identity,
  reason: string,
  session: ClusterSession,
  io: CommandIo,
): Promise<'Created' | 'Taken'> {
  const object = { apiVersion, kind: 'NHISuspension', metadata, spec: { subject, reason } }
  try {
    const created = await session.client.create(resources.nhiSuspensions, object)
    io.stderr.write(`lapse revoke: ${named(subject)} is suspended by NHISuspension ${created.metadata.name}\n`)
    return 'Created'
  } catch (error) {
    const isTaken = error instanceof Conflict && error.reason === 'AlreadyExists' && 'name' in metadata
    if (!isTaken) throw error
    return 'Taken'
  }
}

function named(subject: Identity): string {
  return oneLine(describeIdentity(subject))
}

async function liveGrantsOf(subject: Identity, { client }: ClusterSession): Promise<readonly GrantRow[]> {
  return (await grantsOf(subject, client)).filter((row) => !hasEnded(row))
}

/** Those of the cluster as a whole only where they may be listed. */
async function grantsOf(subject: Identity, client: ClusterSession['client']): Promise<readonly GrantRow[]> {
  const [own, others] = await Promise.all([listGrants(client, ''), listClusterGrants(client)])
  return [...own, ...others.rows].filter((row) => sameIdentity(row.subject, subject))
}

/** Those that lived at the beginning, and whichever came in between, as they were seen last. */
async function awaitEnds(
  subject: Identity,
  before: readonly GrantRow[],
  deadline: Millis,
  { client, clock }: ClusterSession,
): Promise<{ readonly rows: readonly GrantRow[]; readonly deleted: readonly GrantRow[] }> {
  const watched = new Map(before.map((row) => [row.uid, row]))
  for (;;) {
    const own = await grantsOf(subject, client)
    for (const row of own) if (!hasEnded(row) || watched.has(row.uid)) watched.set(row.uid, row)
    const rows = own.filter(({ uid }) => watched.has(uid))
    if (rows.every(endIsSettled) || clock.monotonic() >= deadline) {
      const there = new Set(rows.map(({ uid }) => uid))
      return { rows, deleted: [...watched.values()].filter(({ uid }) => !there.has(uid)) }
    }
    await sleep(clock, pause, new AbortController().signal)
  }
}

/** Deletes every suspension of the identity, whatever it is called. Throws UsageError, ClusterError. */
export async function liftSuspension(text: string, session: ClusterSession, io: CommandIo): Promise<number> {
  const subject = parseIdentity('--subject', text, session.namespace)
  const all = await session.client.list(resources.nhiSuspensions)
  const own = all.filter((object) => sameIdentity(subjectOf(object), subject))
  for (const { metadata } of own) {
    await session.client.delete(resources.nhiSuspensions, { namespace: '', name: metadata.name }, { uid: metadata.uid })
    io.stderr.write(`lapse revoke: NHISuspension ${metadata.name} is lifted\n`)
  }
  if (own.length === 0) io.stderr.write(`lapse revoke: ${named(subject)} is not suspended\n`)
  return exitCodes.ok
}

function subjectOf(object: KubeObject): Identity {
  const { kind, namespace, name } = (object['spec'] as NHISuspensionSpec).subject
  return kind === 'ServiceAccount' ? { kind, namespace: namespace ?? '', name } : { kind, name }
}
