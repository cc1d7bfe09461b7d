import { isDeepStrictEqual } from 'node:util'
import { marks } from '../api/v1alpha1/objects.ts'
import { isObject, type JsonObject } from '../api/validate.ts'
import type { AdmissionRequest } from './admission-review.ts'

/** Whom an AccessPolicy must name as its last author after this request; null: nobody. */
export function authorAfter({ object, oldObject, user }: AdmissionRequest): string | null {
  const isChanged = oldObject === null || !isDeepStrictEqual(object?.['spec'], oldObject['spec'])
  return isChanged ? user.username : authorOf(oldObject)
}

/** Whom it names; null: nobody. */
export function authorOf(policy: JsonObject | null): string | null {
  const author = annotationsOf(policy)?.[marks.appliedBy]
  return typeof author === 'string' ? author : null
}

/** null: it has none. */
export function annotationsOf(object: JsonObject | null): JsonObject | null {
  const metadata = object?.['metadata']
  const annotations = isObject(metadata) ? metadata['annotations'] : null
  return isObject(annotations) ? annotations : null
}
