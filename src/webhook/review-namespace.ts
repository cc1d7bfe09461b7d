import { namespaceChanges, type NamespaceChange } from '../core/policy/namespace-change.ts'
import { describePolicy } from '../core/policy/policy.ts'
import { readLabels } from '../world/read-facts.ts'
import { allowed, allowedWith, warningOf } from './answer.ts'
import type { Review } from './review.ts'

/**
 * Who may label a namespace decides which policies select it. That is his right, and it is told: to him what ends, and to the
 * audit log what ends and what begins.
 */
export const reviewNamespace: Review = ({ operation, name, object, oldObject }, { world }) => {
  if (operation !== 'UPDATE') return allowed
  const changes = namespaceChanges(readLabels(oldObject), readLabels(object), world.policies())
  if (changes.length === 0) return allowed
  const texts = changes.map((change) => describe(change, name))
  const warnings = texts.filter((_, index) => changes[index]?.selected === 'no longer').map(warningOf)
  const policies = [...new Set(changes.map(({ policy }) => describePolicy(policy)))]
  return allowedWith({ warnings, auditAnnotations: { policies: policies.join(','), selection: texts.join('; ') } })
}

function describe({ policy, path, selected }: NamespaceChange, namespace: string): string {
  const whose = `policy ${describePolicy(policy)} ${selected}`
  const does = path === 'spec.scope' ? 'lets grants apply in' : 'governs ServiceAccounts of'
  return `${whose} ${does} namespace ${namespace} (${path})`
}
