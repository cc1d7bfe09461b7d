import { highFinding, type Finding } from '../finding.ts'
import type { GrantTerms } from '../policy/policy.ts'
import { formatDuration, formatInstant, type Instant, type Millis } from '../time.ts'
import type { GrantSpec } from './grant.ts'

/** Where clocks differ, `now` is the latest that it may be, and `issueFrom` the earliest: a duration counts from that one. */
export interface Moment {
  readonly now: Instant
  readonly issueFrom: Instant
}

/** The longest that a grant may last, for each reason there is. */
export interface WindowLimits {
  /** More than this is refused. */
  readonly longest: Millis
  /** More than this is cut; null: nothing is. */
  readonly cut: Millis | null
  /** From then on there is nothing to be had. */
  readonly closes: Instant
}

/** From when and until when a grant lasts that is issued now, and what is wrong with the window that it asks for. */
export function windowOf(
  spec: GrantSpec,
  terms: GrantTerms,
  { longest, cut, closes }: WindowLimits,
  { now, issueFrom }: Moment,
): { readonly from: Instant; readonly notAfter: Instant; readonly findings: readonly Finding[] } {
  const from = Math.min(now, issueFrom)
  const start = Math.max(from, spec.notBefore ?? from)
  const asked = endOf(spec, Math.min(terms.defaultDuration, longest), start)
  const notAfter = Math.min(asked, closes, cut === null ? asked : start + cut)
  const path = spec.end.kind === 'At' ? 'spec.notAfter' : 'spec.duration'
  if (notAfter <= Math.max(now, start))
    return { from: start, notAfter, findings: [windowPassed(path, notAfter, now - from)] }
  return { from: start, notAfter, findings: asked - start <= longest ? [] : [tooLong(path, asked - start, longest)] }
}

function endOf({ end }: GrantSpec, usual: Millis, start: Instant): Instant {
  switch (end.kind) {
    case 'At':
      return end.notAfter
    case 'After':
      return start + end.duration
    case 'Default':
      return start + usual
  }
}

function windowPassed(path: string, notAfter: Instant, clocksDiffer: Millis): Finding {
  const why = clocksDiffer < 1_000 ? '' : `, by one of the clocks, which differ by ${formatDuration(clocksDiffer)}`
  const remedy = clocksDiffer < 1_000 ? 'create a new grant' : 'create a new grant once the clocks are right'
  return highFinding('window-passed', path, `the window ended at ${formatInstant(notAfter)}${why}`, remedy)
}

function tooLong(path: string, asked: Millis, longest: Millis): Finding {
  const whole = Math.ceil(asked / 1_000) * 1_000
  const message = `${formatDuration(whole)} is longer than the ${formatDuration(longest)} that the policy allows`
  return highFinding('duration-too-long', path, message, `ask for at most ${formatDuration(longest)}`)
}
