import { apiVersion } from '../api/v1alpha1/objects.ts'
import { describeProvenance, type Provenance, type RequestAttributes } from '../core/rbac/authorize.ts'
import { describeRule } from '../core/rbac/rule.ts'
import type { RbacSubject } from '../core/rbac/subject.ts'
import type { Holder } from '../core/rbac/who-can.ts'
import type { Instant } from '../core/time.ts'
import { bindingDocument, deed, grantReference, untilText } from './explanation-text.ts'
import type { GrantRow } from './grant-row.ts'
import { linesOfText } from './one-line.ts'

/** Who may do what was asked, by RBAC. */
export interface AccessHolders {
  readonly request: RequestAttributes
  readonly holders: readonly Holder[]
  /** Grants by the UIDs of their bindings. */
  readonly carriedBy: ReadonlyMap<string, GrantRow>
}

export function holdersText({ request, holders, carriedBy }: AccessHolders, now: Instant): string {
  if (holders.length === 0) return linesOfText([`nobody may ${deed(request)}`])
  const lines = holders.flatMap(({ subject, by }) => [
    `  ${subjectText(subject, by)}`,
    `    ${describeProvenance(by)}: ${describeRule(by.rule)}`,
    `    ${untilText(grantOf(by, carriedBy), now)}`,
  ])
  return linesOfText([`these may ${deed(request)}:`, ...lines])
}

export function holdersDocument({ request, holders, carriedBy }: AccessHolders): object {
  return {
    apiVersion,
    kind: 'AccessHolders',
    request,
    holders: holders.map(({ subject: { kind, name, ...place }, by }) => {
      const grant = grantOf(by, carriedBy)
      return {
        subject: { kind, ...place, name },
        binding: by.kind === 'SuperUser' ? null : bindingDocument(by.binding),
        rule: by.rule,
        grant: grant === null ? null : grantReference(grant),
      }
    }),
  }
}

function grantOf(by: Provenance, carriedBy: ReadonlyMap<string, GrantRow>): GrantRow | null {
  return by.kind === 'SuperUser' ? null : (carriedBy.get(by.binding.uid) ?? null)
}

/** A ServiceAccount without a namespace is one of the binding's own. */
function subjectText({ kind, namespace, name }: RbacSubject, by: Provenance): string {
  if (kind !== 'ServiceAccount') return `${kind} ${name}`
  const own = by.kind === 'SuperUser' ? null : by.binding.namespace
  return `${kind} ${namespace ?? own ?? ''}/${name}`
}
