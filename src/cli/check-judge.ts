import { ConditionBudget } from '../core/cel/budget.ts'
import type { JsonObject } from '../api/validate.ts'
import type { ParsedGrant } from '../api/v1alpha1/parse-nhi-grant.ts'
import type { Policy } from '../core/policy/policy.ts'
import type { JudgedObject } from '../core/workload/conditions.ts'
import { reviewWorkload } from '../core/workload/review.ts'
import type { Workload } from '../core/workload/workload.ts'
import { judgementOf, type Judgement } from './check-finding.ts'
import type { Placed } from './check-world.ts'
import type { Setting } from './check-setting.ts'
import { unknownRoles } from './check-unknown-roles.ts'

/** An object with at least one pod template. */
export interface JudgedWorkload {
  readonly kind: 'Workload'
  readonly workloads: readonly [Workload, ...(readonly Workload[])]
  readonly namespace: string
  readonly object: JsonObject
}

/** What can be judged; everything else among the files is only the world. */
export type Judged =
  | JudgedWorkload
  | { readonly kind: 'Policy'; readonly policy: Policy }
  | { readonly kind: 'Grant'; readonly grant: ParsedGrant }
  /** An RBAC object, a ServiceAccount or a Secret. */
  | { readonly kind: 'Access'; readonly object: Placed; readonly name: string }

/**
 * The verdict of the admission webhook, from the functions that it uses itself, and a warning wherever the files alone
 * cannot tell. null: it is of no concern to anybody whom a policy governs, and not worth a word. What judges policies, grants
 * and access is loaded when there is one to judge: it would cost the start of every other check several ms.
 */
export async function judge(judged: Judged, setting: Setting): Promise<Judgement | null> {
  switch (judged.kind) {
    case 'Workload':
      return judgeWorkload(judged, setting)
    case 'Policy':
      return judgePolicy(judged.policy, setting)
    case 'Grant': {
      const { judgeGrant } = await import('./check-grant.ts')
      return judgeGrant(judged.grant, setting)
    }
    case 'Access': {
      const { judgeAccess } = await import('./check-access.ts')
      return judgeAccess(judged.object, setting)
    }
  }
}

async function judgePolicy(policy: Policy, { world, before, now }: Setting): Promise<Judgement> {
  const { reviewPolicyChange } = await import('../core/policy/accept.ts')
  const findings = reviewPolicyChange(before.policy(policy.name), policy, world, now)
  return judgementOf(findings.map((finding) => ({ ...finding, enforcement: 'Deny', policy })))
}

function judgeWorkload(judged: JudgedWorkload, setting: Setting): Judgement {
  const { object } = judged
  const asked = { object, oldObject: null, request: requestFor(judged, setting), budget: new ConditionBudget() }
  const verdicts = judged.workloads.map((workload) => judgeTemplate(workload, judged.namespace, asked, setting))
  const [first] = verdicts
  if (first !== undefined && verdicts.length === 1) return first
  if (verdicts.every(({ verdict }) => verdict === 'Ungoverned')) return { verdict: 'Ungoverned', findings: [] }
  return judgementOf(verdicts.flatMap(({ findings }) => findings))
}

function judgeTemplate(workload: Workload, namespace: string, asked: JudgedObject, setting: Setting): Judgement {
  const { world, worldSource, now } = setting
  const { verdict, findings } = reviewWorkload(workload, namespace, world, now, asked)
  if (verdict === 'Ungoverned' || worldSource === 'cluster') return { verdict, findings }
  const unknown = unknownRoles(workload, namespace, world)
  return unknown.length === 0 ? { verdict, findings } : judgementOf([...findings, ...unknown])
}

/** null: nobody is said to ask. */
function requestFor({ workloads, namespace }: JudgedWorkload, { requester }: Setting): JudgedObject['request'] {
  if (requester === null) return null
  const [{ name, kind, apiVersion }] = workloads
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  const userInfo = { username: requester.username, groups: requester.groups ?? [] }
  return { operation: 'CREATE', userInfo, namespace, name, kind: { group, kind } }
}
