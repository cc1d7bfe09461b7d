import { apiVersion } from '../api/v1alpha1/objects.ts'
import type { NHISuspensionSpec } from '../api/v1alpha1/nhi-suspension.schema.ts'
import { Conflict } from '../cluster/errors.ts'
import type { KubeObject } from '../cluster/ports.ts'
import { resources } from '../cluster/resources.ts'
import { describeIdentity, sameIdentity, type Identity } from '../core/identity.ts'
import { canonicalIdentity } from '../core/policy/select.ts'
import { sleep } from '../runtime/sleep.ts'
import type { ClusterSession } from './cluster-session.ts'
import { exitCodes, type CommandIo } from './command.ts'
import { hasEnded, type GrantRow } from './grant-row.ts'
import { grantsDocument } from './grants-report.ts'
import { endIsProved, endIsSettled, outcomeText } from './grant-text.ts'
import { parseIdentity } from './identity-text.ts'
import { listClusterGrants, listGrants } from './list-grants.ts'
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
  const ended = await awaitEnds(subject, own, wait, session)
  if (cluster.output !== 'text') io.stdout.write(printedDocument(grantsDocument(ended, session.now()), cluster.output))
  else io.stdout.write(ended.map((row) => outcomeText(row, session.now())).join(''))
  if (ended.length === 0) io.stderr.write(`lapse revoke: ${describeIdentity(subject)} had no grants\n`)
  if (!ended.every(endIsSettled)) return exitCodes.waiting
  return ended.every(endIsProved) ? exitCodes.ok : exitCodes.refused
}

async function create(subject: Identity, reason: string, session: ClusterSession, io: CommandIo): Promise<void> {
  const metadata = { name: suspensionName(subject) }
  const object = { apiVersion, kind: 'NHISuspension', metadata, spec: { subject, reason } }
  try {
    await session.client.create(resources.nhiSuspensions, object)
    io.stderr.write(`lapse revoke: ${describeIdentity(subject)} is suspended by NHISuspension ${metadata.name}\n`)
  } catch (error) {
    if (!(error instanceof Conflict) || error.reason !== 'AlreadyExists') throw error
    io.stderr.write(`lapse revoke: ${describeIdentity(subject)} was suspended already\n`)
  }
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
  wait: number,
  { client, clock }: ClusterSession,
): Promise<readonly GrantRow[]> {
  const deadline = clock.monotonic() + wait
  const watched = new Set(before.map(({ uid }) => uid))
  for (;;) {
    const own = await grantsOf(subject, client)
    for (const row of own) if (!hasEnded(row)) watched.add(row.uid)
    const rows = own.filter(({ uid }) => watched.has(uid))
    if (rows.every(endIsSettled) || clock.monotonic() >= deadline) return rows
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
  if (own.length === 0) io.stderr.write(`lapse revoke: ${describeIdentity(subject)} is not suspended\n`)
  return exitCodes.ok
}

function subjectOf(object: KubeObject): Identity {
  const { kind, namespace, name } = (object['spec'] as NHISuspensionSpec).subject
  return kind === 'ServiceAccount' ? { kind, namespace: namespace ?? '', name } : { kind, name }
}
