import { formatInstant, type Instant } from '../core/time.ts'

/** The notation of Leases and Events: RFC 3339 with exactly six fractional digits. The API server refuses any other number of them. */
export function formatMicroTime(instant: Instant): string {
  return formatInstant(instant).replace('Z', '000Z')
}
