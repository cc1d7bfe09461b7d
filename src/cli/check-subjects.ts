import { parseNHIGrant } from '../api/v1alpha1/parse-nhi-grant.ts'
import { readWorkloads, type TemplateKind } from '../core/workload/template-kinds.ts'
import { keyOf } from '../world/read-facts.ts'
import type { WorldIndex, WorldKind } from '../world/world-index.ts'
import type { Judged } from './check-judge.ts'
import { worldKindOf, type Placed } from './check-world.ts'
import { badField, type BadInput } from './manifest/manifest.ts'

export interface FoundJudged {
  readonly object: Placed
  readonly subject: Judged
}

/**
 * The objects among these that are judged, in order: workloads, policies, grants, and what gives access; and workloads that
 * cannot be read.
 */
export function findJudged(
  objects: readonly Placed[],
  world: WorldIndex,
  podTemplates: readonly TemplateKind[],
): { readonly judged: readonly FoundJudged[]; readonly bad: readonly BadInput[] } {
  const judged: FoundJudged[] = []
  const bad: BadInput[] = []
  for (const object of objects) {
    const reading = worldKindOf(object) === null ? readWorkloads(object.object, podTemplates) : null
    if (reading?.ok === false) bad.push(...reading.problems.map((problem) => badField(object, problem)))
    const [first, ...rest] = reading?.ok === true ? reading.workloads : []
    const { namespace } = object
    const subject: Judged | null =
      first === undefined
        ? otherSubject(object, world)
        : { kind: 'Workload', workloads: [first, ...rest], namespace, object: object.object }
    if (subject !== null) judged.push({ object, subject })
  }
  return { judged, bad }
}

const accessKinds: readonly (WorldKind | null)[] = [
  'ServiceAccount',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
]

/** null: none that is judged, or one that cannot be parsed, which was reported when the world was built. */
function otherSubject(object: Placed, world: WorldIndex): Judged | null {
  const kind = worldKindOf(object)
  const { name } = keyOf(object.object)
  const isSecret = object.apiVersion === 'v1' && object.kind === 'Secret'
  if (isSecret || (accessKinds.includes(kind) && name !== '')) return { kind: 'Access', object, name }
  if (kind === 'AccessPolicy') {
    const policy = world.policy(name)
    return policy === null ? null : { kind: 'Policy', policy }
  }
  if (kind !== 'NHIGrant' && kind !== 'ClusterNHIGrant') return null
  const parsed = parseNHIGrant(object.object)
  return parsed.ok ? { kind: 'Grant', grant: parsed.value } : null
}
