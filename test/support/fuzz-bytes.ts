import { pick, type Random } from './fuzz-random.ts'

type BytesMutation = (body: Buffer, random: Random) => Buffer

/** Each changes the bytes of a body. */
const bytesMutations: readonly BytesMutation[] = [
  (body, random) => body.subarray(0, Math.floor(random() * body.length)),
  (body, random) => splice(body, random, 1, Buffer.from([Math.floor(random() * 256)])),
  (body, random) =>
    splice(
      body,
      random,
      0,
      pick(random, [Buffer.from([0xff, 0xfe]), Buffer.from([0xc0, 0x80]), Buffer.from([0xed, 0xa0, 0x80])]),
    ),
  (body, random) => splice(body, random, Math.floor(random() * 40), Buffer.alloc(0)),
  (body) => Buffer.concat([Buffer.from('\ufeff'), body]),
  (body, random) => Buffer.concat([body, Buffer.from(pick(random, ['x', '{}', '\n\n', '\u0000', ',']))]),
  (body, random) => Buffer.from(body.toString().replace('"request":{', `"request":{${pick(random, doubled)},`)),
  (body, random) => Buffer.from(body.toString().replace('"spec":{', `"spec":{${pick(random, doubled)},`)),
  (body, random) =>
    Buffer.from(body.toString().replace(/:"[^"]*"/, pick(random, [':1e999', ':-', ':NaN', ':0x10', ':.5']))),
  (_body, random) =>
    Buffer.from(pick(random, ['', 'null', '[]', '"x"', '1', '{}', '{"request":{}}', '{"request":null}', '\u0000'])),
  (_body, random) => Buffer.from(pick(random, ['[', '{"a":']).repeat(pick(random, [100, 100_000]))),
]

/** Keys that are there a second time: the last one counts, and these come first. */
const doubled = [
  '"operation":"DELETE"',
  '"object":null',
  '"volumes":[]',
  '"kind":{"kind":"ConfigMap"}',
  '"__proto__":{"a":1}',
]

function splice(body: Buffer, random: Random, removed: number, inserted: Buffer): Buffer {
  const place = Math.floor(random() * body.length)
  return Buffer.concat([body.subarray(0, place), inserted, body.subarray(place + removed)])
}

/** The body with its bytes spoilt in one of these ways. */
export function spoilBytes(body: Buffer, random: Random): Buffer {
  return pick(random, bytesMutations)(body, random)
}
