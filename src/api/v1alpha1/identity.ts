import type { Identity } from '../../core/identity.ts'

/** An identity as an object names it; a ServiceAccount without a namespace is nobody's. */
export function identityOf(written: {
  readonly kind: Identity['kind']
  readonly namespace?: string
  readonly name: string
}): Identity {
  const { kind, namespace = '', name } = written
  return kind === 'ServiceAccount' ? { kind, namespace, name } : { kind, name }
}
