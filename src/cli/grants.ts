import { sameIdentity } from '../core/identity.ts'
import { UsageError } from '../runtime/usage-error.ts'
import { clusterArgsOf, clusterHelp, clusterOptions } from './cluster-options.ts'
import { inCluster } from './cluster-session.ts'
import { exitCodes, type CommandIo } from './command.ts'
import { awaitsReview, hasEnded, type GrantRow } from './grant-row.ts'
import { grantsDocument, grantsTable } from './grants-report.ts'
import { parseIdentity } from './identity-text.ts'
import { listClusterGrants, listGrants } from './list-grants.ts'
import { parseOptions, wordsOf } from './parse-options.ts'
import { printedDocument } from './print-document.ts'

const help = `usage: lapse grants [OPTION…]

Lists the grants of a namespace that have not ended, with the time that they have left.

${clusterHelp}  -A, --all-namespaces     of all namespaces, and of the cluster as a whole
      --subject SUBJECT    only those of sa/NAME, sa/NAMESPACE/NAME, user/NAME or group/NAME
      --unreviewed         only those that broke the glass and were not reviewed, ended or not
      --all                ended ones as well

exit codes: 0 listed, 2 wrong usage, 4 the cluster cannot be reached or does not permit it
`

const options = {
  ...clusterOptions,
  'all-namespaces': { type: 'boolean', short: 'A' },
  subject: { type: 'string' },
  unreviewed: { type: 'boolean' },
  all: { type: 'boolean' },
} as const

/** `lapse grants`. Throws UsageError, NoConnection. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseOptions(argv, options)
  if (values.help === true) {
    io.stdout.write(help)
    return exitCodes.ok
  }
  wordsOf(positionals, [])
  const everywhere = values['all-namespaces'] === true
  if (everywhere && values.namespace !== undefined) throw new UsageError('give --namespace or --all-namespaces')
  const args = clusterArgsOf(values)
  return inCluster('grants', args, io, async ({ client, namespace, now }) => {
    const wanted = wantedBy(values, namespace)
    const own = await listGrants(client, everywhere ? '' : namespace)
    const others = everywhere ? await listClusterGrants(client) : { rows: [], unseen: null }
    if (others.unseen !== null) io.stderr.write(`lapse grants: ${others.unseen}\n`)
    const found = [...others.rows, ...own].filter(wanted)
    if (args.output !== 'text') io.stdout.write(printedDocument(grantsDocument(found, now()), args.output))
    else if (found.length > 0) io.stdout.write(grantsTable(found, now()))
    else io.stderr.write(`lapse grants: none${everywhere ? '' : ` in ${namespace}`}\n`)
    return exitCodes.ok
  })
}

interface Wanted {
  readonly subject?: string
  readonly unreviewed?: boolean
  readonly all?: boolean
}

function wantedBy({ subject, unreviewed, all }: Wanted, namespace: string): (grant: GrantRow) => boolean {
  const identity = subject === undefined ? null : parseIdentity('--subject', subject, namespace)
  return (grant) => {
    if (identity !== null && !sameIdentity(identity, grant.subject)) return false
    if (unreviewed === true) return awaitsReview(grant)
    return all === true || !hasEnded(grant)
  }
}
