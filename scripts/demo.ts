// The tour: everything that Lapse is for, on a real Kubernetes API server, in about half a minute. `--keep` leaves it up.
import { startControlPlane } from '../test/support/control-plane.ts'
import { installLapse } from '../test/support/installation.ts'
import { Narrator } from './demo/narrator.ts'
import { tour } from './demo/tour.ts'

const keep = process.argv.includes('--keep')
const narrator = new Narrator(process.stdout)
narrator.title('Lapse: access for machines that lapses by itself')

const controlPlane = await narrator.timed('a Kubernetes control plane, for this tour alone', () => startControlPlane())
try {
  const lapse = await narrator.timed(
    'helm install lapse, then controller and webhook as their own ServiceAccounts',
    () => installLapse(controlPlane),
  )
  // It looks for new kinds every 30 s only; one that starts now knows Lapse's from the beginning.
  await narrator.timed('the garbage collector, started again so that it knows the new kinds', () =>
    controlPlane.part('kube-controller-manager').restart(),
  )
  await tour({ controlPlane, lapse, narrator, keep })
  if (keep) await untilInterrupted(controlPlane.kubeconfigPath)
} catch (error) {
  console.error(`\nthe tour broke off: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
} finally {
  await controlPlane.stop()
}
process.exit()

function untilInterrupted(kubeconfig: string): Promise<void> {
  console.log(`\nIt stays up until Ctrl-C:\n\n  export KUBECONFIG=${kubeconfig}\n`)
  return new Promise((resolve) => process.once('SIGINT', () => resolve()))
}
