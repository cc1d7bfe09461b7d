import type { Instant } from '../core/time.ts'
import { formatMicroTime } from './micro-time.ts'
import type { EventContent, EventSeries } from './event-series.ts'
import type { EventNote } from './ports.ts'
import { pathOf, resources } from './resources.ts'

const reportingController = 'lapse.dev/controller'
/** Of a name, in characters; the API server's limit for names of most kinds. */
const longestName = 253
/** In bytes of UTF-8. */
const longestNote = 1_024
const longestInstance = 128
const cutMark = '…'

/** The note with nothing but the reference to what it regards, and no longer than the API server takes it. */
export function contentOf({ regarding, type, reason, action, note }: EventNote): EventContent {
  const { apiVersion, kind, metadata } = regarding
  const { namespace, name, uid, resourceVersion } = metadata
  return {
    regarding: { apiVersion, kind, ...(namespace === undefined ? {} : { namespace }), name, uid, resourceVersion },
    type,
    reason,
    action,
    note: cut(note.toWellFormed()),
  }
}

/**
 * The name of a new Event: that of what it regards, as much of it as is valid, and 16 hex digits. These follow the time and
 * then the sequence, for kubectl shows Events in the order of their names. `random` is in [0, 1).
 */
export function eventNameOf(
  regarding: EventContent['regarding'],
  { at, sequence, random }: { readonly at: Instant; readonly sequence: number; readonly random: number },
): string {
  const suffix = hex(at, 11) + hex(sequence % 0x100, 2) + hex(random * 0x1000, 3)
  const base = regarding.name.slice(0, longestName - 1 - suffix.length).replace(/[.-]+$/, '')
  return `${isDnsSubdomain(base) ? base : regarding.kind.toLowerCase()}.${suffix}`
}

/** The path of all Events of its namespace; that of a cluster-scoped object is `default`. */
export function eventsPathOf({ content }: EventSeries): string {
  return pathOf(resources.events, namespaceOf(content))
}

export function eventPathOf({ content, name }: EventSeries): string {
  return pathOf(resources.events, namespaceOf(content), name)
}

/** A new Event of events.k8s.io/v1. The deprecated fields are left out: the API server refuses them in a new one. */
export function eventOf(series: EventSeries, instance: string): object {
  const { name, content, firstAt, count } = series
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name, namespace: namespaceOf(content) },
    eventTime: formatMicroTime(firstAt),
    reportingController,
    reportingInstance: instance.slice(0, longestInstance),
    ...content,
    ...(count > 1 ? seriesOf(series) : {}),
  }
}

/** A merge patch: all but the series of an Event is immutable. A series counts from 2. */
export function seriesOf({ count, lastAt }: EventSeries): object {
  return { series: { count, lastObservedTime: formatMicroTime(lastAt) } }
}

function namespaceOf({ regarding }: EventContent): string {
  return regarding.namespace ?? 'default'
}

function hex(number: number, digits: number): string {
  return Math.floor(number).toString(16).padStart(digits, '0')
}

function isDnsSubdomain(name: string): boolean {
  return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)
}

/** Cut between two characters, with a mark. */
function cut(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= longestNote) return text
  let end = longestNote - Buffer.byteLength(cutMark)
  while (isContinuation(bytes[end])) end -= 1
  return bytes.toString('utf8', 0, end) + cutMark
}

function isContinuation(byte = 0): boolean {
  return (byte & 0xc0) === 0x80
}
