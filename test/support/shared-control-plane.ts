import { startControlPlane, type ControlPlane } from './control-plane.ts'
import { attachControlPlane } from './running-control-plane.ts'

let shared: ControlPlane | null = null

/**
 * The control plane of the whole run, for hooks and tests. Tests share it: each works in a namespace of its own, and one
 * that breaks a part starts its own. With LAPSE_TEST_CLUSTER it is the one that `make cluster` runs.
 */
export function controlPlane(): ControlPlane {
  if (shared === null) throw new Error('the control plane runs from the first hook to the last, no sooner and no later')
  return shared
}

/** Called by mocha before the first test. */
export async function mochaGlobalSetup(): Promise<void> {
  const statePath = process.env['LAPSE_TEST_CLUSTER']
  shared = statePath === undefined ? await startControlPlane() : await attachControlPlane(statePath)
}

/** Called by mocha after the last test. */
export async function mochaGlobalTeardown(): Promise<void> {
  await shared?.stop()
  shared = null
}
