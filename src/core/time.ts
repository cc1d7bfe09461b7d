/** Milliseconds since the Unix epoch, UTC. */
export type Instant = number

/** A length of time in milliseconds. */
export type Millis = number

const unitMillis = { h: 3_600_000, m: 60_000, s: 1_000 } as const

/** The shape of every duration in the API: Go's notation in whole hours, minutes and seconds, `1h30m`. */
export const durationPattern = '^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$'

const durationParts = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/

/** Reads `1h30m`; null when the text is no duration or is empty. Negative durations do not exist. */
export function parseDuration(text: string): Millis | null {
  const parts = durationParts.exec(text)
  if (parts === null || text === '') return null
  const [, hours = '0', minutes = '0', seconds = '0'] = parts
  return Number(hours) * unitMillis.h + Number(minutes) * unitMillis.m + Number(seconds) * unitMillis.s
}

/** Writes a duration in the API's notation, to the second (rounded down); below a second, in ms. */
export function formatDuration(millis: Millis): string {
  if (millis < unitMillis.s) return `${Math.round(millis)}ms`
  let rest = Math.floor(millis / unitMillis.s) * unitMillis.s
  let text = ''
  for (const [unit, size] of Object.entries(unitMillis)) {
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return text
}

const hourAndMinute = '(?:[01]\\d|2[0-3]):[0-5]\\d'
const rfc3339 = new RegExp(
  `^(\\d{4}-\\d{2}-\\d{2})[Tt]${hourAndMinute}:[0-5]\\d(?:\\.\\d{1,9})?(?:[Zz]|[+-]${hourAndMinute})$`,
)

/** Reads an RFC 3339 timestamp, to the millisecond (rounded down); null when it is none. */
export function parseInstant(text: string): Instant | null {
  const date = rfc3339.exec(text)?.[1]
  return date !== undefined && isInCalendar(date) ? Date.parse(text.toUpperCase()) : null
}

/** Date.parse takes the 30th of February for the 2nd of March; the API server takes it for no date. */
function isInCalendar(date: string): boolean {
  const midnight = Date.parse(date)
  return !Number.isNaN(midnight) && formatInstant(midnight).startsWith(date)
}

/** RFC 3339 with milliseconds, UTC. */
export function formatInstant(instant: Instant): string {
  return new Date(instant).toISOString()
}
