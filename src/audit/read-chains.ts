import { isUtf8 } from 'node:buffer'
import { digestOf } from '../api/v1alpha1/digest.ts'
import { ChainVerifier, type ChainVerdict } from '../core/audit/verify.ts'
import { linesOf } from './lines.ts'
import { digestOfBytes } from './tail.ts'

export interface AuditSource {
  /** As it is named in what is found. */
  readonly name: string
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

/** Follows the chains of these sources, one after another. Rejects when one cannot be read. */
export async function readChains(sources: readonly AuditSource[], source: 'file' | 'log'): Promise<ChainVerdict> {
  const verifier = new ChainVerifier({ digest: digestOf, source })
  for (const { name, chunks } of sources) {
    verifier.begin(name)
    for await (const line of linesOf(chunks)) verifier.read(textOf(line), () => digestOfBytes(line))
  }
  return verifier.end()
}

/** Bytes that are no text make no record: what they would be read as is not what is there. */
function textOf(line: Buffer): string {
  return isUtf8(line) ? line.toString('utf8') : ''
}
