import type { FuzzCase } from './fuzz-mutations.ts'
import type { FuzzSeed } from './fuzz-seeds.ts'
import { at, objectOf, type Json } from './json-paths.ts'

export interface FuzzAnswer {
  readonly status: number
  readonly body: string
}

/** How an answer counts. `claimed`: of the review it was certain beforehand that it must not be allowed. */
export interface FuzzVerdict {
  readonly outcome: 'allowed' | 'refused' | 'rejected'
  readonly claimed: boolean
  /** What is wrong with the answer; null: nothing. */
  readonly fault: string | null
}

/** Judges an answer by the bytes that were sent and those that came back. */
export function judgeAnswer(seed: FuzzSeed, { method, path, body }: FuzzCase, answer: FuzzAnswer): FuzzVerdict {
  const review = method === 'POST' && path.split('?')[0] === seed.path ? parse(body.toString('utf8')) : null
  const claimed = review !== null && seed.mustRefuse(review)
  const told = parse(answer.body)
  const outcome =
    answer.status !== 200 ? 'rejected' : at(told ?? null, 'response', 'allowed') === true ? 'allowed' : 'refused'
  const fault =
    stackIn(answer.body) ?? (answer.status === 200 ? faultOfReview(told, review) : faultOfRejection(answer, told))
  if (fault === null && outcome === 'allowed' && claimed)
    return { outcome, claimed, fault: 'what must be refused is allowed' }
  return { outcome, claimed, fault }
}

function faultOfReview(told: Json | null, review: Json | null): string | null {
  if (at(told, 'apiVersion') !== 'admission.k8s.io/v1' || at(told, 'kind') !== 'AdmissionReview')
    return 'no AdmissionReview'
  const response = at(told, 'response')
  const uid = at(review, 'request', 'uid')
  // The API server has no halves of surrogate pairs, and the webhook reads as it does.
  if (typeof uid !== 'string' || at(response, 'uid') !== uid.toWellFormed())
    return 'the uid is another one than that of the request'
  const patch = at(response, 'patch')
  if (patch !== null && !isPatch(response)) return 'the patch cannot be read'
  if (!listed(at(response, 'warnings')).every(isHeaderText)) return 'a warning is no header text'
  if (at(response, 'allowed') === true) return at(response, 'status') === null ? null : 'allowed, and yet with a status'
  return at(response, 'allowed') === false ? faultOfRefusal(at(response, 'status')) : 'neither allowed nor refused'
}

function faultOfRefusal(status: Json): string | null {
  const message = at(status, 'message')
  if (typeof message !== 'string' || message === '') return 'no message'
  const code = at(status, 'code')
  return code === 400 || code === 403 || code === 422 ? null : `refused with code ${JSON.stringify(code)}`
}

function faultOfRejection({ status }: FuzzAnswer, told: Json | null): string | null {
  if (![400, 404, 405, 413, 415].includes(status)) return `status ${status}`
  return at(told, 'kind') === 'Status' && typeof at(told, 'message') === 'string'
    ? null
    : 'a rejection that is no Status'
}

function isPatch(response: Json): boolean {
  const patch = at(response, 'patch')
  if (typeof patch !== 'string') return false
  const steps = parse(Buffer.from(patch, 'base64').toString('utf8'))
  return (
    at(response, 'patchType') === 'JSONPatch' && Array.isArray(steps) && steps.every((step) => objectOf(step) !== null)
  )
}

function listed(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : []
}

function isHeaderText(value: Json): boolean {
  // oxlint-disable-next-line no-control-regex -- they end or break a header
  return typeof value === 'string' && value.length <= 256 && !/[\u0000-\u001f\u007f]/.test(value)
}

function stackIn(text: string): string | null {
  return /node:internal|\n\s+at |\.[jt]s:\d+|node_modules/.test(text) ? 'a stack trace' : null
}

function parse(text: string): Json | null {
  try {
    return JSON.parse(text) as Json
  } catch {
    return null
  }
}
