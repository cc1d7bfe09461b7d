import type { KubeObject } from '../../cluster/ports.ts'

interface ManagedFields {
  readonly manager?: string
  readonly time?: string
}

/** The operator's own, by which the API server calls its user agent. */
const operator = 'lapse-controller'

/**
 * The program, by the name that it gave itself, that wrote an object last of all that are not the operator; null: there is none
 * on record. Of those that wrote in the same second any may have been the last.
 */
export function lastWriterOf({ metadata }: KubeObject): string | null {
  const { managedFields = [] } = metadata as { readonly managedFields?: readonly ManagedFields[] }
  const others = managedFields.filter(({ manager = operator }) => manager !== operator)
  const last = others.toSorted((a, b) => ((a.time ?? '') < (b.time ?? '') ? -1 : 1)).at(-1)
  return last?.manager ?? null
}
