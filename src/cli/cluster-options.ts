import { UsageError } from '../runtime/usage-error.ts'

/** What every command takes that speaks to a cluster for the user who calls it. */
export const clusterOptions = {
  help: { type: 'boolean', short: 'h' },
  namespace: { type: 'string', short: 'n' },
  kubeconfig: { type: 'string' },
  as: { type: 'string' },
  'as-group': { type: 'string', multiple: true },
  output: { type: 'string', short: 'o' },
} as const

export const clusterHelp = `  -n, --namespace NS       the namespace (default: that of the kubeconfig's context)
      --kubeconfig FILE    of the cluster (default: KUBECONFIG, ~/.kube/config)
      --as USER            ask the cluster as this user, if it lets you
      --as-group GROUP     and as a member of this group; may be repeated
  -o, --output FORMAT      text, json or yaml (default: text)
`

export const documentFormats = ['text', 'json', 'yaml'] as const
export type DocumentFormat = (typeof documentFormats)[number]

/** Which cluster, as whom, where. */
export interface ClusterArgs {
  /** null: where kubectl looks. */
  readonly kubeconfig: string | null
  /** null: that of the kubeconfig's context. */
  readonly namespace: string | null
  /** null: whoever the kubeconfig says. */
  readonly impersonate: Impersonated | null
  readonly output: DocumentFormat
}

export interface Impersonated {
  readonly user: string
  readonly groups: readonly string[]
}

interface ClusterValues {
  readonly namespace?: string
  readonly kubeconfig?: string
  readonly as?: string
  readonly 'as-group'?: readonly string[]
  readonly output?: string
}

/** Throws UsageError. */
export function clusterArgsOf(values: ClusterValues): ClusterArgs {
  return {
    kubeconfig: values.kubeconfig ?? null,
    namespace: values.namespace === undefined ? null : namespaceOf('--namespace', values.namespace),
    impersonate: impersonatedOf(values.as, values['as-group'] ?? []),
    output: formatOf(values.output ?? 'text'),
  }
}

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/** Throws UsageError. `what` names the place in the message. */
export function namespaceOf(what: string, name: string): string {
  if (dnsLabel.test(name)) return name
  throw new UsageError(`${what} must be the name of a namespace, not ${JSON.stringify(name)}`)
}

function impersonatedOf(user: string | undefined, groups: readonly string[]): Impersonated | null {
  if (user !== undefined) return { user, groups }
  if (groups.length > 0) throw new UsageError('--as-group needs --as')
  return null
}

function formatOf(text: string): DocumentFormat {
  const format = documentFormats.find((each) => each === text)
  if (format !== undefined) return format
  throw new UsageError(`--output must be text, json or yaml, not ${JSON.stringify(text)}`)
}
