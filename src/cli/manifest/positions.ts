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

/** A value in the text. */
interface Place {
  /** Offset of its first character; -1: the value is empty and has none. */
  readonly start: number
  readonly entries: Map<string, { readonly keyStart: number; readonly value: Place }>
  readonly items: Place[]
}

/** Finds lines in one parsed text. Nothing is worked out before the first question: most lines are never reported. */
export class Positions {
  readonly #text: string
  readonly #events: readonly Event[]
  #roots: readonly Place[] | null = null
  #lineStarts: readonly number[] | null = null

  constructor(text: string, events: readonly Event[]) {
    this.#text = text
    this.#events = events
  }

  /**
   * The line, counted from 0, of the field at that path (`spec.volumes[1]`, `metadata.annotations["a/b"]`) of the n-th
   * document: of its key, or of the list item. Where the path leads on to what is not there, the last part that is.
   */
  lineOf(document: number, path: string): number {
    this.#roots ??= placesOf(this.#text, this.#events)
    this.#lineStarts ??= lineStartsOf(this.#text)
    const root = this.#roots[document]
    return root === undefined ? 0 : lineAt(this.#lineStarts, offsetOf(root, path))
  }
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
    const entry = place.entries.get(step)
    const next = entry?.value ?? place.items[Number(step)]
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
  const place: Place = { start: startOf(event), entries: new Map(), items: [] }
  if (event === undefined || event.type === EVENT_DOCUMENT || event.type === EVENT_POP) return place
  const anchor = cursor.text.slice(event.anchorStart, event.anchorEnd)
  if (event.type === EVENT_ALIAS) return { ...(cursor.anchors.get(anchor) ?? place), start: event.anchorStart }
  if (event.anchorStart >= 0) cursor.anchors.set(anchor, place)
  if (event.type === EVENT_SEQUENCE) untilPop(cursor, () => place.items.push(readPlace(cursor)))
  if (event.type === EVENT_MAPPING) untilPop(cursor, () => readEntry(cursor, place))
  return place
}

function readEntry(cursor: Cursor, place: Place): void {
  const event = cursor.events[cursor.index]
  const key = event?.type === EVENT_SCALAR ? getScalarValue(cursor.text, event) : ''
  const keyStart = readPlace(cursor).start
  place.entries.set(key, { keyStart, value: readPlace(cursor) })
}

function untilPop(cursor: Cursor, read: () => void): void {
  while (cursor.index < cursor.events.length && cursor.events[cursor.index]?.type !== EVENT_POP) read()
  cursor.index++
}

function startOf(event: Event | undefined): number {
  if (event?.type === EVENT_SCALAR) return event.valueStart
  return event?.type === EVENT_MAPPING || event?.type === EVENT_SEQUENCE ? event.start : -1
}

const step = /\["((?:[^"\\]|\\.)*)"\]|\[([^\]]*)\]|([^.[]+)/g

function stepsOf(path: string): readonly string[] {
  return [...path.matchAll(step)].map(([, quoted, bracketed, plain]) => quoted ?? bracketed ?? plain ?? '')
}
