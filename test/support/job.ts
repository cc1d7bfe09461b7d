import type { KubeObject } from './admin-api.ts'
import { securityContext } from './guarded-cluster.ts'

const began = '2026-01-01T00:00:00Z'

function condition(type: string, reason = type): KubeObject {
  return { type, status: 'True', reason, message: 'a test', lastTransitionTime: began, lastProbeTime: began }
}

/** Left alone by the controller of the cluster, so that a test says how it goes. */
export function jobOf(name: string): KubeObject {
  const containers = [{ name: 'app', image: 'any', securityContext }]
  const template = { spec: { restartPolicy: 'Never', containers } }
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { managedBy: 'example.com/test', template } }
}

/** Statuses of a Job that has ended. */
export const succeeded = {
  startTime: began,
  completionTime: began,
  succeeded: 1,
  uncountedTerminatedPods: {},
  conditions: [condition('SuccessCriteriaMet'), condition('Complete')],
}
export const failed = {
  startTime: began,
  failed: 1,
  uncountedTerminatedPods: {},
  conditions: [condition('FailureTarget'), condition('Failed', 'BackoffLimitExceeded')],
}
