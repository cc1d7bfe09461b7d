import type {
  ApprovalTerms,
  BreakGlassTerms,
  GrantCondition,
  GrantTerms,
  RequesterRule,
  WhoRule,
} from '../../core/policy/policy.ts'
import { parseDuration, type Millis } from '../../core/time.ts'
import type { AccessPolicySpec } from './access-policy.schema.ts'

type WrittenTerms = NonNullable<AccessPolicySpec['grants']>

const defaultGrantDuration: Millis = 15 * 60_000
const defaultApprovalTime: Millis = 24 * 3_600_000

/** Terms that their schema has accepted; what was omitted is filled in. */
export function grantTermsOf(grants: WrittenTerms, conditions: readonly GrantCondition[]): GrantTerms {
  const maxDuration = durationOf(grants.maxDuration)
  return {
    maxDuration,
    defaultDuration: given(grants.defaultDuration) ?? Math.min(defaultGrantDuration, maxDuration),
    maxActivePerSubject: grants.maxActivePerSubject ?? 1,
    requesters: grants.requesters.map(requesterRuleOf),
    waivable: grants.waivable ?? [],
    conditions,
    approval: approvalTermsOf(grants.approval),
    breakGlass: grants.breakGlass === undefined ? null : breakGlassTermsOf(grants.breakGlass),
    until: grants.until ?? [],
    onRevoke: grants.onRevoke ?? null,
    retention: given(grants.retention),
  }
}

function approvalTermsOf(approval: WrittenTerms['approval']): ApprovalTerms {
  return {
    required: approval?.required ?? 0,
    by: (approval?.by ?? []).map(whoRuleOf),
    within: given(approval?.within) ?? defaultApprovalTime,
  }
}

function breakGlassTermsOf(terms: NonNullable<WrittenTerms['breakGlass']>): BreakGlassTerms {
  return {
    requesters: terms.requesters.map(requesterRuleOf),
    maxDuration: durationOf(terms.maxDuration),
    reviewWithin: durationOf(terms.reviewWithin),
    reviewers: terms.reviewers.map(whoRuleOf),
  }
}

function requesterRuleOf(rule: WrittenTerms['requesters'][number]): RequesterRule {
  const { kind, ...named } = rule
  return kind === 'Self' ? { kind } : whoRuleOf({ kind, ...named })
}

function whoRuleOf({
  kind,
  name = '',
  namespace = '',
}: {
  readonly kind: WhoRule['kind']
  readonly name?: string
  readonly namespace?: string
}): WhoRule {
  return kind === 'ServiceAccount' ? { kind, namespace, name } : { kind, name }
}

function given(text: string | undefined): Millis | null {
  return text === undefined ? null : parseDuration(text)
}

/** What cannot be read is no time at all. */
function durationOf(text: string): Millis {
  return parseDuration(text) ?? 0
}
