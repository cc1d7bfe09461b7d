import { forEachContainer, type Container, type PodSpec } from './pod-spec.ts'
import type { Workload } from './workload.ts'

/** Whether two values say the same; core has no deep comparison of its own. */
export type SameContent = (a: unknown, b: unknown) => boolean

/**
 * Tells of a field path whether it lies in a container that a running Pod had before, by its name, and that is as it was: what
 * is wrong there was there already and runs. What the Pod itself has is shared with every container that joins it, and is
 * nobody's old one.
 */
export function untouchedContainers(before: Workload, after: Workload, same: SameContent): (path: string) => boolean {
  const earlier = containersByName(before.pod)
  const untouched = new Set<string>()
  forEachContainer(after.pod, after.podPath, (container, place) => {
    const namesakes = earlier.get(container.name ?? '') ?? []
    if (container.name && namesakes.length === 1 && same(namesakes[0], container)) untouched.add(place)
  })
  return (path) => untouched.has(containerPlace(path, after.podPath))
}

/** Such as `spec.initContainers[1]`; empty: the path does not lead into a container. */
function containerPlace(path: string, podPath: string): string {
  if (!path.startsWith(`${podPath}.`)) return ''
  const place = /^\w+\[\d+\](?=\.|$)/.exec(path.slice(podPath.length + 1))
  return place === null ? '' : `${podPath}.${place[0]}`
}

function containersByName(pod: PodSpec): ReadonlyMap<string, readonly Container[]> {
  const all = new Map<string, Container[]>()
  forEachContainer(pod, '', (container) => {
    const name = container.name ?? ''
    const known = all.get(name)
    if (known === undefined) all.set(name, [container])
    else known.push(container)
  })
  return all
}
