import type { Identity } from '../core/identity.ts'
import { formatInstant, parseInstant, type Millis } from '../core/time.ts'
import { UsageError } from '../runtime/usage-error.ts'
import { clusterArgsOf, clusterHelp, clusterOptions, type ClusterArgs } from './cluster-options.ts'
import { parseIdentity } from './identity-text.ts'
import { durationOf, listOf, parseOptions, required, wordsOf } from './parse-options.ts'

export interface RequestArgs {
  readonly cluster: ClusterArgs
  readonly wish: Wish
  /** How long to wait until the access is there; 0: not at all. */
  readonly wait: Millis
  /** What of the credential is printed in place of anything else; null: nothing. */
  readonly credential: CredentialForm | null
}

export type CredentialForm = 'token' | 'kubeconfig'

/** What is asked for. null: not said. */
export interface Wish {
  readonly name: string | null
  readonly policy: { readonly name: string; readonly version: string | null } | null
  /** A ServiceAccount without a namespace is one of the grant's. */
  readonly subject: (namespace: string) => Identity
  readonly permissions: readonly string[]
  readonly waive: readonly string[]
  readonly duration: string | null
  readonly notAfter: string | null
  readonly reason: string
  readonly ticket: string | null
  readonly until: { readonly kind: 'Job' | 'Pod'; readonly name: string } | null
  readonly incident: string | null
  readonly secretName: string | null
  readonly audiences: readonly string[]
  /** For the whole cluster. */
  readonly isWide: boolean
}

export const requestHelp = `usage: lapse request --as-subject SUBJECT (--permission NAME… | --waive CHECK…) --reason TEXT [OPTION…]

Asks for access for a time: creates an NHIGrant and waits until it is Active, saying what it waits for.

      --as-subject SUBJECT who gets it: sa/NAME, sa/NAMESPACE/NAME, user/NAME or group/NAME
      --policy NAME[@VERSION]
                           under which policy (default: the only one that governs the subject and offers it)
      --permission NAME    a permission set of the policy; may be repeated
      --waive CHECK        a check to waive for the subject's workloads; may be repeated
      --for DURATION       how long, such as 30m (default: as the policy says)
      --until-time TIME    or until this instant, such as 2027-03-01T00:00:00Z
      --until KIND/NAME    end it with job/NAME or pod/NAME, if that is earlier
      --reason TEXT        what it is for
      --ticket TICKET      that asks for it
      --break-glass INCIDENT
                           an emergency: no approval, a shorter time, a review afterwards
      --credential SECRET  put the token of an identity of its own into a Secret of this name
      --audience NAME      for whom that token is (default: the API server); may be repeated
      --print-credential token|kubeconfig
                           print that, and nothing else, to stdout once it is there
      --cluster            for the whole cluster: a ClusterNHIGrant
      --name NAME          of the grant (default: the subject's, and something random)
      --wait DURATION      how long to wait (default: 60s)
      --no-wait            do not wait
${clusterHelp}
exit codes: 0 it is Active (--no-wait: it is created), 1 it is refused, denied or over, 2 wrong usage, 3 invalid input,
4 the cluster cannot be reached or does not permit it, 6 still waiting; the grant stays and may yet become Active

lapse request -n payments --as-subject sa/api --policy payments-deploy --permission rollout --for 30m --reason 'Release 41'
`

const options = {
  ...clusterOptions,
  'as-subject': { type: 'string' },
  policy: { type: 'string' },
  permission: { type: 'string', multiple: true },
  waive: { type: 'string', multiple: true },
  for: { type: 'string' },
  'until-time': { type: 'string' },
  until: { type: 'string' },
  reason: { type: 'string' },
  ticket: { type: 'string' },
  'break-glass': { type: 'string' },
  credential: { type: 'string' },
  audience: { type: 'string', multiple: true },
  'print-credential': { type: 'string' },
  name: { type: 'string' },
  cluster: { type: 'boolean' },
  wait: { type: 'string' },
  'no-wait': { type: 'boolean' },
} as const

type Values = ReturnType<typeof parseOptions<typeof options>>['values']

