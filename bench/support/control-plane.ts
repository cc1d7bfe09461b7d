import { startControlPlane, type ControlPlane } from '../../test/support/control-plane.ts'
import { progress } from './progress.ts'

/** A control plane with nothing installed, for as long as `use` runs. */
export async function withControlPlane<T>(use: (controlPlane: ControlPlane) => Promise<T>): Promise<T> {
  progress('starting a control plane')
  const controlPlane = await startControlPlane()
  try {
    return await use(controlPlane)
  } finally {
    await controlPlane.stop()
  }
}
