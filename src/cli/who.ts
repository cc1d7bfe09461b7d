import { whoCan } from '../core/rbac/who-can.ts'
import { clusterArgsOf, clusterHelp, clusterOptions } from './cluster-options.ts'
import { inCluster } from './cluster-session.ts'
import { exitCodes, type CommandIo } from './command.ts'
import { holdersDocument, holdersText } from './holders-text.ts'
import { oneLine } from './one-line.ts'
import { parseOptions, wordsOf } from './parse-options.ts'
import { printedDocument } from './print-document.ts'
import { grantsByBinding, readRbac, requestHelp, requestOf, requestOptions, requestTextOf } from './read-access.ts'

const help = `usage: lapse who VERB RESOURCE[/NAME] [OPTION…]

Says who may do something, and until when: each subject that a binding lets do it, with the role and the rule, and the
grant that the binding carries. RESOURCE is written as for kubectl: pods, deploy, deployments.apps, or a path such as
/metrics. It is the answer of RBAC: another authorizer of the API server may allow it to others.

${clusterHelp}${requestHelp}
exit codes: 0 somebody may, 1 nobody may, 2 wrong usage, 4 the cluster cannot be reached or does not permit it

lapse who delete secrets -n payments
`

const options = { ...clusterOptions, ...requestOptions } as const

/** `lapse who`. Throws UsageError, NoConnection. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseOptions(argv, options)
  if (values.help === true) {
    io.stdout.write(help)
    return exitCodes.ok
  }
  const args = clusterArgsOf(values)
  const [verb = '', target = ''] = wordsOf(positionals, ['VERB', 'RESOURCE'])
  const asked = requestTextOf(verb, target, values)
  return inCluster('who', args, io, async (session) => {
    const notes: string[] = []
    const request = await requestOf(asked, session, notes)
    const [view, carriedBy] = await Promise.all([
      readRbac(session, request.namespace),
      grantsByBinding(session, request.namespace, notes),
    ])
    for (const note of notes) io.stderr.write(`lapse who: ${oneLine(note)}\n`)
    const holders = whoCan(request, view).filter(({ key }) => key !== null)
    const found = { request, holders, carriedBy }
    io.stdout.write(
      args.output === 'text' ? holdersText(found, session.now()) : printedDocument(holdersDocument(found), args.output),
    )
    return holders.length > 0 ? exitCodes.ok : exitCodes.refused
  })
}
