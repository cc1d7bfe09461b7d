/** A program for a test that kills it: a control plane with one part paused, and a pod with a child. Prints what it started. */
import { startControlPlane } from './control-plane.ts'
import { startPod } from './pod.ts'

const controlPlane = await startControlPlane()
const namespace = await controlPlane.namespace()
const labels = { app: 'sleeper' }
const idle = 'setInterval(() => {}, 1000)'
await controlPlane.admin.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
  metadata: { name: 'sleeper' },
  spec: {
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        containers: [
          {
            name: 'sleeper',
            image: 'none',
            // The namespace's name marks both processes.
            command: ['sh', '-c', `node -e '${idle}' ${namespace} & node -e '${idle}' ${namespace}; wait`],
          },
        ],
      },
    },
  },
})
await startPod({ controlPlane, namespace, deployment: 'sleeper' })
controlPlane.part('kube-controller-manager').pause()
console.log(JSON.stringify({ directory: controlPlane.directory, namespace }))
