import { serviceAccountOf, usernameOf, type Identity } from '../identity.ts'
import { selects, type Labels } from '../selector.ts'
import type { World } from '../world.ts'
import type { Policy, SubjectRule } from './policy.ts'

/** What selection needs to know about an identity beside its name; null: not known, which no selector matches. */
interface SelectionFacts {
  readonly namespaceLabels: Labels | null
  readonly labels: Labels | null
}

/** What selection looks at. */
export type SelectionWorld = Pick<World, 'namespaceLabels' | 'serviceAccount'>

/** Whether the policy governs the identity: one of its subject entries matches. */
export function governs(policy: Policy, identity: Identity, world: SelectionWorld): boolean {
  const canonical = canonicalIdentity(identity)
  const facts = selectionFacts(canonical, world)
  return policy.subjects.some((rule) => matches(rule, canonical, facts))
}

/** Every policy that governs the identity, by name. */
export function governingPolicies(identity: Identity, world: World): readonly Policy[] {
  const canonical = canonicalIdentity(identity)
  const facts = selectionFacts(canonical, world)
  return world
    .policies()
    .filter((policy) => policy.subjects.some((rule) => matches(rule, canonical, facts)))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** A User that spells out a ServiceAccount's user name is that ServiceAccount: RBAC cannot tell them apart. */
export function canonicalIdentity(identity: Identity): Identity {
  if (identity.kind !== 'User') return identity
  const account = serviceAccountOf(identity.name)
  return account === null ? identity : { kind: 'ServiceAccount', ...account }
}

function selectionFacts(identity: Identity, world: SelectionWorld): SelectionFacts {
  if (identity.kind !== 'ServiceAccount') return { namespaceLabels: null, labels: null }
  return {
    namespaceLabels: world.namespaceLabels(identity.namespace),
    labels: world.serviceAccount(identity.namespace, identity.name)?.labels ?? null,
  }
}

function matches(rule: SubjectRule, identity: Identity, facts: SelectionFacts): boolean {
  switch (rule.kind) {
    case 'Group':
      return identity.kind === 'Group' && rule.names.includes(identity.name)
    case 'User': {
      const username = usernameOf(identity)
      return username !== null && rule.names.includes(username)
    }
    case 'ServiceAccount':
      return identity.kind === 'ServiceAccount' && matchesAccount(rule, identity.name, facts)
  }
}

function matchesAccount(
  rule: Extract<SubjectRule, { kind: 'ServiceAccount' }>,
  name: string,
  facts: SelectionFacts,
): boolean {
  if (facts.namespaceLabels === null || !selects(rule.namespaceSelector, facts.namespaceLabels)) return false
  return rule.names.includes(name) || (facts.labels !== null && selects(rule.selector, facts.labels))
}
