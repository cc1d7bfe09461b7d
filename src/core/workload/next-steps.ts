import type { Finding } from '../finding.ts'
import type { Policy } from '../policy/policy.ts'
import type { Identity } from '../identity.ts'
import { requestCommand, type Proposal } from '../grant/request-command.ts'
import { capabilityIds } from '../rbac/capability.ts'
import { selects } from '../selector.ts'
import type { World } from '../world.ts'
import type { Waiver } from './waivers.ts'

/** What was refused: a workload of the namespace, and the names of the ServiceAccounts that it runs as. */
export interface RefusedWorkload {
  readonly namespace: string
  readonly accounts: readonly string[]
}

/** A reason for a refusal, unless it is waived. */
type RefusedFinding = Finding & { readonly policy: Pick<Policy, 'name'> | null; readonly waivedBy?: Waiver }

/**
 * What the author of a refused workload can do beside mending it. Access that the identity must not hold for good may
 * still be had for a time, if one of the policies issues grants; and a policy may let a check be waived for a time, by a grant
 * under that very policy.
 */
export function nextSteps(
  findings: readonly RefusedFinding[],
  refused: RefusedWorkload,
  world: World,
): readonly string[] {
  const refusing = findings.filter(({ waivedBy }) => waivedBy === undefined)
  return [...accessSteps(refusing, refused, world), ...waiverSteps(refusing, refused, world)]
}

function accessSteps(findings: readonly RefusedFinding[], refused: RefusedWorkload, world: World): readonly string[] {
  const names = findings.filter(({ check }) => isCapability(check)).flatMap(({ policy }) => policy?.name ?? [])
  const issuing = names.find((name) => (world.policy(name)?.permissions ?? []).length > 0)
  if (issuing === undefined) return []
  const sets = (world.policy(issuing)?.permissions ?? []).map(({ name }) => name)
  const isChoice = sets.length > 1
  const command = commandFor(refused, { policy: issuing, permissions: isChoice ? ['NAME'] : sets, waive: [] })
  return [`to ask for time-bound access instead: ${command}${isChoice ? ` (NAME: ${sets.join(', ')})` : ''}`]
}

function commandFor(
  { namespace, accounts }: RefusedWorkload,
  wanted: Pick<Proposal, 'policy' | 'permissions' | 'waive'>,
): string {
  const [name, ...others] = new Set(accounts)
  const subject: Identity | null =
    name === undefined || others.length > 0 ? null : { kind: 'ServiceAccount', namespace, name }
  return requestCommand({ namespace, subject, ...wanted })
}

function isCapability(check: string): boolean {
  return (capabilityIds as readonly string[]).includes(check)
}

function waiverSteps(findings: readonly RefusedFinding[], refused: RefusedWorkload, world: World): readonly string[] {
  const names = new Set(findings.flatMap(({ policy }) => policy?.name ?? []))
  return [...names].flatMap((name) => {
    const waivable = waivableIn(refused.namespace, world.policy(name), world)
    const own = findings.filter(({ check, policy }) => policy?.name === name && waivable.includes(check))
    if (own.length === 0) return []
    const waive = [...new Set(own.map(({ check }) => check))]
    return [`to ask for an exception: ${commandFor(refused, { policy: name, permissions: [], waive })}`]
  })
}

function waivableIn(namespace: string, policy: Policy | null, world: World): readonly string[] {
  const labels = world.namespaceLabels(namespace)
  if (policy === null || labels === null || !selects(policy.scope, labels)) return []
  return policy.grants?.waivable ?? []
}
