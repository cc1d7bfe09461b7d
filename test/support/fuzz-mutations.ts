import { spoilBytes } from './fuzz-bytes.ts'
import { pick, type Random } from './fuzz-random.ts'
import { oddKinds, oddNames, oddOperations, oddTexts } from './fuzz-words.ts'
import { objectOf, placesIn, read, remove, write, type Json, type Place } from './json-paths.ts'

/** A request to the webhook. */
export interface FuzzCase {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

function oddValue(random: Random): Json {
  const values: readonly (() => Json)[] = [
    () => null,
    () => true,
    () => false,
    () => pick(random, [0, -1, 1.5, 2 ** 53, -0, 1e308]),
    () => pick(random, oddTexts),
    () => [],
    () => ({}),
    () => [null],
    () => ({ [pick(random, oddNames)]: pick(random, oddTexts) }),
    () => [[[[]]], { a: [{ b: null }] }],
  ]
  return pick(random, values)()
}

/** Opening brackets and closing ones around nothing, so many deep. */
function deep(random: Random): Json {
  let value: Json = null
  const asList = random() < 0.5
  for (let depth = pick(random, [20, 200, 2_000]); depth > 0; depth--) value = asList ? [value] : { spec: value }
  return value
}

type Mutation = (place: Place, random: Random, all: readonly Place[]) => void

/** Each changes one place of a review. */
const mutations: readonly Mutation[] = [
  (place) => remove(place),
  (place, random) => write(place, oddValue(random)),
  (place, random) => write(place, oddValue(random)),
  (place) => {
    if (Array.isArray(place.holder)) place.holder.push(structuredClone(read(place)))
  },
  (place, random, all) => write(place, structuredClone(read(pick(random, all)))),
  (place, random) => {
    const object = objectOf(read(place))
    if (object !== null) write({ holder: object, key: pick(random, oddNames) }, oddValue(random))
  },
  (place, random) => {
    if (Array.isArray(place.holder)) return
    const value = read(place)
    remove(place)
    write(
      { holder: place.holder, key: pick(random, [place.key.toUpperCase(), `${place.key} `, pick(random, oddNames)]) },
      value,
    )
  },
  (place, random) => {
    const value = read(place)
    if (typeof value !== 'string') return
    const odd = pick(random, oddTexts)
    write(place, pick(random, [odd, `${value}${odd}`, `${odd}${value}`, value.normalize('NFD'), value.toUpperCase()]))
  },
  (place, random) => write(place, [read(place), oddValue(random)]),
  (place, random) => {
    if (random() < 0.05) write(place, deep(random))
  },
  (place, random) => {
    if (random() < 0.02)
      write(place, pick(random, ['x', '\u00e9', '\\']).repeat(pick(random, [1_000, 20_000, 200_000])))
  },
]

/** Changes that a random place would rarely meet. */
function swapWords(review: Json, random: Random): void {
  const request = objectOf(objectOf(review)?.['request'])
  const object = objectOf(request?.['object'])
  if (request === null || object === null) return
  const kind = pick(random, oddKinds)
  const choices = [
    () => (object['kind'] = kind),
    () => (request['kind'] = { ...objectOf(request['kind']), kind }),
    () => {
      object['kind'] = kind
      request['kind'] = { ...objectOf(request['kind']), kind }
    },
    () => (request['operation'] = pick(random, oddOperations)),
    () => (request['subResource'] = pick(random, ['status', 'scale', 'ephemeralcontainers', 'exec', '', '..'])),
    () => (request['oldObject'] = structuredClone(object)),
    () => (request['uid'] = pick(random, oddTexts)),
  ]
  pick(random, choices)()
}

function spoil(review: Json, random: Random): Json {
  const spoilt = structuredClone(review)
  if (random() < 0.1) swapWords(spoilt, random)
  for (let left = pick(random, [1, 1, 1, 2, 3, 8]); left > 0; left--) {
    const all = placesIn(spoilt)
    if (all.length > 0) pick(random, mutations)(pick(random, all), random, all)
  }
  return spoilt
}

const json = { 'content-type': 'application/json' }
const oddHeaders: readonly Readonly<Record<string, string>>[] = [
  {},
  { 'content-type': 'text/plain' },
  { 'content-type': 'application/yaml' },
  { 'content-type': 'application/jsonx' },
  { 'content-type': 'application/json; charset=utf-16' },
  { 'content-type': 'APPLICATION/JSON' },
  { ...json, 'content-encoding': 'gzip' },
  { ...json, 'x-http-method-override': 'GET' },
  { ...json, 'x-long': 'a'.repeat(8_000) },
]
const oddPaths = [
  '/',
  '/v1',
  '/v1/admit',
  '/v1/admit/workloads/',
  '/v1/admit/../mutate',
  '/v1/admit/none',
  '/__proto__',
  '/%00',
  '/v1/admit%2fworkloads',
]

/** Longer than any body that the webhook reads. */
const tooLong = Buffer.alloc(7 * 1024 * 1024 + 1, 0x20)

/** A request made from the review: mostly spoilt inside, now and then in its bytes, or around them. */
export function fuzzCase(path: string, review: Json, random: Random): FuzzCase {
  const body = Buffer.from(JSON.stringify(random() < 0.9 ? spoil(review, random) : review))
  const whole: FuzzCase = { method: 'POST', path: random() < 0.2 ? `${path}?timeout=5s` : path, headers: json, body }
  const kind = random()
  if (kind < 0.12) return { ...whole, body: spoilBytes(body, random) }
  if (kind < 0.15) return { ...whole, headers: pick(random, oddHeaders) }
  if (kind < 0.17) return { ...whole, path: pick(random, oddPaths) }
  if (kind < 0.18) return { ...whole, method: pick(random, ['PUT', 'PATCH', 'DELETE', 'OPTIONS']) }
  if (kind < 0.1801) return { ...whole, body: tooLong }
  return whole
}
