import { serviceAccountGroups, serviceAccountOf, type Requester } from '../core/identity.ts'
import { parseInstant, type Instant } from '../core/time.ts'
import { parseTemplateKind, type TemplateKind } from '../core/workload/template-kinds.ts'
import { UsageError } from '../runtime/usage-error.ts'

export const outputs = ['text', 'json', 'yaml', 'sarif', 'junit', 'github'] as const
export type CheckOutput = (typeof outputs)[number]

export interface CheckArgs {
  readonly help: boolean
  /** The check to say everything of, in place of judging; null: none. */
  readonly explain: string | null
  /** Paths of what is judged. */
  readonly files: readonly string[]
  /** Paths of what only shapes the world. */
  readonly policies: readonly string[]
  /** Of objects that do not say. */
  readonly namespace: string
  /** Who asks for the grants among the files; null: whoever their requestedBy names. */
  readonly requester: Requester | null
  /** Kinds with pod templates beside those of Kubernetes. */
  readonly podTemplates: readonly TemplateKind[]
  readonly output: CheckOutput
  /** Whether what the files do not say is read from the cluster. */
  readonly live: boolean
  /** Of the cluster; null: where kubectl looks. */
  readonly kubeconfig: string | null
  /** What was found before and is put up with; null: nothing. */
  readonly baseline: BaselineUse | null
  /** null: the clock's. */
  readonly now: Instant | null
  /** null: on a terminal only. */
  readonly color: boolean | null
}

/** A file that is compared with, or written anew from what is found. */
export interface BaselineUse {
  readonly mode: 'compare' | 'write'
  readonly file: string
}

export const checkHelp = `usage: lapse check -f PATH… [OPTION…]
       lapse check --explain CHECK

Gives the webhook's verdict on objects in files, without a cluster. Judged are workloads, AccessPolicies, NHIGrants, and RBAC
objects where they concern a governed subject; policies, revisions, grants, Namespaces, ServiceAccounts and RBAC objects
among the files are the world they are judged in.

  -f, --file PATH…        files, directories (all below that ends in .yaml, .yml or .json), or - for stdin
      --policy PATH…      the same, for policies and whatever else is there but not to be judged
  -n, --namespace NS      namespace of objects that do not say (default: default)
      --as USER           who asks for the grants (default: their spec.requestedBy)
      --as-group GROUP…   the groups of that user
      --live              judge in the world of the cluster, with what the files say in place of what it says
      --kubeconfig FILE   of the cluster (default: KUBECONFIG, ~/.kube/config)
      --baseline FILE     what is listed there does not count: only what is new, or worse
      --write-baseline FILE
                          list there what is denied now
      --explain CHECK     say what a check looks at, and what to do about it
      --pod-templates GROUP/KIND=PATH
                          further kinds with pod templates, such as argoproj.io/Rollout=spec.template
  -o, --output FORMAT     text, json, yaml, sarif, junit or github (default: text)
      --now TIME          judge as at this instant, such as 2027-03-01T00:00:00Z
      --color, --no-color color the text, or do not (default: on a terminal, unless NO_COLOR is set)

exit codes: 0 nothing is denied, 1 something is, 2 wrong usage, 3 bad input: nothing was judged,
4 the cluster cannot be reached or does not permit it
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
  explain: { type: 'string' },
  live: { type: 'boolean' },
  kubeconfig: { type: 'string' },
  baseline: { type: 'string' },
  'write-baseline': { type: 'string' },
  'pod-templates': { type: 'string', multiple: true },
  now: { type: 'string' },
  color: { type: 'boolean' },
} as const

/** Throws UsageError. */
export function parseCheckArgs(argv: readonly string[]): CheckArgs {
  const { values, lists } = parse(argv)
  const explain = values.explain ?? null
  if (values.help !== true && explain === null && lists.file.length === 0)
    throw new UsageError('say what to check: -f PATH')
  if (explain !== null && lists.file.length > 0) throw new UsageError('--explain judges nothing: leave out the files')
  refuseAlone(values, lists)
  return {
    help: values.help === true,
    explain,
    files: lists.file,
    policies: lists.policy,
    namespace: namespaceOf(values.namespace ?? 'default'),
    requester: values.as === undefined ? null : requesterOf(values.as, lists['as-group']),
    podTemplates: (values['pod-templates'] ?? []).flatMap((each) => each.split(',')).map(templateKindOf),
    output: outputOf(values.output ?? 'text'),
    live: values.live === true,
    kubeconfig: values.kubeconfig ?? null,
    baseline: baselineOf(values.baseline, values['write-baseline']),
    now: values.now === undefined ? null : instantOf(values.now),
    color: values.color ?? null,
  }
}

/** Throws UsageError for what only means something beside another option. */
function refuseAlone({ live, kubeconfig, as }: ReturnType<typeof parse>['values'], lists: Lists): void {
  if (kubeconfig !== undefined && live !== true) throw new UsageError('--kubeconfig needs --live')
  if (as === undefined && lists['as-group'].length > 0) throw new UsageError('--as-group needs --as')
}

type ListName = 'file' | 'policy' | 'as-group'
type Lists = Readonly<Record<ListName, readonly string[]>>

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

/** An import of node:util would load every part of it, for a tenth of the time in which Node starts. */
function parseArgsOrRefuse(argv: readonly string[]) {
  const { parseArgs } = process.getBuiltinModule('node:util')
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

function templateKindOf(text: string): TemplateKind {
  const kind = parseTemplateKind(text)
  if (kind !== null) return kind
  throw new UsageError(`--pod-templates must be GROUP/KIND=PATH, not ${JSON.stringify(text)}`)
}

function outputOf(text: string): CheckOutput {
  const output = outputs.find((each) => each === text)
  if (output !== undefined) return output
  throw new UsageError(
    `--output must be ${outputs.slice(0, -1).join(', ')} or ${outputs.at(-1)}, not ${JSON.stringify(text)}`,
  )
}

function baselineOf(compared: string | undefined, written: string | undefined): BaselineUse | null {
  if (compared !== undefined && written !== undefined)
    throw new UsageError('give --baseline or --write-baseline: a baseline that is written is what is found now')
  if (compared !== undefined) return { mode: 'compare', file: compared }
  return written === undefined ? null : { mode: 'write', file: written }
}

function instantOf(text: string): Instant {
  const instant = parseInstant(text)
  if (instant === null)
    throw new UsageError(`--now must be a timestamp such as 2027-03-01T00:00:00Z, not ${JSON.stringify(text)}`)
  return instant
}
