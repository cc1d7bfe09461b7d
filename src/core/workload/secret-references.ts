import { forEachContainer, type PodSpec } from './pod-spec.ts'

/** A field of a pod that names a Secret. */
export interface SecretReference {
  readonly secret: string
  readonly path: string
  /** The environment variable that it fills; null: a volume, or every key of the Secret. */
  readonly variable: string | null
  readonly kind: 'Volume' | 'Environment'
}

/** Every Secret that a pod mounts or reads into its environment, by name. `path` is the field path of the spec. */
export function secretReferences(pod: PodSpec, path: string): readonly SecretReference[] {
  const found: SecretReference[] = []
  const add = (
    kind: SecretReference['kind'],
    at: string,
    secret: string | null | undefined,
    variable: string | null,
  ) => {
    if (secret) found.push({ kind, path: at, secret, variable })
  }
  for (const [index, { secret, projected }] of (pod.volumes ?? []).entries()) {
    add('Volume', `${path}.volumes[${index}].secret.secretName`, secret?.secretName, null)
    for (const [source, each] of (projected?.sources ?? []).entries())
      add('Volume', `${path}.volumes[${index}].projected.sources[${source}].secret.name`, each.secret?.name, null)
  }
  forEachContainer(pod, path, ({ env, envFrom }, at) => {
    for (const [index, { name, valueFrom }] of (env ?? []).entries()) {
      const variable = name ?? ''
      add('Environment', `${at}.env[${index}].valueFrom.secretKeyRef`, valueFrom?.secretKeyRef?.name, variable)
    }
    for (const [index, { secretRef }] of (envFrom ?? []).entries())
      add('Environment', `${at}.envFrom[${index}].secretRef`, secretRef?.name, null)
  })
  return found
}
