import { parseNHIGrant } from '../api/v1alpha1/parse-nhi-grant.ts'
import { isObject } from '../api/validate.ts'
import { readWorkload } from '../core/workload/workload.ts'
import { keyOf } from '../world/read-facts.ts'
import type { WorldIndex } from '../world/world-index.ts'
import type { Judged } from './check-judge.ts'
import { worldKindOf, type Placed } from './check-world.ts'
import { badField, type BadInput } from './manifest/manifest.ts'

export interface FoundJudged {
  readonly object: Placed
  readonly subject: Judged
}

/** The objects among these that are judged: workloads, policies and grants, in order, and workloads that cannot be read. */
export function findJudged(
  objects: readonly Placed[],
  world: WorldIndex,
): { readonly judged: readonly FoundJudged[]; readonly bad: readonly BadInput[] } {
  const judged: FoundJudged[] = []
  const bad: BadInput[] = []
  for (const object of objects) {
    const reading = worldKindOf(object) === null ? readWorkload(object.object) : null
    if (reading?.ok === false) bad.push(...reading.problems.map((problem) => badField(object, problem)))
    const workload = reading?.ok === true ? reading.workload : null
    const subject: Judged | null =
      workload === null ? ownSubject(object, world) : { kind: 'Workload', workload, namespace: object.namespace }
    if (subject !== null) judged.push({ object, subject })
  }
  return { judged, bad }
}

/** null: no policy and no grant, or one that cannot be parsed, which was reported when the world was built. */
function ownSubject(object: Placed, world: WorldIndex): Judged | null {
  const kind = worldKindOf(object)
  if (kind === 'AccessPolicy') {
    const policy = world.policy(keyOf(object.object).name)
    return policy === null ? null : { kind: 'Policy', policy }
  }
  if (kind !== 'NHIGrant') return null
  const parsed = parseNHIGrant(object.object)
  return parsed.ok ? { kind: 'Grant', grant: parsed.value, uid: uidOf(object) } : null
}

function uidOf({ object }: Placed): string | null {
  const uid = isObject(object['metadata']) ? object['metadata']['uid'] : undefined
  return typeof uid === 'string' ? uid : null
}
