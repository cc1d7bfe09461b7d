import type { Instant } from '../core/time.ts'
import { clusterArgsOf, clusterHelp, clusterOptions, type ClusterArgs } from './cluster-options.ts'
import { inCluster } from './cluster-session.ts'
import { exitCodes, type CommandIo } from './command.ts'
import { explainAccess, type AccessQuestionText } from './explain-access.ts'
import { explanationText, explanationDocument } from './explanation-text.ts'
import { oneLine } from './one-line.ts'
import { parseOptions, wordsOf } from './parse-options.ts'
import { printedDocument } from './print-document.ts'
import { requestHelp, requestOptions, requestTextOf } from './read-access.ts'

const help = `usage: lapse why SUBJECT VERB RESOURCE[/NAME] [OPTION…]

Says what lets an identity do something, and until when: each binding, role and rule that gives it, and the grant that a
binding carries. SUBJECT is sa/NAME, sa/NAMESPACE/NAME, user/NAME or group/NAME; RESOURCE is written as for kubectl:
pods, deploy, deployments.apps, or a path such as /metrics.

${clusterHelp}${requestHelp}      --group GROUP        a group that the user is in; may be repeated

exit codes: 0 it is allowed, 1 it is not, 2 wrong usage, 4 the cluster cannot be reached or does not permit it

lapse why sa/payments/api patch deployments/api -n payments
`

const options = {
  ...clusterOptions,
  ...requestOptions,
  group: { type: 'string', multiple: true },
} as const

/** `lapse why`. Throws UsageError, NoConnection. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseOptions(argv, options)
  if (values.help === true) {
    io.stdout.write(help)
    return exitCodes.ok
  }
  const args = clusterArgsOf(values)
  const question = questionOf(positionals, values)
  return inCluster('why', args, io, async (session) => {
    const explanation = await explainAccess(question, session)
    for (const note of explanation.notes) io.stderr.write(`lapse why: ${oneLine(note)}\n`)
    io.stdout.write(printed(explanation, args, session.now()))
    return explanation.allowed ? exitCodes.ok : exitCodes.refused
  })
}

function printed(explanation: Parameters<typeof explanationText>[0], { output }: ClusterArgs, now: Instant): string {
  return output === 'text'
    ? explanationText(explanation, now)
    : printedDocument(explanationDocument(explanation), output)
}

function questionOf(
  positionals: readonly string[],
  values: ReturnType<typeof parseOptions<typeof options>>['values'],
): AccessQuestionText {
  const [subject = '', verb = '', target = ''] = wordsOf(positionals, ['SUBJECT', 'VERB', 'RESOURCE'])
  return { subject, groups: values.group ?? [], ...requestTextOf(verb, target, values) }
}
