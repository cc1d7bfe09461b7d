import type { Problem } from '../problem.ts'
import { podSpecShape } from './pod-spec-shape.ts'
import type { PodSpec } from './pod-spec.ts'

export type PodSpecReading =
  | { readonly ok: true; readonly spec: PodSpec }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Checks the shape of an untrusted PodSpec at that path. The spec that comes back is the value itself, not a copy. */
export function readPodSpec(value: unknown, path: string): PodSpecReading {
  if (podSpecShape.fits(value)) return { ok: true, spec: value }
  return { ok: false, problems: podSpecShape.explain(value, path) }
}
