import type { KubeObject } from './ports.ts'

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/** The object without what only its writers need, and what is half of its size. */
export function slim(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata as KubeObject['metadata'] & {
    readonly managedFields?: unknown
  }
  const { annotations } = metadata
  if (annotations?.[lastApplied] === undefined) return { ...object, metadata }
  const { [lastApplied]: __, ...kept } = annotations
  return { ...object, metadata: { ...metadata, annotations: kept } }
}