/** null: help is asked for. Throws UsageError. */
export function parseRequestArgs(argv: readonly string[]): RequestArgs | null {
  const { values, positionals } = parseOptions(argv, options)
  if (values.help === true) return null
  wordsOf(positionals, [])
  const cluster = clusterArgsOf(values)
  const credential = credentialFormOf(values)
  if (credential !== null && cluster.output !== 'text')
    throw new UsageError('--print-credential is all that is printed: leave out --output')
  return { cluster, wish: wishOf(values), wait: waitOf(values), credential }
}

function wishOf(values: Values): Wish {
  const subject = required('--as-subject', values['as-subject'])
  const [permissions, waive] = [listOf(values.permission), listOf(values.waive)]
  if (permissions.length + waive.length === 0) throw new UsageError('say what to ask for: --permission or --waive')
  if (values.for !== undefined && values['until-time'] !== undefined)
    throw new UsageError('give --for or --until-time, not both')
  parseIdentity('--as-subject', subject, 'default')
  if (values.cluster === true) checkWide(values)
  return {
    name: values.name ?? null,
    policy: values.policy === undefined ? null : policyOf(values.policy),
    subject: (namespace) => parseIdentity('--as-subject', subject, namespace),
    permissions,
    waive,
    duration: values.for === undefined ? null : durationText(values.for),
    notAfter: values['until-time'] === undefined ? null : instantText(values['until-time']),
    reason: required('--reason', values.reason),
    ticket: values.ticket ?? null,
    until: values.until === undefined ? null : untilOf(values.until),
    incident: values['break-glass'] ?? null,
    secretName: values.credential ?? null,
    audiences: listOf(values.audience),
    isWide: values.cluster === true,
  }
}

/** What lives in a namespace is not for the whole cluster. Throws UsageError. */
function checkWide(values: Values): void {
  const bound = (['waive', 'until', 'credential', 'audience', 'print-credential'] as const).find(
    (option) => values[option] !== undefined,
  )
  if (bound !== undefined) throw new UsageError(`--${bound} is for a grant in a namespace, not with --cluster`)
}

function policyOf(text: string): NonNullable<Wish['policy']> {
  const [name = '', version, ...rest] = text.split('@')
  if (name === '' || version === '' || rest.length > 0)
    throw new UsageError(`--policy must be NAME or NAME@VERSION, not ${JSON.stringify(text)}`)
  return { name, version: version ?? null }
}

function untilOf(text: string): NonNullable<Wish['until']> {
  const [kind = '', name = '', ...rest] = text.split('/')
  const known = ({ job: 'Job', pod: 'Pod' } as const)[kind.toLowerCase()]
  if (known === undefined || name === '' || rest.length > 0)
    throw new UsageError(`--until must be job/NAME or pod/NAME, not ${JSON.stringify(text)}`)
  return { kind: known, name }
}

function durationText(text: string): string {
  durationOf('--for', text)
  return text
}

function instantText(text: string): string {
  const instant = parseInstant(text)
  if (instant === null)
    throw new UsageError(`--until-time must be a timestamp such as 2027-03-01T00:00:00Z, not ${JSON.stringify(text)}`)
  return formatInstant(instant)
}

function waitOf({ wait, 'no-wait': noWait }: Values): Millis {
  if (noWait === true && wait !== undefined) throw new UsageError('give --wait or --no-wait, not both')
  return noWait === true ? 0 : durationOf('--wait', wait ?? '60s')
}

function credentialFormOf({
  credential,
  audience,
  'print-credential': form,
  'no-wait': noWait,
}: Values): CredentialForm | null {
  if (audience !== undefined && credential === undefined) throw new UsageError('--audience needs --credential')
  if (form === undefined) return null
  if (form !== 'token' && form !== 'kubeconfig')
    throw new UsageError(`--print-credential must be token or kubeconfig, not ${JSON.stringify(form)}`)
  if (credential === undefined) throw new UsageError('--print-credential needs --credential')
  if (noWait === true) throw new UsageError('--print-credential waits: leave out --no-wait')
  return form
}
