import { defaultServiceAccount, legacyToken, longLivedToken, needlessToken } from '../check-entries/token.ts'
import type { EntryOf } from '../check-entries/entry.ts'
import type { Finding } from '../finding.ts'
import { describeIdentity, type Identity } from '../identity.ts'
import type { Policy, WorkloadTerms } from '../policy/policy.ts'
import { governingPolicies } from '../policy/select.ts'
import { holdsMoreThanEverybody } from '../rbac/held-structure.ts'
import { formatDuration } from '../time.ts'
import type { World } from '../world.ts'
import { tokenReachable, type TokenCheckId } from './token.ts'
import { secretReferences, secretsInEnvironment } from './pod-secrets.ts'
import type { Workload } from './workload.ts'

type ServiceAccount = Extract<Identity, { kind: 'ServiceAccount' }>

/** One workload, and the account that it runs as. */
interface Judged {
  readonly workload: Workload
  readonly identity: ServiceAccount
  readonly world: World
}

const checks: Readonly<Record<TokenCheckId, (judged: Judged) => readonly Finding[]>> = {
  'default-service-account': reviewAccount,
  'needless-token': reviewNeed,
  'legacy-token': reviewLegacy,
  'secret-in-env': ({ workload }) => secretsInEnvironment(workload.pod, workload.podPath),
}

/** What is wrong with the tokens and secrets that a workload can reach, of what the policy asks for. */
export function reviewTokens(
  workload: Workload,
  identity: ServiceAccount,
  terms: Pick<WorkloadTerms, 'checks' | 'maxTokenLifetime'>,
  world: World,
): readonly Finding[] {
  return [
    ...terms.checks.flatMap((id) => checks[id]({ workload, identity, world })),
    ...reviewLifetimes(workload, terms.maxTokenLifetime),
  ]
}

function reviewAccount({ workload, identity, world }: Judged): readonly Finding[] {
  if (identity.name !== 'default') return []
  const reach = tokenReachable(workload.pod, automountOf(identity, world))
  if (!reach.reachable) return []
  const message = `runs as ${describeIdentity(identity)}, and can reach its token: ${reach.why}`
  return [findingOf(defaultServiceAccount, `${workload.podPath}.serviceAccountName`, message)]
}

/** What lies on the node is a matter of Pod Security, and a token for another audience is of no use to the API server. */
function reviewNeed({ workload, identity, world }: Judged): readonly Finding[] {
  const { pod, podPath } = workload
  const volumes = pod.volumes?.filter(({ hostPath }) => (hostPath ?? null) === null).map(forTheApiServer) ?? null
  const reach = tokenReachable({ ...pod, volumes }, automountOf(identity, world))
  if (!reach.reachable || holdsMoreThanEverybody(identity, world.rbac)) return []
  if (governingPolicies(identity, world).some(issuesAccess)) return []
  const message = `${describeIdentity(identity)} holds nothing that needs the token: ${reach.why}`
  return [findingOf(needlessToken, `${podPath}.automountServiceAccountToken`, message)]
}

/** Who may ask for access comes to need the token. */
function issuesAccess({ grants, permissions }: Policy): boolean {
  return grants !== null && permissions.length > 0
}

type Volume = NonNullable<Workload['pod']['volumes']>[number]

function forTheApiServer(volume: Volume): Volume {
  const sources = volume.projected?.sources?.filter(({ serviceAccountToken }) => !serviceAccountToken?.audience)
  return sources === undefined ? volume : { projected: { sources } }
}

function automountOf({ namespace, name }: ServiceAccount, world: World): boolean | null {
  return world.serviceAccount(namespace, name)?.automount ?? null
}

/** How the token controller named the Secrets that it made for every ServiceAccount. */
const madeForAccount = /^(.+)-token-[a-z0-9]{5}$/

function reviewLegacy({ workload }: Judged): readonly Finding[] {
  return secretReferences(workload.pod, workload.podPath).flatMap(({ secret, path }) => {
    const account = madeForAccount.exec(secret)?.[1]
    if (account === undefined) return []
    const message = `Secret ${secret} has the name of a token without end, of ServiceAccount ${account}`
    return [findingOf(legacyToken, path, message)]
  })
}

/** Of a projected token that does not say, as the API server defaults it. */
const defaultLifetime = 3_600

function reviewLifetimes({ pod, podPath }: Workload, longest: number | null): readonly Finding[] {
  if (longest === null) return []
  return (pod.volumes ?? []).flatMap(({ projected }, volume) =>
    (projected?.sources ?? []).flatMap(({ serviceAccountToken }, source) => {
      if (serviceAccountToken === null || serviceAccountToken === undefined) return []
      const lifetime = (serviceAccountToken.expirationSeconds ?? defaultLifetime) * 1_000
      if (lifetime <= longest) return []
      const path = `${podPath}.volumes[${volume}].projected.sources[${source}].serviceAccountToken.expirationSeconds`
      const message = `a token for ${formatDuration(lifetime)} is longer than the ${formatDuration(longest)} that the policy allows`
      return [findingOf(longLivedToken, path, message)]
    }),
  )
}

function findingOf({ id, severity, remedy }: EntryOf<string>, path: string, message: string): Finding {
  return { check: id, severity, path, message, remedy }
}
