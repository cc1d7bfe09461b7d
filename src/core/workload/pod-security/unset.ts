import type { Container } from '../pod-spec.ts'
import type { JudgedPod, Report } from './check.ts'

/**
 * Reports what neither the pod nor a container sets: once, at the pod, when no container sets it (one line there mends
 * them all), otherwise at each container that leaves it out.
 */
export function reportUnset(
  pod: JudgedPod,
  isSet: (container: Container) => boolean,
  wrong: string,
  report: Report,
): void {
  const unset = pod.containers.filter(({ container }) => !isSet(container))
  const places = unset.length === pod.containers.length ? [pod] : unset
  for (const { path } of places) report(`${path}.securityContext`, wrong)
}
