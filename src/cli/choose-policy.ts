import { ClusterError } from '../cluster/errors.ts'
import { resources } from '../cluster/resources.ts'
import { loadConditionEngine } from '../core/cel/engine.ts'
import { describeIdentity, type Identity } from '../core/identity.ts'
import type { Policy } from '../core/policy/policy.ts'
import { canonicalIdentity, governs } from '../core/policy/select.ts'
import { selects } from '../core/selector.ts'
import { UsageError } from '../runtime/usage-error.ts'
import { WorldIndex } from '../world/world-index.ts'
import { sentenceOf } from './cluster-failure.ts'
import type { ClusterSession } from './cluster-session.ts'
import { oneLine } from './one-line.ts'
import type { Wish } from './request-args.ts'

/**
 * The policy of the wish, or else the only one that governs the subject and offers in the namespace all that is asked for.
 * Throws UsageError where there is not exactly one, or the user may not look.
 */
export async function policyFor(
  wish: Wish,
  session: ClusterSession,
  namespace: string,
): Promise<NonNullable<Wish['policy']>> {
  if (wish.policy !== null) return wish.policy
  const subject = canonicalIdentity(wish.subject(namespace))
  const world = await readWorld(subject, session, namespace)
  const offering = world.policies().filter((policy) => offers(policy, wish, subject, world, namespace))
  const [only] = offering
  if (only !== undefined && offering.length === 1) return { name: only.name, version: null }
  const found =
    offering.length === 0
      ? `no policy governs ${describeIdentity(subject)} and offers that in ${wish.isWide ? 'the whole cluster' : namespace}`
      : `more than one policy offers that: ${offering.map(({ name }) => name).join(', ')}`
  throw new UsageError(`${found}; name one with --policy`)
}

async function readWorld(subject: Identity, { client }: ClusterSession, namespace: string): Promise<WorldIndex> {
  const world = new WorldIndex()
  const home = subject.kind === 'ServiceAccount' ? subject : null
  const spaces = new Set([namespace, ...(home === null ? [] : [home.namespace])])
  try {
    await loadConditionEngine()
    for (const policy of await client.list(resources.accessPolicies)) world.put('AccessPolicy', policy)
    for (const name of spaces) {
      const found = await client.get(resources.namespaces, { namespace: '', name })
      if (found !== null) world.put('Namespace', found)
    }
    const account = home === null ? null : await client.get(resources.serviceAccounts, home)
    if (account !== null) world.put('ServiceAccount', account)
    return world
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error
    throw new UsageError(
      `which policy it falls under cannot be looked up: ${oneLine(sentenceOf(error))}; name it with --policy`,
    )
  }
}

function offers(policy: Policy, wish: Wish, subject: Identity, world: WorldIndex, namespace: string): boolean {
  if (policy.grants === null || !isInScope(policy, wish, world, namespace)) return false
  const { waivable } = policy.grants
  return (
    governs(policy, subject, world) &&
    wish.permissions.every((name) => policy.permissions.some((set) => set.name === name)) &&
    wish.waive.every((check) => waivable.some((each) => each === check))
  )
}

function isInScope({ scope, clusterScope }: Policy, { isWide }: Wish, world: WorldIndex, namespace: string): boolean {
  if (isWide) return clusterScope
  const labels = world.namespaceLabels(namespace)
  return labels !== null && selects(scope, labels)
}
