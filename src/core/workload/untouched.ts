import { forEachContainer, type Container, type PodSpec } from './pod-spec.ts'
import type { Workload } from './workload.ts'

/** Whether two values say the same; core has no deep comparison of its own. */
export type SameContent = (a: unknown, b: unknown) => boolean

/**
 * Whether the field at that path lies in a container that a running Pod had before, by its name, and that is as it was: what
 * is wrong there was there already and runs. What the Pod itself has is shared with every container that joins it, and is
 * nobody's old one.
 */
export function isInUntouchedContainer(path: string, before: Workload, after: Workload, same: SameContent): boolean {
  const found = containerAt(path, after)
  if (found === null || !found.name) return false
  const earlier = containersOf(before.pod).filter(({ name }) => name === found.name)
  return earlier.length === 1 && same(earlier[0], found)
}

/** null: the path does not lead into a container. */
function containerAt(path: string, { pod, podPath }: Workload): Container | null {
  let found: Container | null = null
  forEachContainer(pod, podPath, (container, place) => {
    if (path === place || path.startsWith(`${place}.`)) found = container
  })
  return found
}

function containersOf(pod: PodSpec): readonly Container[] {
  const all: Container[] = []
  forEachContainer(pod, '', (container) => all.push(container))
  return all
}
