import { parseArgs } from 'node:util'
import { serviceAccountGroups, serviceAccountOf, type Requester } from '../core/identity.ts'
import { parseInstant, type Instant } from '../core/time.ts'
import { UsageError } from '../runtime/usage-error.ts'

export interface CheckArgs {
  readonly help: boolean
  /** Paths of what is judged. */
  readonly files: readonly string[]
  /** Paths of what only shapes the world. */
  readonly policies: readonly string[]
  /** Of objects that do not say. */
  readonly namespace: string
  /** Who asks for the grants among the files; null: whoever their requestedBy names. */
  readonly requester: Requester | null
  readonly output: 'text' | 'json'
  /** null: the clock's. */
  readonly now: Instant | null
  /** null: on a terminal only. */
  readonly color: boolean | null
}

export const checkHelp = `usage: lapse check -f PATH… [OPTION…]

Gives the webhook's verdict on objects in files, without a cluster. Judged are workloads, AccessPolicies and NHIGrants;
policies, revisions, grants, Namespaces, ServiceAccounts and RBAC objects among the files are the world they are judged in.

  -f, --file PATH…        files, directories (all below that ends in .yaml, .yml or .json), or - for stdin
      --policy PATH…      the same, for policies and whatever else is there but not to be judged
  -n, --namespace NS      namespace of objects that do not say (default: default)
      --as USER           who asks for the grants (default: their spec.requestedBy)
      --as-group GROUP…   the groups of that user
  -o, --output FORMAT     text or json (default: text)
      --now TIME          judge as at this instant, such as 2027-03-01T00:00:00Z
      --color, --no-color color the text, or do not (default: on a terminal, unless NO_COLOR is set)

exit codes: 0 nothing is denied, 1 something is, 2 wrong usage, 3 bad input: nothing was judged
`

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

const options = {
  help: { type: 'boolean', short: 'h' },
  file: { type: 'string', short: 'f', multiple: true },
  filename: { type: 'string', multiple: true },
  policy: { type: 'string', multiple: true },
  namespace: { type: 'string', short: 'n' },
  as: { type: 'string' },
  'as-group': { type: 'string', multiple: true },
  output: { type: 'string', short: 'o' },
  now: { type: 'string' },
  color: { type: 'boolean' },
} as const

/** Throws UsageError. */
export function parseCheckArgs(argv: readonly string[]): CheckArgs {
  const { values, lists } = parse(argv)
  if (values.help !== true && lists.file.length === 0) throw new UsageError('say what to check: -f PATH')
  if (values.as === undefined && lists['as-group'].length > 0) throw new UsageError('--as-group needs --as')
  return {
    help: values.help === true,
    files: lists.file,
    policies: lists.policy,
    namespace: namespaceOf(values.namespace ?? 'default'),
    requester: values.as === undefined ? null : requesterOf(values.as, lists['as-group']),
    output: outputOf(values.output ?? 'text'),
    now: values.now === undefined ? null : instantOf(values.now),
    color: values.color ?? null,
  }
}

type ListName = 'file' | 'policy' | 'as-group'

/** Each of the three options takes every argument up to the next option: that is how a shell hands over `-f *.yaml`. */
function parse(argv: readonly string[]) {
  const { values, tokens } = parseArgsOrRefuse(argv)
  const lists: Record<ListName, string[]> = { file: [], policy: [], 'as-group': [] }
  let open: ListName | null = 'file'
  for (const token of tokens) {
    if (token.kind === 'option') {
      open = listNamed(token.name)
      if (open !== null && token.value !== undefined) lists[open].push(token.value)
    } else if (token.kind === 'positional') {
      if (open === null) throw new UsageError(`unexpected argument ${JSON.stringify(token.value)}`)
      lists[open].push(token.value)
    }
  }
  return { values, lists }
}

function parseArgsOrRefuse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options,
      strict: true,
      allowPositionals: true,
      allowNegative: true,
      tokens: true,
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function listNamed(option: string): ListName | null {
  if (option === 'filename') return 'file'
  return option === 'file' || option === 'policy' || option === 'as-group' ? option : null
}

/** With the groups that the API server would add to an impersonated user. */
function requesterOf(username: string, groups: readonly string[]): Requester {
  const account = serviceAccountOf(username)
  const implied =
    account === null || groups.length > 0 ? ['system:authenticated'] : serviceAccountGroups(account.namespace)
  return { username, groups: [...new Set([...groups, ...implied])] }
}

function namespaceOf(name: string): string {
  if (dnsLabel.test(name) && name.length <= 63) return name
  throw new UsageError(`--namespace must be the name of a namespace, not ${JSON.stringify(name)}`)
}

function outputOf(text: string): CheckArgs['output'] {
  if (text === 'text' || text === 'json') return text
  throw new UsageError(`--output must be text or json, not ${JSON.stringify(text)}`)
}

function instantOf(text: string): Instant {
  const instant = parseInstant(text)
  if (instant === null)
    throw new UsageError(`--now must be a timestamp such as 2027-03-01T00:00:00Z, not ${JSON.stringify(text)}`)
  return instant
}
