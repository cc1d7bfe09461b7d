import canonicalize from 'canonicalize'
import type { NHIGrantSpec } from './nhi-grant.schema.ts'

/**
 * `sha256:` and the hex SHA-256 over the RFC 8785 (canonical JSON) form of a value. Loads node:crypto when first called:
 * that takes a quarter of the time in which Node starts, and most runs of `lapse check` need no digest.
 */
export function digestOf(value: unknown): string {
  const { hash } = process.getBuiltinModule('node:crypto')
  return `sha256:${hash('sha256', canonicalize(value) ?? 'null')}`
}

/**
 * What is approved of a grant: everything that it asks for, and the policy version that it asks. Another version, or a grant of
 * the same name with another wish, has another digest. `spec` is as the API server stores it.
 */
export function grantDigestOf(spec: NHIGrantSpec, policyDigest: string): string {
  const { revoke: _, ...asked } = spec
  return digestOf({ spec: asked, policy: policyDigest })
}
