export type Labels = Readonly<Record<string, string>>

export interface SelectorRequirement {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  readonly values?: readonly string[]
}

/** A Kubernetes label selector: all parts must hold; `{}` matches everything. Omission is the holder's to decide. */
export interface LabelSelector {
  readonly matchLabels?: Labels
  readonly matchExpressions?: readonly SelectorRequirement[]
}

/** Whether the labels satisfy the selector. A null selector was omitted and matches nothing. */
export function selects(selector: LabelSelector | null, labels: Labels): boolean {
  if (selector === null) return false
  const wanted = Object.entries(selector.matchLabels ?? {})
  return (
    wanted.every(([key, value]) => valueOf(labels, key) === value) &&
    (selector.matchExpressions ?? []).every((requirement) => satisfies(requirement, labels))
  )
}

function satisfies(requirement: SelectorRequirement, labels: Labels): boolean {
  const value = valueOf(labels, requirement.key)
  const values = requirement.values ?? []
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}

/** Own properties only: a label key such as `constructor` must not find what every object inherits. */
function valueOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}
