import type { EntryOf } from './entry.ts'

/** What a policy asks for in CEL. A waiver for one would be a waiver for all, so there is none. */
export const conditionEntries = [
  {
    id: 'condition',
    code: 'C01',
    title: 'A condition of the policy that does not hold',
    what: '`workloads.conditions` over the object that makes the pods, and `grants.conditions` over the grant; one that cannot be judged does not hold.',
    severity: 'High',
    remedy: 'See the condition of that name in the policy, and docs/cel.md',
    area: 'Condition',
    references: [],
    waivable: false,
  },
] as const satisfies readonly EntryOf<string>[]
