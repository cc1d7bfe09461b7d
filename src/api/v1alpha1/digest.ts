import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'

/** `sha256:` and the hex SHA-256 over the RFC 8785 (canonical JSON) form of a value. */
export function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256')
    .update(canonicalize(value) ?? 'null')
    .digest('hex')}`
}
