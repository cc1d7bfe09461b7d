import type { Volume } from '../pod-spec.ts'
import { quoted, type PodSecurityCheck } from './check.ts'

/** At level restricted too: there Kubernetes reports a hostPath as one of the restricted volume types. */
export const hostPath: PodSecurityCheck = {
  id: 'host-path',
  level: 'baseline',
  severity: 'High',
  title: 'Volumes that are a path of the node',
  remedy: 'Use a persistentVolumeClaim, an emptyDir, a configMap or a csi volume instead',
  what: 'Volumes of the pod with a hostPath.',
  upstream: 'hostPathVolumes',
  versions: [
    {
      since: 0,
      check: ({ spec, path }, report) =>
        spec.volumes?.forEach((volume, index) => {
          if (isHostPath(volume)) report(`${path}.volumes[${index}]`, 'hostPath is not allowed')
        }),
    },
  ],
}

export const volumeTypes: PodSecurityCheck = {
  id: 'volume-types',
  level: 'restricted',
  severity: 'Low',
  title: 'Volumes other than those that a pod may bring along safely',
  remedy:
    'Use configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected or secret instead',
  what: 'The types of all volumes of the pod.',
  upstream: 'restrictedVolumes',
  versions: [
    {
      since: 0,
      check: ({ spec, path }, report) =>
        spec.volumes?.forEach((volume, index) => {
          if (isHostPath(volume) || hasAllowedSource(volume)) return
          report(`${path}.volumes[${index}]`, `volume type ${sourceOf(volume)} is not allowed`)
        }),
    },
  ],
}

const allowedSources = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
] as const satisfies readonly (keyof Volume)[]

function isHostPath({ hostPath: source }: Volume): boolean {
  return source !== undefined && source !== null
}

function hasAllowedSource(volume: Volume): boolean {
  for (const source of allowedSources) {
    if (volume[source] !== undefined && volume[source] !== null) return true
  }
  return false
}

/** The volume's own key for its source; a volume without one is refused as well, for nobody knows what it will be. */
function sourceOf(volume: Volume): string {
  const source = Object.entries(volume).find(([key, value]) => key !== 'name' && value !== null)
  return source === undefined ? 'unknown' : quoted(source[0])
}
