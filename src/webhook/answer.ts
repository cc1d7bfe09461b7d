import type { WorldKind } from '../world/world-index.ts'

/** One step of an RFC 6902 patch. */
export type PatchOperation =
  | { readonly op: 'add'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

/** An object that an answer depends on. namespace is empty for cluster-scoped kinds. */
export interface WorldReference {
  readonly kind: WorldKind
  readonly namespace: string
  readonly name: string
}

interface Remarks {
  /** Shown by kubectl: one line each, at most 256 characters, without a prefix. Of many, only the first are sent. */
  readonly warnings: readonly string[]
  /** For the audit log; the API server puts the webhook's name before the keys. */
  readonly auditAnnotations: Readonly<Record<string, string>>
  /** What is not in the world, or not yet: the answer may be another one once it is. */
  readonly unsettled: readonly WorldReference[]
}

const reasons = {
  400: 'BadRequest',
  403: 'Forbidden',
  422: 'Invalid',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
} as const
export type RefusalCode = keyof typeof reasons

/** What a review concludes about a request. */
export type Answer =
  | ({ readonly allowed: true; readonly patch: readonly PatchOperation[] } & Remarks)
  | ({ readonly allowed: false; readonly code: RefusalCode; readonly message: string } & Remarks)

const noRemarks: Remarks = { warnings: [], auditAnnotations: {}, unsettled: [] }

export const allowed: Answer = { allowed: true, patch: [], ...noRemarks }

export function allowedWith(remarks: Partial<Remarks> & { readonly patch?: readonly PatchOperation[] }): Answer {
  return { allowed: true, patch: [], ...noRemarks, ...remarks }
}

/** 403: the request is understood and not allowed; 422: the object is not valid; 5xx: it could not be judged. */
export function refused(code: RefusalCode, message: string, remarks: Partial<Remarks> = {}): Answer {
  return { allowed: false, code, message, ...noRemarks, ...remarks }
}

/** How metrics count an answer. */
export function outcomeOf(answer: Answer): 'allow' | 'warn' | 'audit' | 'deny' | 'error' {
  if (!answer.allowed) return answer.code >= 500 ? 'error' : 'deny'
  if (answer.warnings.length > 0) return 'warn'
  return isEmpty(answer.auditAnnotations) ? 'allow' : 'audit'
}

const longestWarning = 256

/** The text in the form that the API server passes on as a warning: a header line, cut at 256 characters. */
export function warningOf(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they end or break the header
  const line = text.replace(/[\u0000-\u001f\u007f]+/g, ' ')
  return line.length <= longestWarning ? line : `${line.slice(0, longestWarning - 1).toWellFormed()}…`
}

/** Warnings that one answer carries. */
const mostWarnings = 32

/** The warnings as they are sent: in place of those that are too many, the last one says how many they are. */
function sentWarnings(warnings: readonly string[]): readonly string[] {
  if (warnings.length <= mostWarnings) return warnings
  const shown = warnings.slice(0, mostWarnings - 1)
  return [...shown, `… and ${warnings.length - shown.length} more`]
}

const head = '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":'

/** The AdmissionReview that carries the answer, as JSON. */
export function renderAnswer(uid: string, answer: Answer): string {
  const quotedUid = JSON.stringify(uid)
  if (answer === allowed) return `${head}${quotedUid},"allowed":true}}`
  return `${head}${quotedUid},${JSON.stringify(responseOf(answer)).slice(1)}}`
}

function responseOf(answer: Answer): object {
  const remarks = {
    ...(answer.warnings.length > 0 && { warnings: sentWarnings(answer.warnings) }),
    ...(!isEmpty(answer.auditAnnotations) && { auditAnnotations: answer.auditAnnotations }),
  }
  if (answer.allowed) return { allowed: true, ...remarks, ...patchOf(answer.patch) }
  const { code, message } = answer
  return { allowed: false, ...remarks, status: { status: 'Failure', code, reason: reasons[code], message } }
}

function patchOf(patch: readonly PatchOperation[]): object {
  if (patch.length === 0) return {}
  return { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }
}

function isEmpty(record: Readonly<Record<string, string>>): boolean {
  return Object.keys(record).length === 0
}
