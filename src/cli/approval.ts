import { apiVersion } from '../api/v1alpha1/objects.ts'
import type { KubeObject, ObjectKey } from '../cluster/ports.ts'
import { resources } from '../cluster/resources.ts'
import { UsageError } from '../runtime/usage-error.ts'
import { approvalText, type Decision } from './approval-text.ts'
import { saidOfCheck } from './cluster-failure.ts'
import { clusterArgsOf, clusterHelp, clusterOptions, type ClusterArgs } from './cluster-options.ts'
import { inCluster, type ClusterSession } from './cluster-session.ts'
import { exitCodes, type CommandIo, type Run } from './command.ts'
import { lookAt } from './grant-digest.ts'
import { placeOf } from './grant-place.ts'
import { grantName, grantRow, type GrantRow } from './grant-row.ts'
import { oneLine } from './one-line.ts'
import { parseOptions, required, wordsOf } from './parse-options.ts'
import { printedDocument } from './print-document.ts'

const purposes: Readonly<Record<Decision, string>> = {
  Approve: `Approves a grant that waits for it. Not for who asked for it, nor for its subject.`,
  Deny: `Denies a grant that waits for an approval: that is the end of it.`,
  Review: `Says that a grant that broke the glass was looked at. Not for who asked for it, nor for its subject.`,
}

function helpOf(command: string, decision: Decision): string {
  return `usage: lapse ${command} GRANT --reason TEXT [OPTION…]

${purposes[decision]}
Shows what the grant asks for, under which version of its policy, and asks before it writes an NHIGrantApproval, which holds for
exactly that.

      --reason TEXT        why
      --cluster            of a ClusterNHIGrant; --namespace is then that of the operator, where what is said of one counts
      --yes                do not ask
${clusterHelp}
exit codes: 0 it is said, now or already, 1 it is refused, or not meant after all, 2 wrong usage, 3 there is no such grant,
4 the cluster cannot be reached or does not permit it
`
}

const options = {
  ...clusterOptions,
  reason: { type: 'string' },
  cluster: { type: 'boolean' },
  yes: { type: 'boolean', short: 'y' },
} as const

/** An NHIGrantApproval; for text its name is enough. */
type Said = KubeObject | { readonly metadata: ObjectKey }

interface ApprovalArgs {
  readonly cluster: ClusterArgs
  readonly decision: Decision
  readonly command: string
  readonly grant: string
  readonly isWide: boolean
  readonly reason: string
  readonly isSure: boolean
}

/** `lapse approve`, `lapse deny`, `lapse review`. */
export function runAs(command: string, decision: Decision): Run {
  return async (argv, io) => {
    const { values, positionals } = parseOptions(argv, options)
    if (values.help === true) {
      io.stdout.write(helpOf(command, decision))
      return exitCodes.ok
    }
    const cluster = clusterArgsOf(values)
    const [grant = ''] = wordsOf(positionals, ['GRANT'])
    const reason = required('--reason', values.reason)
    const isWide = values.cluster === true
    const args = { cluster, decision, command, grant, isWide, reason, isSure: values.yes === true }
    return inCluster(command, cluster, io, (session) => decide(args, session, io))
  }
}

async function decide(args: ApprovalArgs, session: ClusterSession, io: CommandIo): Promise<number> {
  const { command, decision, grant: name } = args
  const { type, key } = placeOf(name, args, session)
  const found = await session.client.get(type, key)
  if (found === null) {
    io.stderr.write(`lapse ${command}: there is no ${type.kind} ${grantName(key)}\n`)
    return exitCodes.badInput
  }
  const grant = grantRow(found)
  const looked = await lookAt(grant, decision, session)
  if (!looked.ok) {
    io.stderr.write(`lapse ${command}: ${oneLine(looked.problem)}\n`)
    return exitCodes.refused
  }
  io.stderr.write(approvalText(grant, looked.policy, session.now()))
  if (!(await isMeant(args, io))) {
    io.stderr.write(`lapse ${command}: nothing was written\n`)
    return exitCodes.refused
  }
  const approval = approvalOf(grant, looked.digest, session.namespace, args)
  report(await say(approval, args, session, io), args, io)
  return exitCodes.ok
}

/** What says so: it is created, unless the webhook says that it is there already. */
async function say(
  approval: object,
  { command, cluster }: ApprovalArgs,
  { client, namespace }: ClusterSession,
  io: CommandIo,
): Promise<Said> {
  try {
    return await client.create(resources.nhiGrantApprovals, approval)
  } catch (error) {
    const said = saidOfCheck(error, 'approval-repeated')
    if (said === null) throw error
    const key = { namespace, name: said.slice(said.lastIndexOf(' ') + 1) }
    if (!/^[a-z0-9.-]+$/.test(key.name)) throw error // no name of an object: it was not our own word
    io.stderr.write(`lapse ${command}: ${oneLine(said)}; nothing is written\n`)
    if (cluster.output === 'text') return { metadata: key }
    const found = await client.get(resources.nhiGrantApprovals, key)
    if (found === null) throw error
    return found
  }
}

function approvalOf(
  grant: GrantRow,
  grantDigest: string,
  namespace: string,
  { decision, reason, isWide }: ApprovalArgs,
): object {
  const { kind, name, uid } = grant
  return {
    apiVersion,
    kind: 'NHIGrantApproval',
    metadata: { namespace, generateName: `${name.slice(0, 200)}-` },
    spec: { grant: { ...(isWide && { kind }), name, uid }, grantDigest, decision, reason },
  }
}

/** Throws UsageError where nobody can be asked. */
async function isMeant({ isSure, decision }: ApprovalArgs, io: CommandIo): Promise<boolean> {
  if (isSure) return true
  const answer = await io.ask(`${decision} it? [y/N] `)
  if (answer === null) throw new UsageError('nobody is there to be asked: give --yes')
  return /^y(es)?$/i.test(answer.trim())
}

function report(said: Said, { cluster, decision }: ApprovalArgs, io: CommandIo): void {
  const { namespace = '', name } = said.metadata
  io.stdout.write(
    cluster.output === 'text'
      ? `${decision}: NHIGrantApproval ${namespace}/${name}\n`
      : printedDocument(said, cluster.output),
  )
}
