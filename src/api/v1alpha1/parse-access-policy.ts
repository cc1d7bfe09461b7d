import { parseDuration, parseInstant } from '../../core/time.ts'
import type { PermissionSet, Policy, SubjectRule, WorkloadTerms } from '../../core/policy/policy.ts'
import type { Parsed, Problem } from '../../core/problem.ts'
import { tokenCheckIds } from '../../core/workload/token.ts'
import { accessPolicySpecSchema, type AccessPolicySpec } from './access-policy.schema.ts'
import { checkAccessPolicySpec } from './check-access-policy.ts'
import { digestOf } from './digest.ts'
import { readEnvelope } from './envelope.ts'
import { grantTermsOf } from './grant-terms.ts'
import { parseConditions, type ParsedConditions } from './parse-conditions.ts'

/** The only parser of an AccessPolicy: what it accepts is what every part of Lapse decides by. */
export function parseAccessPolicy(object: unknown): Parsed<Policy> {
  const problems: Problem[] = []
  const envelope = readEnvelope(object, 'AccessPolicy', accessPolicySpecSchema, problems)
  if (envelope.name.length > 63)
    problems.push({
      path: 'metadata.name',
      message: 'must be at most 63 characters: it becomes a label value',
      remedy: '',
    })
  if (problems.length > 0) return { ok: false, problems }
  return readSpec(envelope.name, envelope.spec as AccessPolicySpec)
}

/** Of a spec that its schema has accepted, defaults included. */
function readSpec(name: string, spec: AccessPolicySpec): Parsed<Policy> {
  const problems: Problem[] = []
  checkAccessPolicySpec(spec, problems)
  const conditions = parseConditions(spec, problems)
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, value: policyOf(name, spec, conditions) }
}

function policyOf(name: string, spec: AccessPolicySpec, conditions: ParsedConditions): Policy {
  let digest: string | null = null
  return {
    name,
    version: spec.version,
    /** Computed when it is first asked for: workloads are judged without it. */
    get digest() {
      return (digest ??= digestOf(spec))
    },
    owner: { name: spec.owner.name, contact: spec.owner.contact ?? null },
    change: {
      request: spec.change.request,
      reason: spec.change.reason,
      approvedBy: spec.change.approvedBy,
      expiresAt: parseInstant(spec.change.expiresAt) ?? 0,
    },
    subjects: spec.subjects.map(subjectRuleOf),
    scope: spec.scope?.namespaceSelector ?? null,
    clusterScope: spec.scope?.cluster ?? false,
    permissions: (spec.permissions ?? []).map(permissionSetOf),
    grants: spec.grants === undefined ? null : grantTermsOf(spec.grants, conditions.grants),
    workloads: spec.workloads === undefined ? null : workloadTermsOf(spec.workloads, conditions),
  }
}

function subjectRuleOf(subject: AccessPolicySpec['subjects'][number]): SubjectRule {
  if (subject.kind !== 'ServiceAccount') return { kind: subject.kind, names: subject.names ?? [] }
  return {
    kind: 'ServiceAccount',
    namespaceSelector: subject.namespaceSelector ?? null,
    selector: subject.selector ?? null,
    names: subject.names ?? [],
  }
}

function permissionSetOf(set: NonNullable<AccessPolicySpec['permissions']>[number]): PermissionSet {
  return set.clusterRole === undefined
    ? { kind: 'Rules', name: set.name, rules: set.rules ?? [] }
    : { kind: 'ClusterRole', name: set.name, clusterRole: set.clusterRole }
}

function workloadTermsOf(
  workloads: NonNullable<AccessPolicySpec['workloads']>,
  conditions: ParsedConditions,
): WorkloadTerms {
  const { podSecurity, pin } = workloads
  return {
    enforcement: workloads.enforcement ?? 'Deny',
    podSecurity:
      podSecurity === undefined ? null : { level: podSecurity.level, version: podSecurity.version ?? 'latest' },
    forbid: workloads.forbid ?? [],
    checks: tokenCheckIds.filter((id) => workloads.checks?.includes(id)),
    maxTokenLifetime: workloads.maxTokenLifetime === undefined ? null : parseDuration(workloads.maxTokenLifetime),
    standing: workloads.standing ?? null,
    pin: pin === undefined ? null : { required: pin.required ?? false, grace: parseDuration(pin.grace ?? '0s') ?? 0 },
    conditions: conditions.workloads,
  }
}
