import { grantDigestOf } from '../api/v1alpha1/digest.ts'
import { identityOf } from '../api/v1alpha1/identity.ts'
import type { NHIGrantSpec } from '../api/v1alpha1/nhi-grant.schema.ts'
import { parseNHIGrant } from '../api/v1alpha1/parse-nhi-grant.ts'
import { isObject, type JsonObject } from '../api/validate.ts'
import type { GrantSpec, GrantState } from '../core/grant/grant.ts'
import type { Labels } from '../core/selector.ts'
import { parseInstant, type Instant } from '../core/time.ts'
import type {
  LiveGrant,
  RevisionFacts,
  ServiceAccountFacts,
  StoredGrant,
  Suspension,
  UnreviewedGrant,
} from '../core/world.ts'

/** Name and namespace of any object; empty where it does not say. */
export function keyOf(object: unknown): { readonly namespace: string; readonly name: string } {
  const metadata = at(object, 'metadata')
  return { namespace: textAt(metadata, 'namespace') ?? '', name: textAt(metadata, 'name') ?? '' }
}

export function readLabels(object: unknown): Labels {
  const labels = at(at(object, 'metadata'), 'labels')
  const texts = Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return Object.fromEntries(texts)
}

/** Of a whole object: one that is metadata only has no `automount` to tell. */
export function readServiceAccount(object: unknown): ServiceAccountFacts {
  const automount = isObject(object) ? object['automountServiceAccountToken'] : undefined
  return {
    uid: textAt(at(object, 'metadata'), 'uid') ?? '',
    labels: readLabels(object),
    automount: typeof automount === 'boolean' ? automount : null,
  }
}

/** null: not a revision that says which version of what it records. */
export function readRevision(object: unknown): RevisionFacts | null {
  const spec = at(object, 'spec')
  const status = at(object, 'status')
  const policy = textAt(spec, 'policyName')
  const version = textAt(at(spec, 'policy'), 'version')
  const digest = textAt(spec, 'digest')
  if (policy === null || version === null || digest === null) return null
  return {
    policy,
    version,
    digest,
    appliedAt: instantAt(spec, 'appliedAt'),
    supersededAt: instantAt(status, 'supersededAt'),
    revokedAt: instantAt(status, 'revokedAt'),
  }
}

/** null: it has ended, or cannot be read and so can never have been issued. */
export function readLiveGrant(object: unknown): LiveGrant | null {
  const status = at(object, 'status')
  const state = textAt(status, 'state') ?? 'Pending'
  if (state !== 'Pending' && state !== 'AwaitingApproval' && state !== 'Active') return null
  const parsed = parseNHIGrant(object)
  if (!parsed.ok) return null
  const { namespace, name, spec } = parsed.value
  const metadata = at(object, 'metadata')
  const notAfter = instantAt(status, 'notAfter')
  const ending = isEnding(spec, object)
  return {
    uid: textAt(metadata, 'uid') ?? '',
    namespace,
    name,
    policy: spec.policy.name,
    subject: spec.subject,
    state,
    issued: state === 'Active' || notAfter !== null,
    bindings: bindingUids(status),
    notAfter,
    policyDigest: textAt(at(status, 'policy'), 'digest'),
    subjectUid: textAt(at(status, 'subject'), 'uid'),
    ending,
    waive: ending ? [] : textsAt(status, 'waive'),
  }
}

/** Whether somebody has ended it, or the operator has, and only the proof is missing. */
function isEnding({ revoke }: GrantSpec, object: unknown): boolean {
  const isMarked = Object.hasOwn(at(object, 'status'), 'ending')
  return revoke !== null || isMarked || textAt(at(object, 'metadata'), 'deletionTimestamp') !== null
}

/** null: it cannot be read. */
export function readStoredGrant(object: unknown): StoredGrant | null {
  const parsed = parseNHIGrant(object)
  if (!parsed.ok) return null
  const { spec } = parsed.value
  const status = at(object, 'status')
  const metadata = at(object, 'metadata')
  return {
    uid: textAt(metadata, 'uid') ?? '',
    createdAt: instantAt(metadata, 'creationTimestamp') ?? 0,
    spec,
    state: (textAt(status, 'state') ?? 'Pending') as GrantState,
    ending: isEnding(spec, object),
    unreviewed: readUnreviewed(object) !== null,
    policyDigest: textAt(at(status, 'policy'), 'digest'),
    digestUnder: (policyDigest) => grantDigestOf(at(object, 'spec') as NHIGrantSpec, policyDigest),
  }
}

/** null: it was not issued as an emergency, or was reviewed. */
export function readUnreviewed(object: unknown): UnreviewedGrant | null {
  const status = at(object, 'status')
  const review = at(status, 'review')
  const dueBy = instantAt(review, 'dueBy')
  if (dueBy === null || textAt(review, 'reviewedAt') !== null) return null
  const parsed = parseNHIGrant(object)
  if (!parsed.ok) return null
  const { namespace, name, spec } = parsed.value
  const state = textAt(status, 'state')
  const ended = state !== 'Pending' && state !== 'Active'
  return { namespace, name, policy: spec.policy.name, subject: spec.subject, ended, dueBy }
}

/** null: it names nobody. One that does not say why suspends as well. */
export function readSuspension(object: unknown): Suspension | null {
  const spec = at(object, 'spec')
  const subject = at(spec, 'subject')
  const [kind, name] = [textAt(subject, 'kind'), textAt(subject, 'name')]
  if (name === null || (kind !== 'ServiceAccount' && kind !== 'User' && kind !== 'Group')) return null
  const namespace = textAt(subject, 'namespace') ?? ''
  return {
    name: keyOf(object).name,
    subject: identityOf({ kind, namespace, name }),
    reason: textAt(spec, 'reason') ?? 'no reason is given',
  }
}

function bindingUids(status: JsonObject): readonly string[] {
  const objects = Array.isArray(status['objects']) ? status['objects'] : []
  return objects.flatMap((object) => {
    const uid = textAt(isObject(object) ? object : {}, 'uid')
    return uid !== null && (textAt(object, 'kind') ?? '').endsWith('RoleBinding') ? [uid] : []
  })
}

function at(object: unknown, field: string): JsonObject {
  const value = isObject(object) ? object[field] : undefined
  return isObject(value) ? value : {}
}

function textAt(object: unknown, field: string): string | null {
  const value = isObject(object) ? object[field] : undefined
  return typeof value === 'string' && value !== '' ? value : null
}

function textsAt(object: JsonObject, field: string): readonly string[] {
  const value = object[field]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function instantAt(object: JsonObject, field: string): Instant | null {
  const text = textAt(object, field)
  return text === null ? null : parseInstant(text)
}
