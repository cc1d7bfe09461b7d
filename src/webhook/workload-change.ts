import { isDeepStrictEqual } from 'node:util'
import { pinAnnotation } from '../core/policy/pin.ts'
import type { Labels } from '../core/selector.ts'
import { readWorkloads, type TemplateKind } from '../core/workload/template-kinds.ts'
import { untouchedContainers } from '../core/workload/untouched.ts'
import type { PolicyFinding } from '../core/workload/review.ts'
import type { Workload } from '../core/workload/workload.ts'
import type { AdmissionRequest } from './admission-review.ts'

/** The pods of the object before this update; empty: it is new, it had none, or they cannot be read. */
export function workloadsBefore({ oldObject }: AdmissionRequest, kinds: readonly TemplateKind[]): readonly Workload[] {
  const reading = oldObject === null ? null : readWorkloads(oldObject, kinds)
  return reading?.ok === true ? reading.workloads : []
}

/**
 * An update that does not touch what pods will be passes, on an object that is being deleted too: scale, labels and
 * finalizers stay writable on what no longer meets the policy.
 */
export function keepsTemplates(before: readonly Workload[], after: readonly Workload[]): boolean {
  if (before.length === 0 || before.length !== after.length) return false
  return after.every((workload, index) => keepsTemplate(before[index], workload))
}

function keepsTemplate(before: Workload | undefined, after: Workload): boolean {
  return before !== undefined && isDeepStrictEqual(before.pod, after.pod) && keepsAnnotations(before, after)
}

function keepsAnnotations(before: Workload, after: Workload): boolean {
  return isDeepStrictEqual(judgedAnnotations(before), judgedAnnotations(after))
}

/** Of a running Pod only those that are judged: the kubelet and networks write others all the time. */
function judgedAnnotations({ kind, annotations }: Workload): Labels {
  if (kind !== 'Pod') return annotations
  return Object.fromEntries(
    Object.entries(annotations).filter(([key]) => key === pinAnnotation || /(apparmor|seccomp)/.test(key)),
  )
}

/**
 * The findings of a running Pod, of which those that lie in containers that it had before warn and no longer refuse: the
 * Pod runs with them, whatever this update brings. Templates have no such past, for each of their Pods is new.
 */
export function ratchet(
  findings: readonly PolicyFinding[],
  [before]: readonly Workload[],
  [after]: readonly Workload[],
): readonly PolicyFinding[] {
  if (before === undefined || after?.kind !== 'Pod' || !keepsAnnotations(before, after)) return findings
  const isUntouched = untouchedContainers(before, after, isDeepStrictEqual)
  return findings.map((finding) =>
    finding.enforcement === 'Deny' && isUntouched(finding.path)
      ? { ...finding, enforcement: 'Warn', message: `${finding.message}; it was so before this update` }
      : finding,
  )
}
