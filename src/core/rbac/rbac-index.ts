import { aggregate } from './aggregation.ts'
import type { BindingObject, RoleObject, RoleView } from './objects.ts'
import { isBindingKind, readBinding, readRole } from './read-objects.ts'
import type { RbacKind } from './read-objects.ts'
import { subjectKeyOf } from './subject.ts'
import type { SubjectKey } from './subject.ts'

/** The scope of cluster-scoped objects; no namespace has this name. */
const cluster = ''

type ByScope<T> = Map<string, Map<string, T>>

/**
 * The RBAC objects of a cluster in memory, fed with raw JSON objects. What one subject is bound to is found in the time
 * that its own bindings take, however many others there are.
 */
export class RbacIndex implements RoleView {
  readonly #roles: ByScope<RoleObject> = new Map()
  readonly #bindings: ByScope<BindingObject> = new Map()
  readonly #bySubject = new Map<SubjectKey, ByScope<BindingObject>>()
  readonly #byRole = new Map<string, Set<BindingObject>>()
  readonly #aggregated = new Map<string, RoleObject>()
  #generation = 0

  get generation(): number {
    return this.#generation
  }

  /** Adds or overwrites one object. Throws TypeError, and changes nothing, when it cannot be read. */
  upsert(kind: RbacKind, raw: unknown): void {
    const store = this.#read(kind, raw)
    this.#generation++
    store()
  }

  /** Removes the object, if there is one. The namespace of a cluster-scoped kind is null or ignored. */
  remove(kind: RbacKind, namespace: string | null, name: string): void {
    this.#generation++
    const scope = isClusterKind(kind) ? cluster : namespace
    if (scope === null) return
    if (isBindingKind(kind)) this.#dropBinding(scope, name)
    else this.#dropRole(scope, name)
  }

  /** Makes these the only objects of the kind, as after a new list. Throws TypeError, and changes nothing, as `upsert`. */
  replace(kind: RbacKind, raws: readonly unknown[]): void {
    const stores = raws.map((raw) => this.#read(kind, raw))
    this.#generation++
    this.#clear(kind)
    for (const store of stores) store()
  }

  /** Fills in the rules of aggregated ClusterRoles that have none: for manifests, where no controller does it. */
  completeAggregation(): void {
    this.#generation++
    for (const role of aggregate([...(this.#roles.get(cluster)?.values() ?? [])])) this.#putRole(role)
  }

  role(namespace: string, name: string): RoleObject | null {
    return namespace === cluster ? null : (this.#roles.get(namespace)?.get(name) ?? null)
  }

  clusterRole(name: string): RoleObject | null {
    return this.#roles.get(cluster)?.get(name) ?? null
  }

  roleBindings(namespace: string): readonly BindingObject[] {
    return namespace === cluster ? [] : [...(this.#bindings.get(namespace)?.values() ?? [])]
  }

  boundNamespaces(): readonly string[] {
    return namespacesOf(this.#bindings)
  }

  clusterRoleBindings(): readonly BindingObject[] {
    return [...(this.#bindings.get(cluster)?.values() ?? [])]
  }

  clusterRoles(): readonly RoleObject[] {
    return [...(this.#roles.get(cluster)?.values() ?? [])]
  }

  aggregatedRoles(): readonly RoleObject[] {
    return [...this.#aggregated.values()]
  }

  bindingsTo(namespace: string | null, name: string): readonly BindingObject[] {
    return [...(this.#byRole.get(roleKey(namespace, name)) ?? [])]
  }

  bindingsNaming(subject: SubjectKey, namespace: string): readonly BindingObject[] {
    return [...(this.#bySubject.get(subject)?.get(namespace)?.values() ?? [])]
  }

  namespacesNaming(subject: SubjectKey): readonly string[] {
    return namespacesOf(this.#bySubject.get(subject) ?? new Map())
  }

  #read(kind: RbacKind, raw: unknown): () => void {
    if (isBindingKind(kind)) {
      const binding = readBinding(kind, raw)
      return () => this.#putBinding(binding)
    }
    const role = readRole(kind, raw)
    return () => this.#putRole(role)
  }

  #putRole(role: RoleObject): void {
    this.#dropRole(role.namespace ?? cluster, role.name)
    put(this.#roles, role.namespace ?? cluster, role)
    if (role.aggregation !== undefined) this.#aggregated.set(role.name, role)
  }

  #dropRole(scope: string, name: string): void {
    drop(this.#roles, scope, name)
    if (scope === cluster) this.#aggregated.delete(name)
  }

  #putBinding(binding: BindingObject): void {
    const scope = binding.namespace ?? cluster
    this.#dropBinding(scope, binding.name)
    put(this.#bindings, scope, binding)
    const role = roleKeyOf(binding)
    this.#byRole.set(role, (this.#byRole.get(role) ?? new Set()).add(binding))
    for (const key of keysOf(binding)) {
      const scopes = this.#bySubject.get(key) ?? new Map<string, Map<string, BindingObject>>()
      this.#bySubject.set(key, scopes)
      put(scopes, scope, binding)
    }
  }

  #dropBinding(scope: string, name: string): void {
    const binding = this.#bindings.get(scope)?.get(name)
    if (binding === undefined) return
    drop(this.#bindings, scope, name)
    const role = roleKeyOf(binding)
    const referring = this.#byRole.get(role)
    referring?.delete(binding)
    if (referring?.size === 0) this.#byRole.delete(role)
    for (const key of keysOf(binding)) {
      const scopes = this.#bySubject.get(key)
      if (scopes === undefined) continue
      drop(scopes, scope, name)
      if (scopes.size === 0) this.#bySubject.delete(key)
    }
  }

  #clear(kind: RbacKind): void {
    const held: ByScope<unknown> = isBindingKind(kind) ? this.#bindings : this.#roles
    for (const scope of [...held.keys()].filter((key) => (key === cluster) === isClusterKind(kind))) {
      for (const name of Array.from(held.get(scope)?.keys() ?? [])) {
        if (isBindingKind(kind)) this.#dropBinding(scope, name)
        else this.#dropRole(scope, name)
      }
    }
  }
}

function isClusterKind(kind: RbacKind): boolean {
  return kind === 'ClusterRole' || kind === 'ClusterRoleBinding'
}

function roleKey(namespace: string | null, name: string): string {
  return namespace === null ? name : `${namespace}/${name}`
}

/** A ClusterRole of that name for every kind of role but Role: RBAC knows no other, and gives nothing by it. */
function roleKeyOf({ namespace, roleRef }: BindingObject): string {
  return roleKey(roleRef.kind === 'Role' ? namespace : null, roleRef.name)
}

function keysOf(binding: BindingObject): ReadonlySet<SubjectKey> {
  const keys = binding.subjects.map((subject) => subjectKeyOf(subject, binding.namespace ?? cluster))
  return new Set(keys.filter((key) => key !== null))
}

function put<T extends { readonly name: string }>(objects: ByScope<T>, scope: string, object: T): void {
  const named = objects.get(scope) ?? new Map<string, T>()
  objects.set(scope, named.set(object.name, object))
}

function drop(objects: ByScope<unknown>, scope: string, name: string): void {
  const named = objects.get(scope)
  named?.delete(name)
  if (named?.size === 0) objects.delete(scope)
}

function namespacesOf(objects: ByScope<unknown>): readonly string[] {
  return [...objects.keys()].filter((scope) => scope !== cluster)
}
