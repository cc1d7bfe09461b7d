/** Prefixes of the labels and annotations by which GitOps tools know what they keep in being. */
const trackingPrefixes = ['argocd.argoproj.io/', 'kustomize.toolkit.fluxcd.io/', 'helm.toolkit.fluxcd.io/'] as const

/** Whether a GitOps tool would create the object again that is deleted. */
export function isTracked({
  labels,
  annotations,
}: {
  readonly labels?: object
  readonly annotations?: object
}): boolean {
  const keys = [...Object.keys(labels ?? {}), ...Object.keys(annotations ?? {})]
  return keys.some((key) => trackingPrefixes.some((prefix) => key.startsWith(prefix)))
}
