/** `make cluster`: a control plane in the foreground, until Ctrl-C. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { controlPlaneBinary } from '../test/support/control-plane-binary.ts'
import { startControlPlane } from '../test/support/control-plane.ts'
import type { ClusterState } from '../test/support/running-control-plane.ts'

const { controlplane: program } = await controlPlaneBinary()
const { directory, url, kubeconfigPath } = await startControlPlane()
const statePath = join(directory, 'cluster.json')
await writeFile(statePath, JSON.stringify({ program, directory, url } satisfies ClusterState))

console.log(`Kubernetes is ready at ${url}; it has no nodes, so pods stay Pending. Ctrl-C stops and removes it.

  export KUBECONFIG=${kubeconfigPath}
  ${program} kubectl get namespaces     any kubectl will do
  ${program} helm list

The end-to-end tests use it instead of one of their own with

  export LAPSE_TEST_CLUSTER=${statePath}
  npm run test:e2e                      all of them; or one file:
  npx mocha --config .mocharc.e2e.json test/e2e/FILE`)
