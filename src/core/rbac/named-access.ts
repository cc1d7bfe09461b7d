import { ruleAllows } from './authorize.ts'
import type { Provenance, RequestAttributes } from './authorize.ts'

/** An object to which the request is allowed, and what allows it. */
export interface NamedAccess {
  readonly name: string
  readonly by: Provenance
}

/**
 * The first name in the held rules to which the request, asked without a name, is allowed; null: there is none. A POST
 * that creates carries no name, so a named `create` counts only for a subresource, or where a PUT or an apply of the same
 * name is allowed too: those create what is not there. The work is linear in the rules and their names.
 */
export function namedAccess(request: RequestAttributes, held: readonly Provenance[]): NamedAccess | null {
  const candidates = held.filter(({ rule }) => rule.resourceNames?.length && allowsSome(rule, request))
  if (candidates.length === 0) return null
  const isUsable = isPost(request) ? writableNames(request, held) : () => true
  for (const by of candidates) {
    const name = by.rule.resourceNames?.find(isUsable)
    if (name !== undefined) return { name, by }
  }
  return null
}

function isPost({ verb, subresource }: RequestAttributes): boolean {
  return verb === 'create' && subresource === ''
}

/** Tells of a name whether it can be updated or patched. */
function writableNames(request: RequestAttributes, held: readonly Provenance[]): (name: string) => boolean {
  const names = new Set<string>()
  for (const { rule } of held) {
    if (!['update', 'patch'].some((verb) => allowsSome(rule, { ...request, verb }))) continue
    if (!rule.resourceNames?.length) return () => true
    for (const name of rule.resourceNames) names.add(name)
  }
  return (name) => names.has(name)
}

/** Whether the rule allows the request to any name: the first of its names stands for all of them. */
function allowsSome(rule: Provenance['rule'], request: RequestAttributes): boolean {
  return ruleAllows(rule, { ...request, name: rule.resourceNames?.[0] ?? '' })
}
