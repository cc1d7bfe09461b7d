import type { KubeObject } from '../cluster/ports.ts'
import { resources, type ResourceType } from '../cluster/resources.ts'
import { awaitObject } from './await-object.ts'
import { policyFor } from './choose-policy.ts'
import { inCluster, type ClusterSession } from './cluster-session.ts'
import { exitCodes, type CommandIo } from './command.ts'
import { printCredential } from './print-credential.ts'
import { grantName, grantRow, hasEnded, type GrantRow } from './grant-row.ts'
import { outcomeText, waitingText } from './grant-text.ts'
import { printedDocument } from './print-document.ts'
import { parseRequestArgs, requestHelp, type RequestArgs } from './request-args.ts'
import { grantManifest } from './request-manifest.ts'

/** `lapse request`. Throws UsageError, NoConnection. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  const args = parseRequestArgs(argv)
  if (args === null) {
    io.stdout.write(requestHelp)
    return exitCodes.ok
  }
  return inCluster('request', args.cluster, io, (session) => request(args, session, io))
}

async function request(args: RequestArgs, session: ClusterSession, io: CommandIo): Promise<number> {
  const { namespace } = session
  const policy = await policyFor(args.wish, session, namespace)
  const created = await session.client.create(typeOf(args.wish), grantManifest(args.wish, policy, namespace))
  io.stderr.write(`lapse request: created ${created.kind ?? ''} ${grantName(grantRow(created))}\n`)
  if (args.wait === 0) {
    if (args.cluster.output !== 'text') io.stdout.write(printedDocument(created, args.cluster.output))
    return exitCodes.ok
  }
  const { done, object } = await settled(created, args, session, io)
  if (object === null) {
    io.stderr.write(`lapse request: ${created.kind ?? ''} ${grantName(grantRow(created))} was deleted\n`)
    return exitCodes.refused
  }
  return report(object, done, args, session, io)
}

function settled(created: KubeObject, { wait, wish }: RequestArgs, session: ClusterSession, io: CommandIo) {
  let told = ''
  return awaitObject(session, typeOf(wish), keyOf(created), wait, (object) => {
    if (object === null || object.metadata.uid !== created.metadata.uid) return true
    const row = grantRow(object)
    if (row.state === 'Active' || hasEnded(row)) return true
    const text = waitingText(row)
    if (text !== told) io.stderr.write(text)
    told = text
    return false
  })
}

function typeOf({ isWide }: RequestArgs['wish']): ResourceType {
  return isWide ? resources.clusterNhiGrants : resources.nhiGrants
}

function keyOf({ metadata }: KubeObject) {
  return { namespace: metadata.namespace ?? '', name: metadata.name }
}

async function report(
  object: KubeObject,
  done: boolean,
  { cluster, credential }: RequestArgs,
  session: ClusterSession,
  io: CommandIo,
): Promise<number> {
  const row = grantRow(object)
  const code = codeOf(row, done)
  if (credential !== null) {
    io.stderr.write(outcomeText(row, session.now()))
    return code === exitCodes.ok ? printCredential(row, credential, session, io) : code
  }
  io.stdout.write(cluster.output === 'text' ? outcomeText(row, session.now()) : printedDocument(object, cluster.output))
  return code
}

function codeOf(row: GrantRow, done: boolean): number {
  if (!done) return exitCodes.waiting
  return row.state === 'Active' ? exitCodes.ok : exitCodes.refused
}
