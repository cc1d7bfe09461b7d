import { hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { digestOf } from '../api/v1alpha1/digest.ts'
import { hashOf, readRecord } from '../core/audit/chain.ts'
import type { Tip } from '../core/audit/record.ts'

export interface Tail {
  /** Of the last record that is whole; null: there is none. */
  readonly tip: Tip | null
  /** Digests of the lines behind it. */
  readonly torn: readonly string[]
  /** The last line has no line feed. */
  readonly endsInLine: boolean
}

const step = 64 * 1024
/** Further back no record is looked for. */
const furthest = 16 * 2 ** 20
const lineFeed = 0x0a

/** What a file ends with; read from its end, so that its length does not matter. */
export async function readTail(handle: FileHandle, size: number): Promise<Tail> {
  for (let length = Math.min(step, size); ; length = Math.min(length * 2, size)) {
    const bytes = await readLast(handle, size, length)
    const isWhole = length === size
    const found = lastRecord(bytes, isWhole)
    if (found !== null || isWhole || length >= furthest)
      return found ?? { tip: null, torn: tornLines(bytes), endsInLine: bytes.at(-1) !== lineFeed }
  }
}

/** `sha256:…` of the bytes of a line that is no record. */
export function digestOfBytes(bytes: Uint8Array): string {
  return `sha256:${hash('sha256', bytes)}`
}

async function readLast(handle: FileHandle, size: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  for (let read = 0; read < length;) {
    const { bytesRead } = await handle.read(bytes, read, length - read, size - length + read)
    if (bytesRead === 0) throw new Error('the file became shorter while it was read')
    read += bytesRead
  }
  return bytes
}

/** null: there is none in these bytes. Where they do not begin with the file, their first line may be half of one. */
function lastRecord(bytes: Buffer, isWhole: boolean): Tail | null {
  const endsInLine = bytes.at(-1) !== lineFeed
  let end = endsInLine ? bytes.length : bytes.length - 1
  while (end >= 0) {
    const start = end === 0 ? 0 : bytes.lastIndexOf(lineFeed, end - 1) + 1
    if (start === 0 && !isWhole) return null
    const tip = tipOf(bytes.subarray(start, end))
    if (tip !== null) return { tip, torn: tornLines(bytes.subarray(end + 1)), endsInLine }
    end = start - 1
  }
  return null
}

function tipOf(line: Buffer): Tip | null {
  const record = readRecord(line.toString('utf8'))
  if (record === null || hashOf(record, digestOf) !== record.hash) return null
  const { chain, sequence, hash: last } = record
  return { chain, sequence, hash: last }
}

function tornLines(bytes: Buffer): readonly string[] {
  const digests: string[] = []
  for (let start = 0; start < bytes.length;) {
    const next = bytes.indexOf(lineFeed, start)
    const end = next === -1 ? bytes.length : next
    digests.push(digestOfBytes(bytes.subarray(start, end)))
    start = end + 1
  }
  return digests
}
