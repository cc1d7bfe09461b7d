import {
  EVENT_ALIAS,
  EVENT_DOCUMENT,
  EVENT_MAPPING,
  EVENT_POP,
  EVENT_SCALAR,
  EVENT_SEQUENCE,
  getScalarValue,
  type Event,
} from 'js-yaml'
import { stepsOf, type TextPlace } from './manifest.ts'

/** A value in the text. */
interface Place {
  /** Offset of its first character; -1: the value is empty and has none. */
  readonly start: number
  /** Of a mapping. */
  readonly entries?: Map<string, { readonly keyStart: number; readonly value: Place }>
  /** Of a sequence. */
  readonly items?: Place[]
}

/** Finds fields in one text that parses. Nothing is worked out before the first question: most places are never reported. */
export class Positions {
  readonly #text: string
  readonly #events: () => readonly Event[]
  #roots: readonly Place[] | null = null
  #lineStarts: readonly number[] | null = null

  /** `events` are those of the text, asked for once. */
  constructor(text: string, events: () => readonly Event[]) {
    this.#text = text
    this.#events = events
  }

  /**
   * Line and column, counted from 1, of the field at that path (`spec.volumes[1]`, `metadata.annotations["a/b"]`) of the
   * n-th document: of its key, or of the list item. Where the path leads on to what is not there, the last part that is.
   */
  placeOf(document: number, path: string): TextPlace {
    this.#roots ??= placesOf(this.#text, this.#events())
    this.#lineStarts ??= lineStartsOf(this.#text)
    const root = this.#roots[document]
    const found = root === undefined ? 0 : offsetOf(root, path)
    // what js-yaml takes for the start of a quoted text is behind the quote
    const offset = /["']/.test(this.#text.charAt(found - 1)) ? found - 1 : found
    const line = lineAt(this.#lineStarts, offset)
    return { line: line + 1, column: offset - (this.#lineStarts[line] ?? 0) + 1 }
  }
}

/** As `placeOf(0, '')`, for the start of the first document, from the events at hand. */
export function startOfFirst(text: string, events: readonly Event[]): TextPlace {
  const first = events.find(({ type }) => type !== EVENT_DOCUMENT)
  const before = text.slice(0, Math.max(startOf(first), 0)).split('\n')
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

function lineStartsOf(text: string): readonly number[] {
  return [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)]
}

function lineAt(lineStarts: readonly number[], offset: number): number {
  let low = 0
  let high = lineStarts.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((lineStarts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return low
}

function placesOf(text: string, events: readonly Event[]): readonly Place[] {
  const cursor: Cursor = { text, events, index: 0, anchors: new Map() }
  const roots: Place[] = []
  while (cursor.index < events.length) {
    const type = events[cursor.index]?.type
    if (type === EVENT_DOCUMENT || type === EVENT_POP) cursor.index++
    else roots.push(readPlace(cursor))
  }
  return roots
}

function offsetOf(root: Place, path: string): number {
  let place = root
  let offset = root.start
  for (const step of stepsOf(path)) {
    const entry = place.entries?.get(step)
    const next = entry?.value ?? place.items?.[Number(step)]
    if (next === undefined) break
    place = next
    const found = entry?.keyStart ?? next.start
    if (found >= 0) offset = found
  }
  return Math.max(offset, 0)
}

interface Cursor {
  readonly text: string
  readonly events: readonly Event[]
  index: number
  readonly anchors: Map<string, Place>
}

function readPlace(cursor: Cursor): Place {
  const event = cursor.events[cursor.index++]
  const start = startOf(event)
  if (event === undefined || event.type === EVENT_DOCUMENT || event.type === EVENT_POP) return { start }
  const anchor = event.anchorStart < 0 ? '' : cursor.text.slice(event.anchorStart, event.anchorEnd)
  switch (event.type) {
    case EVENT_ALIAS:
      return { ...cursor.anchors.get(anchor), start: event.anchorStart }
    case EVENT_SEQUENCE: {
      const items: Place[] = []
      const place = anchored({ start, items }, anchor, cursor)
      untilPop(cursor, () => void items.push(readPlace(cursor)))
      return place
    }
    case EVENT_MAPPING: {
      const entries: NonNullable<Place['entries']> = new Map()
      const place = anchored({ start, entries }, anchor, cursor)
      untilPop(cursor, () => readEntry(cursor, entries))
      return place
    }
    case EVENT_SCALAR:
      return anchored({ start }, anchor, cursor)
  }
}

function anchored(place: Place, anchor: string, cursor: Cursor): Place {
  if (anchor !== '') cursor.anchors.set(anchor, place)
  return place
}

function readEntry(cursor: Cursor, entries: NonNullable<Place['entries']>): void {
  const event = cursor.events[cursor.index]
  const key = event?.type === EVENT_SCALAR ? getScalarValue(cursor.text, event) : ''
  const keyStart = readPlace(cursor).start
  entries.set(key, { keyStart, value: readPlace(cursor) })
}

function untilPop(cursor: Cursor, read: () => void): void {
  while (cursor.index < cursor.events.length && cursor.events[cursor.index]?.type !== EVENT_POP) read()
  cursor.index++
}

function startOf(event: Event | undefined): number {
  if (event?.type === EVENT_SCALAR) return event.valueStart
  return event?.type === EVENT_MAPPING || event?.type === EVENT_SEQUENCE ? event.start : -1
}
