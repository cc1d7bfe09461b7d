import { isDeepStrictEqual } from 'node:util'
import type { ConfiguredRule, ConfiguredWebhook } from './configured-webhook.ts'

/** In what the webhooks that are there ask less than those that must be, a clause each; empty: in nothing. */
export function weaknesses(
  expected: readonly ConfiguredWebhook[],
  found: readonly ConfiguredWebhook[],
): readonly string[] {
  return expected.flatMap((webhook) => {
    const live = found.find(({ name }) => name === webhook.name)
    if (live === undefined) return [`${webhook.name} is gone`]
    return weaknessesOf(webhook, live).map((weakness) => `${webhook.name} ${weakness}`)
  })
}

function weaknessesOf(expected: ConfiguredWebhook, live: ConfiguredWebhook): readonly string[] {
  const found: (string | null)[] = [
    ...unasked(expected, live),
    expected.failurePolicy === 'Fail' && live.failurePolicy !== 'Fail' ? 'lets through what it cannot judge' : null,
    expected.matchPolicy === 'Equivalent' && live.matchPolicy !== 'Equivalent' ? 'misses other API versions' : null,
    live.timeoutSeconds < expected.timeoutSeconds ? `waits ${live.timeoutSeconds} s only` : null,
    selectorDiffers('namespaceSelector', expected, live),
    selectorDiffers('objectSelector', expected, live),
    ...furtherConditions(expected, live),
    live.target === expected.target ? null : `asks ${live.target}`,
    live.hasCaBundle ? null : 'has no caBundle',
  ]
  return found.filter((weakness) => weakness !== null)
}

/** Whether a selector leaves out more is not decidable in general: any other than the expected one counts. */
function selectorDiffers(
  field: 'namespaceSelector' | 'objectSelector',
  expected: ConfiguredWebhook,
  live: ConfiguredWebhook,
): string | null {
  return isDeepStrictEqual(expected[field], live[field]) ? null : `has another ${field}`
}

/** A condition that is gone lets more through to the webhook, not past it. */
function furtherConditions(expected: ConfiguredWebhook, live: ConfiguredWebhook): readonly string[] {
  return live.matchConditions
    .filter((condition) => !expected.matchConditions.some((known) => isDeepStrictEqual(known, condition)))
    .map(({ name }) => `has another matchCondition ${name}`)
}

function unasked(expected: ConfiguredWebhook, live: ConfiguredWebhook): readonly string[] {
  const missing = new Set<string>()
  for (const { rule, group, resource, operation } of expected.rules.flatMap(requestsOf))
    if (!live.rules.some((other) => asksAbout(other, rule, group, resource, operation)))
      missing.add(`${operation} ${group === '' ? resource : `${resource}.${group}`}`)
  return [...missing].map((request) => `is not asked about ${request}`)
}

function requestsOf(rule: ConfiguredRule) {
  return rule.apiGroups.flatMap((group) =>
    rule.resources.flatMap((resource) => rule.operations.map((operation) => ({ rule, group, resource, operation }))),
  )
}

function asksAbout(
  rule: ConfiguredRule,
  wanted: ConfiguredRule,
  group: string,
  resource: string,
  operation: string,
): boolean {
  return (
    has(rule.apiGroups, group) &&
    has(rule.operations, operation) &&
    (has(rule.resources, resource) || rule.resources.includes('*/*')) &&
    wanted.apiVersions.every((version) => has(rule.apiVersions, version)) &&
    (rule.scope === '*' || rule.scope === wanted.scope)
  )
}

/** `*` stands for every resource, but for no subresource. */
function has(list: readonly string[], item: string): boolean {
  return list.includes(item) || (list.includes('*') && !item.includes('/'))
}
