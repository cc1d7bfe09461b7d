import type { EntryOf } from './entry.ts'

export const escalationEntries = [
  {
    id: 'escalation',
    code: 'E01',
    title: 'Access by becoming another identity',
    what: 'Whom the ServiceAccount can become, in up to four steps, by capabilities that the policy does not forbid: workload-create, pod-mutate, exec and nodes-proxy lead to every account of the namespace or cluster that a binding names, whether a Pod of it runs or not; token-request and impersonate to those that they are for; secrets-write together with secrets-read to accounts whose tokens such Secrets can hold; bind and escalate to more access of its own. Found when one of them holds what the policy forbids, and when they are more than 128.',
    severity: 'Critical',
    remedy: 'Take away the access that the first step needs, or ask for it with a time-bound grant',
    area: 'Escalation',
    references: ['OWASP NHI5:2025'],
    waivable: true,
  },
] as const satisfies readonly EntryOf<string>[]
