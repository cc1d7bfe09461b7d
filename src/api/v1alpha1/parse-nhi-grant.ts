import { compileCondition } from '../../core/cel/engine.ts'
import { untilScope } from '../../core/cel/scope.ts'
import type { GrantEnd, GrantSpec, UntilSpec } from '../../core/grant/grant.ts'
import { untilApiVersion } from '../../core/grant/until.ts'
import type { Parsed, Problem } from '../../core/problem.ts'
import { parseDuration, parseInstant } from '../../core/time.ts'
import { isObject } from '../validate.ts'
import { checkSize, demand } from './check-common.ts'
import { clusterNHIGrantSpecSchema } from './cluster-nhi-grant.schema.ts'
import { identityOf } from './identity.ts'
import { readEnvelope } from './envelope.ts'
import { expressionProblems } from './parse-conditions.ts'
import { nhiGrantSpecSchema, type NHIGrantSpec } from './nhi-grant.schema.ts'

const maxDuration = 2160 * 3_600_000

/** A grant as asked for, with the place where it would apply. */
export interface ParsedGrant {
  /** Empty: it is for the whole cluster. */
  readonly namespace: string
  readonly name: string
  readonly spec: GrantSpec
}

/** The only parser of an NHIGrant or ClusterNHIGrant: what it accepts is what every part of Lapse decides by. */
export function parseNHIGrant(object: unknown): Parsed<ParsedGrant> {
  const problems: Problem[] = []
  const isWide = isObject(object) && object['kind'] === 'ClusterNHIGrant'
  const envelope = isWide
    ? readEnvelope(object, 'ClusterNHIGrant', clusterNHIGrantSpecSchema, problems)
    : readEnvelope(object, 'NHIGrant', nhiGrantSpecSchema, problems)
  if (problems.length > 0) return { ok: false, problems }
  const wire = envelope.spec as NHIGrantSpec
  checkSpec(wire, problems)
  const until = untilOf(wire, problems)
  if (problems.length > 0) return { ok: false, problems }
  const namespace = isWide ? '' : envelope.namespace
  return { ok: true, value: { namespace, name: envelope.name, spec: specOf(wire, until) } }
}

function checkSpec(spec: NHIGrantSpec, problems: Problem[]): void {
  checkAsked(spec, problems)
  checkMode(spec, problems)
  const both = spec.duration !== undefined && spec.notAfter !== undefined
  demand(!both, 'spec', 'give duration or notAfter, not both', problems)
  if (spec.duration !== undefined) {
    const duration = parseDuration(spec.duration) ?? 0
    const message = 'duration must be longer than 0s and at most 2160h'
    demand(duration > 0 && duration <= maxDuration, 'spec', message, problems)
  }
  if (spec.notBefore !== undefined && spec.notAfter !== undefined) {
    const ordered = (parseInstant(spec.notBefore) ?? 0) < (parseInstant(spec.notAfter) ?? 0)
    demand(ordered, 'spec', 'notBefore must be earlier than notAfter', problems)
  }
  checkSize(spec.rules ?? [], 'spec.rules', problems)
  demand(
    (spec.subject.kind === 'ServiceAccount') === (spec.subject.namespace !== undefined),
    'spec.subject',
    'namespace is required for ServiceAccount, and not allowed for any other kind',
    problems,
  )
}

/** What a grant ends with; null: nothing, or it cannot be compiled. */
function untilOf({ until }: NHIGrantSpec, problems: Problem[]): UntilSpec | null {
  if (until === undefined) return null
  const { kind, name, expression, apiVersion = untilApiVersion(kind) } = until
  if (expression === undefined) return { apiVersion, kind, name, condition: null }
  const compiling = compileCondition(expression, untilScope)
  if (compiling.ok) return { apiVersion, kind, name, condition: compiling.condition }
  problems.push(...expressionProblems('spec.until.expression', compiling.problems))
  return null
}

function checkMode({ until, credential, permissions, subject }: NHIGrantSpec, problems: Problem[]): void {
  const named = until?.expression === undefined
  const isWhole = named
    ? until?.apiVersion === undefined && (until?.kind === 'Job' || until?.kind === 'Pod')
    : until.apiVersion !== undefined
  const ends = 'until names a Job or a Pod, or gives apiVersion and an expression for any other object'
  demand(until === undefined || isWhole, 'spec', ends, problems)
  const isFor = permissions !== undefined && subject.kind === 'ServiceAccount'
  const whose = 'a credential is for permissions that a ServiceAccount asks for'
  demand(credential === undefined || isFor, 'spec', whose, problems)
}

function checkAsked({ permissions, rules = [], waive }: NHIGrantSpec, problems: Problem[]): void {
  const something = 'a grant needs permissions or waive, otherwise it asks for nothing'
  demand(permissions !== undefined || waive !== undefined, 'spec', something, problems)
  const named = 'rules are what is granted of the named permissions: give permissions too'
  demand(permissions !== undefined || rules.length === 0, 'spec', named, problems)
}

function specOf(spec: NHIGrantSpec, until: UntilSpec | null): GrantSpec {
  return {
    policy: { name: spec.policy.name, version: spec.policy.version ?? null },
    subject: identityOf(spec.subject),
    permissions: spec.permissions ?? [],
    rules: spec.rules ?? [],
    waive: spec.waive ?? [],
    end: endOf(spec),
    notBefore: spec.notBefore === undefined ? null : parseInstant(spec.notBefore),
    reason: spec.reason,
    ticket: spec.ticket ?? null,
    requestedBy: spec.requestedBy ?? null,
    until,
    credential:
      spec.credential === undefined
        ? null
        : { secretName: spec.credential.secretName, audiences: spec.credential.audiences ?? [] },
    breakGlass: spec.breakGlass ?? null,
    revoke: spec.revoke ?? null,
  }
}

function endOf(spec: NHIGrantSpec): GrantEnd {
  if (spec.notAfter !== undefined) return { kind: 'At', notAfter: parseInstant(spec.notAfter) ?? 0 }
  if (spec.duration !== undefined) return { kind: 'After', duration: parseDuration(spec.duration) ?? 0 }
  return { kind: 'Default' }
}
