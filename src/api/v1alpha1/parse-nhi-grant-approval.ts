import type { Parsed, Problem } from '../../core/problem.ts'
import { readEnvelope } from './envelope.ts'
import { nhiGrantApprovalSpecSchema, type NHIGrantApprovalSpec } from './nhi-grant-approval.schema.ts'

/** An approval, with the place where it is. */
export interface ParsedApproval {
  readonly namespace: string
  readonly name: string
  readonly spec: NHIGrantApprovalSpec
}

/** The only parser of an NHIGrantApproval. */
export function parseNHIGrantApproval(object: unknown): Parsed<ParsedApproval> {
  const problems: Problem[] = []
  const { namespace, name, spec } = readEnvelope(object, 'NHIGrantApproval', nhiGrantApprovalSpecSchema, problems)
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, value: { namespace, name, spec: spec as NHIGrantApprovalSpec } }
}

/** The namespace of the grant that is meant; empty: it has none. */
export function grantNamespaceOf(namespace: string, { grant }: Pick<NHIGrantApprovalSpec, 'grant'>): string {
  return grant.kind === 'ClusterNHIGrant' ? '' : namespace
}
