import { serviceAccountOf } from '../identity.ts'
import type { Identity } from '../identity.ts'
import { boundRole } from './authorize.ts'
import { capabilityCatalogue } from './capability-catalogue.ts'
import { generationMemo } from './generation-memo.ts'
import type { BindingObject, RbacView, RoleObject } from './objects.ts'
import { subjectKeyOf } from './subject.ts'
import type { SubjectKey } from './subject.ts'

type Account = Extract<Identity, { kind: 'ServiceAccount' }>

/** Whom bindings give access that a capability of the catalogue may lie in, each once; first whom ClusterRoleBindings do. */
export interface BoundIdentities {
  readonly accounts: readonly Account[]
  readonly accountsOf: ReadonlyMap<string, readonly Account[]>
  readonly users: readonly Identity[]
  readonly groups: readonly Identity[]
}

const remembered = generationMemo<BoundIdentities>()

/**
 * Reads every binding once a generation. An account counts whether it exists or not: a binding that waits for it gives its
 * access to whoever gets to be it. What all accounts of a namespace have as a group, its account `default` stands for.
 */
export function boundIdentities(view: RbacView): BoundIdentities {
  return remembered(view, '', () => collect(view))
}

/** Those of one namespace; empty: of all. */
export function boundAccounts(namespace: string, view: RbacView): readonly Account[] {
  const { accounts, accountsOf } = boundIdentities(view)
  return namespace === '' ? accounts : (accountsOf.get(namespace) ?? [])
}

function collect(view: RbacView): BoundIdentities {
  const byKey = new Map<string, Identity>()
  const add = (binding: BindingObject): void => {
    const role = boundRole(binding, view)
    if (role === null || !matters(role)) return
    for (const { key, identity } of named(binding)) {
      if (!byKey.has(key)) byKey.set(key, identity)
    }
  }
  view.clusterRoleBindings().forEach(add)
  for (const namespace of view.boundNamespaces()) view.roleBindings(namespace).forEach(add)
  return sorted([...byKey.values()])
}

interface Named {
  readonly key: SubjectKey
  readonly identity: Identity
}

const namedBy = new WeakMap<BindingObject, readonly Named[]>()

/** Bindings are many and seldom change: whom one names is worked out once. */
function named(binding: BindingObject): readonly Named[] {
  const before = namedBy.get(binding)
  if (before !== undefined) return before
  const keys = binding.subjects.map((subject) => subjectKeyOf(subject, binding.namespace ?? ''))
  const found = keys.filter((key) => key !== null).map((key) => ({ key, identity: identityOf(key) }))
  namedBy.set(binding, found)
  return found
}

const namespaceGroup = 'system:serviceaccounts:'

function identityOf(key: string): Identity {
  const name = key.slice(key.indexOf(':') + 1)
  if (key.startsWith('User:')) {
    const account = serviceAccountOf(name)
    return account === null ? { kind: 'User', name } : { kind: 'ServiceAccount', ...account }
  }
  if (!name.startsWith(namespaceGroup)) return { kind: 'Group', name }
  return { kind: 'ServiceAccount', namespace: name.slice(namespaceGroup.length), name: 'default' }
}

function sorted(all: readonly Identity[]): BoundIdentities {
  const accounts = all.filter((identity) => identity.kind === 'ServiceAccount')
  const accountsOf = Map.groupBy(accounts, ({ namespace }) => namespace)
  const users = all.filter(({ kind }) => kind === 'User')
  return { accounts, accountsOf, users, groups: all.filter(({ kind }) => kind === 'Group') }
}

const known = new WeakMap<RoleObject, boolean>()

/** Whether a rule of the role looks like part of a capability; groups and names are not looked at, so it may be none. */
function matters(role: RoleObject): boolean {
  const before = known.get(role)
  if (before !== undefined) return before
  const answer = role.aggregation !== undefined || role.rules.some(isSuspect)
  known.set(role, answer)
  return answer
}

function isSuspect({ verbs, resources = [] }: RoleObject['rules'][number]): boolean {
  return resources.some(
    (resource) =>
      resource.startsWith('*') || verbs.some((verb) => verb === '*' || suspectDeeds.has(`${verb} ${resource}`)),
  )
}

/** Every verb and resource that a capability asks for: `create pods/exec`. */
const suspectDeeds: ReadonlySet<string> = new Set(
  Object.values(capabilityCatalogue)
    .flatMap(({ ways }) => ways.flat(2))
    .map(({ verb, resource, subresource }) => `${verb} ${resource}${subresource === '' ? '' : `/${subresource}`}`),
)
