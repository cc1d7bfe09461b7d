import { boundRole } from '../rbac/authorize.ts'
import type { BindingObject, RoleView, RoleObject } from '../rbac/objects.ts'
import type { PolicyRule } from '../rbac/rule.ts'
import type { AccessWrite, BindingWrite, RoleWrite } from './access-write.ts'
import { beyond } from './beyond.ts'
import { aggregatesOf, carriedRules } from './carried-rules.ts'
import { isStanding } from './is-standing.ts'

/** Rules that a write makes a binding hand on, and that it did not hand on before. */
export interface Handed {
  readonly binding: BindingObject
  /** null: the role does not exist, so that nobody knows. */
  readonly rules: readonly PolicyRule[] | null
  /** Field of the written object that does it; null: the subject of the binding. */
  readonly path: string | null
}

/** Starts from the bindings that the write concerns: what others hand on does not change. */
export function handedBy(write: AccessWrite, view: RoleView, grantBindings: ReadonlySet<string>): readonly Handed[] {
  const handed = write.kind === 'Binding' ? [throughBinding(write, view)] : throughRole(write, view)
  return handed.filter(({ binding }) => isStanding(binding, grantBindings))
}

function throughBinding({ after }: BindingWrite, view: RoleView): Handed {
  const role = boundRole(after, view)
  return { binding: after, rules: role === null ? null : effectiveIn(after, carriedRules(role, view)), path: null }
}

function throughRole(write: RoleWrite, view: RoleView): readonly Handed[] {
  const { before, after } = write
  const own = addedRules(before?.rules ?? [], carriedRules(after, view))
  const direct = bindingsTo(after, view, own, 'rules')
  const aggregatedBefore = before === null ? new Set<string>() : aggregatesOf(before, view)
  const indirect = [...aggregatesOf(after, view)].flatMap((name) => {
    const isNew = !aggregatedBefore.has(name)
    const role = { namespace: null, name }
    return bindingsTo(role, view, isNew ? carriedRules(after, view) : own, isNew ? 'metadata.labels' : 'rules')
  })
  return [...direct, ...indirect]
}

/** What every subject of the role gains at most: told once, and not for each of them anew. */
function addedRules(before: readonly PolicyRule[], after: readonly PolicyRule[]): readonly PolicyRule[] {
  const added = beyond(before, after)
  switch (added.kind) {
    case 'Nothing':
      return []
    case 'Permissions':
      return added.missing
    case 'Uncountable':
      return after
  }
}

function bindingsTo(
  role: Pick<RoleObject, 'namespace' | 'name'>,
  view: RoleView,
  rules: readonly PolicyRule[],
  path: string,
): readonly Handed[] {
  if (rules.length === 0) return []
  return view
    .bindingsTo(role.namespace, role.name)
    .map((binding) => ({ binding, rules: effectiveIn(binding, rules), path }))
}

/** URLs belong to no namespace: a RoleBinding does not give them. */
function effectiveIn({ namespace }: BindingObject, rules: readonly PolicyRule[]): readonly PolicyRule[] {
  return namespace === null ? rules : rules.filter(({ resources }) => (resources ?? []).length > 0)
}
