import type { PodSpec } from './pod-spec.ts'

/** Checks of tokens and secrets that a policy lists by id, in the order of the findings. */
export const tokenCheckIds = ['default-service-account', 'needless-token', 'legacy-token', 'secret-in-env'] as const

export type TokenCheckId = (typeof tokenCheckIds)[number]

/** Whether a process in the pod can get at an API token, and by which field (path within the pod spec) of which setting. */
export type TokenReach =
  | { readonly reachable: false }
  | { readonly reachable: true; readonly why: string; readonly path: string }

/**
 * Whether an API token is within the pod's reach: mounted by default, projected in so many words, or lying on the node
 * under a hostPath. `serviceAccountAutomount` is that field of the pod's ServiceAccount; null: not set or not known.
 *
 * Which audiences the API server accepts is not known here: a projected token of any audience counts. Known limits: Secret
 * volumes and env references to Secrets count as not reachable, for only their content tells a legacy token from any other
 * Secret; the kubelet's directory is taken to be /var/lib/kubelet; ways out of the container are for Pod Security to judge.
 */
export function tokenReachable(pod: PodSpec, serviceAccountAutomount: boolean | null): TokenReach {
  return automounted(pod, serviceAccountAutomount) ?? projected(pod) ?? onNode(pod) ?? { reachable: false }
}

type Reached = Extract<TokenReach, { reachable: true }>

/** As the ServiceAccount admission plugin decides: the pod's word, else the ServiceAccount's, else yes. */
function automounted(pod: PodSpec, serviceAccountAutomount: boolean | null): Reached | null {
  const path = 'automountServiceAccountToken'
  const ofPod = pod.automountServiceAccountToken ?? null
  if ((ofPod ?? serviceAccountAutomount) === false) return null
  if (ofPod === true) return { reachable: true, why: 'the pod sets automountServiceAccountToken: true', path }
  const why =
    serviceAccountAutomount === true
      ? 'its ServiceAccount sets automountServiceAccountToken: true'
      : 'automountServiceAccountToken is not set, so the token is mounted'
  return { reachable: true, why, path }
}

function projected(pod: PodSpec): Reached | null {
  for (const [index, volume] of (pod.volumes ?? []).entries()) {
    const source = volume.projected?.sources?.findIndex((each) => (each.serviceAccountToken ?? null) !== null) ?? -1
    if (source === -1) continue
    const path = `volumes[${index}].projected.sources[${source}].serviceAccountToken`
    return { reachable: true, why: 'a projected volume holds a token', path }
  }
  return null
}

function onNode(pod: PodSpec): Reached | null {
  for (const [index, { hostPath }] of (pod.volumes ?? []).entries()) {
    if (hostPath === null || hostPath === undefined || !meetsPodVolumes(hostPath.path ?? '')) continue
    const why = 'its hostPath reaches the tokens of other pods under /var/lib/kubelet/pods'
    return { reachable: true, why, path: `volumes[${index}].hostPath` }
  }
  return null
}

const podVolumes = ['var', 'lib', 'kubelet', 'pods']

/** Whether a path of the node lies above, at or below the directory with every pod's volumes. */
function meetsPodVolumes(path: string): boolean {
  return stepsOf(path).every((step, depth) => depth >= podVolumes.length || step === podVolumes[depth])
}

/** The path's steps from the root, `.` and `..` resolved; a drive letter and backslashes are those of Windows nodes. */
function stepsOf(path: string): readonly string[] {
  const steps: string[] = []
  for (const step of path.replace(/^[a-z]:/i, '').split(/[\\/]/)) {
    if (step === '..') steps.pop()
    else if (step !== '' && step !== '.') steps.push(step)
  }
  return steps
}
