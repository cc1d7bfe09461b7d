import canonicalize from 'canonicalize'

/**
 * `sha256:` and the hex SHA-256 over the RFC 8785 (canonical JSON) form of a value. Loads node:crypto when first called:
 * that takes a quarter of the time in which Node starts, and most runs of `lapse check` need no digest.
 */
export function digestOf(value: unknown): string {
  const { hash } = process.getBuiltinModule('node:crypto')
  return `sha256:${hash('sha256', canonicalize(value) ?? 'null')}`
}
