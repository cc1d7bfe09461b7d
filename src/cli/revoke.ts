import { pathOf } from '../cluster/resources.ts'
import { UsageError } from '../runtime/usage-error.ts'
import { awaitObject } from './await-object.ts'
import { clusterArgsOf, clusterHelp, clusterOptions } from './cluster-options.ts'
import { inCluster, type ClusterSession } from './cluster-session.ts'
import { exitCodes, type CommandIo } from './command.ts'
import { placeOf } from './grant-place.ts'
import { grantName, grantRow, hasEnded } from './grant-row.ts'
import { endIsProved, endIsSettled, outcomeText } from './grant-text.ts'
import type { RevokeArgs } from './revoke-args.ts'
import { durationOf, parseOptions, required, wordsOf } from './parse-options.ts'
import { printedDocument } from './print-document.ts'

const help = `usage: lapse revoke GRANT --reason TEXT [OPTION…]
       lapse revoke --subject SUBJECT --reason TEXT [OPTION…]
       lapse revoke --subject SUBJECT --lift [OPTION…]

Ends a grant now; or suspends an identity: all its grants end now, in every namespace, and no other is issued until that is
lifted. Waits until the access is gone, and says by how much it outlived the end.

      --subject SUBJECT    sa/NAME, sa/NAMESPACE/NAME, user/NAME or group/NAME
      --reason TEXT        why
      --cluster            the grant is a ClusterNHIGrant
      --lift               lift the suspension; what it ended stays ended
      --wait DURATION      how long to wait (default: 60s)
${clusterHelp}
exit codes: 0 the access is gone, 1 it is refused, or the access is still given by something else, 2 wrong usage,
3 there is no such grant, 4 the cluster cannot be reached or does not permit it, 6 still waiting: the end stays asked for;
or the grant was deleted and the end is not proved
`

const options = {
  ...clusterOptions,
  subject: { type: 'string' },
  reason: { type: 'string' },
  lift: { type: 'boolean' },
  cluster: { type: 'boolean' },
  wait: { type: 'string' },
} as const

/** `lapse revoke`. Throws UsageError, NoConnection. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseOptions(argv, options)
  if (values.help === true) {
    io.stdout.write(help)
    return exitCodes.ok
  }
  const { subject, lift = false, cluster: wide = false } = values
  const cluster = clusterArgsOf(values)
  const [grant = ''] = wordsOf(positionals, subject === undefined ? ['GRANT'] : [])
  if (wide && subject !== undefined) throw new UsageError('--cluster is for a grant, not with --subject')
  if (lift && subject === undefined) throw new UsageError('--lift needs --subject')
  const reason = lift ? '' : required('--reason', values.reason)
  const args: RevokeArgs = { cluster, reason, wait: durationOf('--wait', values.wait ?? '60s'), isWide: wide }
  return inCluster('revoke', cluster, io, async (session) => {
    if (subject === undefined) return revokeGrant(grant, args, session, io)
    const { liftSuspension, suspend } = await import('./suspend.ts')
    return lift ? liftSuspension(subject, session, io) : suspend(subject, args, session, io)
  })
}

/** Ends a grant, and waits until that is proved. Throws ClusterError. */
export async function revokeGrant(
  name: string,
  args: RevokeArgs,
  session: ClusterSession,
  io: CommandIo,
): Promise<number> {
  const { cluster, reason, wait } = args
  const { type, key } = placeOf(name, args, session)
  const found = await session.client.get(type, key)
  if (found === null) {
    io.stderr.write(`lapse revoke: there is no ${type.kind} ${grantName(key)}\n`)
    return exitCodes.badInput
  }
  const before = grantRow(found)
  if (hasEnded(before)) io.stderr.write(`lapse revoke: ${before.kind} ${grantName(before)} has ended already\n`)
  else if (before.spec.revoke === undefined) {
    const patch = { spec: { revoke: { reason } }, metadata: { uid: before.uid } }
    const contentType = 'application/merge-patch+json'
    await session.transport.call('PATCH', pathOf(type, key.namespace, key.name), patch, { contentType })
  }
  const deadline = session.clock.monotonic() + wait
  let last = before
  const { done, object } = await awaitObject(session, type, key, wait, (seen) => {
    if (seen === null || seen.metadata.uid !== before.uid) return true
    last = grantRow(seen)
    return endIsSettled(last)
  })
  if (object === null || object.metadata.uid !== before.uid) {
    const { reportDeletion } = await import('./left-by-deletion.ts')
    return reportDeletion(last, deadline - session.clock.monotonic(), session, io)
  }
  const row = grantRow(object)
  io.stdout.write(cluster.output === 'text' ? outcomeText(row, session.now()) : printedDocument(object, cluster.output))
  if (!done) return exitCodes.waiting
  return endIsProved(row) ? exitCodes.ok : exitCodes.refused
}
