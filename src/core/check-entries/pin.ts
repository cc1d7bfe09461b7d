import type { EntryOf } from './entry.ts'

function pin<const Id extends string>(id: Id, code: string, title: string, what: string, remedy: string): EntryOf<Id> {
  const references = ['OWASP NHI1:2025']
  return { id, code, title, what, severity: 'High', remedy, area: 'Pin', references, waivable: false }
}

/** What can be wrong with the policy version that a pod template names. A waiver would be a way to stay on an old one. */
export const pinEntries = [
  pin(
    'pin-missing',
    'P01',
    'No pin to a version of the policy',
    'The annotation lapse.dev/policy of the pod template, where the policy sets workloads.pin.required: it must name the policy.',
    'Check the workload against the policy, and set the annotation to NAME@VERSION',
  ),
  pin(
    'pin-malformed',
    'P02',
    'A pin that cannot be read',
    'The form of the annotation lapse.dev/policy: NAME@VERSION, several separated by commas.',
    'Write it as NAME@VERSION',
  ),
  pin(
    'pin-stale',
    'P03',
    'A pin to a version that does not hold any more',
    'The version in the annotation lapse.dev/policy: it must be the active one, or one superseded for no longer than workloads.pin.grace and not withdrawn.',
    'Check the workload against the active version, and pin that',
  ),
  pin(
    'pin-foreign',
    'P04',
    'A pin to a policy that does not govern the workload',
    'The names in the annotation lapse.dev/policy: each must be a policy that governs the ServiceAccount of the workload.',
    'Remove the pin that names another policy',
  ),
] as const
