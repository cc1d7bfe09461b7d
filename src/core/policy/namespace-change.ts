import { selects, type LabelSelector, type Labels } from '../selector.ts'
import type { Policy } from './policy.ts'

/** What other labels of a namespace mean to one selector of a policy. */
export interface NamespaceChange {
  readonly policy: Policy
  /** Field path of the entry in the policy: `spec.subjects[0]`, `spec.scope`. */
  readonly path: string
  readonly selected: 'from now on' | 'no longer'
}

interface Entry {
  readonly path: string
  readonly selector: LabelSelector | null
}

/** What changes when a namespace gets other labels: policies in order, in each the subjects and then the scope. */
export function namespaceChanges(
  before: Labels,
  after: Labels,
  policies: readonly Policy[],
): readonly NamespaceChange[] {
  return policies.flatMap((policy) =>
    entriesOf(policy).flatMap(({ path, selector }): readonly NamespaceChange[] => {
      const was = selects(selector, before)
      const is = selects(selector, after)
      return was === is ? [] : [{ policy, path, selected: is ? 'from now on' : 'no longer' }]
    }),
  )
}

function entriesOf({ subjects, scope }: Policy): readonly Entry[] {
  const accounts = subjects.flatMap((rule, index): readonly Entry[] =>
    rule.kind === 'ServiceAccount' ? [{ path: `spec.subjects[${index}]`, selector: rule.namespaceSelector }] : [],
  )
  return [...accounts, { path: 'spec.scope', selector: scope }]
}
