import { mergeConditions, type Condition, type Conclusion } from '../../api/v1alpha1/conditions.ts'
import type { NHIGrantStatus } from '../../api/v1alpha1/nhi-grant-status.schema.ts'
import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import type { Instant } from '../../core/time.ts'
import type { CreatedUids } from './objects.ts'

export type Compliance = Omit<Conclusion, 'type'>

const type = 'Compliant'

/** What was said last of whether the objects of a grant are as it was issued; undefined: they always were. */
export function complianceOf({ status }: NHIGrant): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type)
}

/** The status of an Active grant with that said, and with the UIDs of what was created anew. All else stays. */
export function complianceStatus(
  grant: NHIGrant,
  compliance: Compliance,
  now: Instant,
  created: CreatedUids = new Map(),
): NHIGrantStatus {
  const { conditions = [], objects = [], ...status } = grant.status ?? {}
  const others = conditions.filter((condition) => condition.type !== type)
  const generation = status.observedGeneration ?? 0
  return {
    ...status,
    objects: objects.map((object) => {
      const uid = created.get(`${object.kind}/${object.name}`)
      return uid === undefined ? object : { ...object, uid }
    }),
    conditions: mergeConditions(conditions, [...others, { type, ...compliance }], generation, now),
  }
}
