import type { Container, PodSpec, Volume } from './pod-spec.ts'

/**
 * The pod as the API server will have filled it in, where that decides over a check: a file and the object that a webhook sees
 * are judged alike. On the network of the node every port of a container is one of the node, and a volume without a source
 * is an emptyDir; nothing else that is defaulted changes what a check says.
 * Source: kubernetes pkg/apis/core/v1/defaults.go, SetDefaults_Pod and SetDefaults_Volume.
 */
export function defaultedPod(pod: PodSpec): PodSpec {
  const volumes = pod.volumes?.some(hasNoSource) ? pod.volumes.map(withSource) : pod.volumes
  const { containers, initContainers } = pod
  if (pod.hostNetwork !== true) return volumes === pod.volumes ? pod : { ...pod, volumes: volumes ?? null }
  return {
    ...pod,
    volumes: volumes ?? null,
    containers: containers.map(onHostNetwork),
    initContainers: initContainers?.map(onHostNetwork) ?? null,
  }
}

function onHostNetwork(container: Container): Container {
  const ports = container.ports?.map((port) => ({ ...port, hostPort: port.hostPort || (port.containerPort ?? 0) }))
  return ports === undefined ? container : { ...container, ports }
}

/** A source that is not known here is one nevertheless. */
function hasNoSource(volume: Volume): boolean {
  return Object.entries(volume).every(([field, value]) => field === 'name' || value === null || value === undefined)
}

function withSource(volume: Volume): Volume {
  return hasNoSource(volume) ? { ...volume, emptyDir: {} } : volume
}
