import { highFinding, type Finding } from '../finding.ts'
import { describeIdentity, serviceAccountUsername, type Identity } from '../identity.ts'
import type { Policy } from '../policy/policy.ts'
import { bindingsOf, boundRole } from '../rbac/authorize.ts'
import type { PolicyRule } from '../rbac/rule.ts'
import type { World } from '../world.ts'
import { beyond, describeBeyond } from './beyond.ts'
import { isStanding } from './is-standing.ts'

/**
 * What the bindings that name a ServiceAccount give it for good beyond the policy's `standing`: one finding for the whole
 * cluster, and one for each namespace that adds to it. What it holds by groups it shares with others, and is left out.
 */
export function reviewHeld(
  account: Extract<Identity, { kind: 'ServiceAccount' }>,
  policy: Policy,
  world: World,
  path: string,
): readonly Finding[] {
  const listed = policy.workloads?.standing ?? null
  if (listed === null) return []
  const username = serviceAccountUsername(account.namespace, account.name)
  const everywhere = heldIn(username, '', world)
  return ['', ...[...world.rbac.namespacesNaming(`User:${username}`)].sort()].flatMap((namespace) => {
    const found =
      namespace === ''
        ? beyond(listed, everywhere)
        : beyond([...listed, ...everywhere], heldIn(username, namespace, world))
    if (found.kind === 'Nothing') return []
    const place = namespace === '' ? 'everywhere' : `in ${namespace}`
    const message = `${describeIdentity(account)} holds for good ${place}: ${describeBeyond(found)}`
    return [highFinding('standing-access', path, message, 'take it off its bindings, and ask for it with an NHIGrant')]
  })
}

function heldIn(username: string, namespace: string, world: World): readonly PolicyRule[] {
  const { rbac } = world
  const grants = world.grantBindings()
  const bindings = bindingsOf({ username, groups: [] }, rbac, namespace).filter((each) => isStanding(each, grants))
  return [...new Set(bindings.map((binding) => boundRole(binding, rbac)))].flatMap((role) => role?.rules ?? [])
}
