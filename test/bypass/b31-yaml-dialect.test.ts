import { expect } from 'chai'

import { lapse } from '../cli/fake-io.ts'
import { kubectlScalars } from '../cli/kubectl-scalars.ts'
import { documents, namespace, policy, serviceAccount } from '../cli/manifests.ts'
import { GuardedNamespace, podOf } from '../support/guarded-cluster.ts'

const podWith = (field: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: api, namespace: payments}\nspec:\n  serviceAccountName: api\n  containers: [{name: a, image: x}]\n  ${field}\n`

describe('B31 the dialect of YAML', () => {
  const elsewhere =
    'elsewhere a pipeline read YAML 1.2, in which yes is a text, and the cluster 1.1, in which it is true'

  const truths = kubectlScalars.filter(([, json]) => json === 'true').map(([scalar]) => scalar)

  for (const scalar of truths)
    it(`is that of kubectl: hostPID: ${scalar} is found by lapse check: ${elsewhere}`, async () => {
      const files = {
        'w.yaml': podWith(`hostPID: ${scalar}`),
        'p.yaml': documents(namespace, serviceAccount, policy()),
      }
      const { code, stdout } = await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml', '-o', 'json'], { files })
      expect(stdout).to.contain('host-namespaces')
      expect(code).to.equal(1)
    })

  it(`is that of kubectl for merge keys: ${elsewhere}`, async () => {
    const merged = podWith('<<: {hostNetwork: on}')
    const files = { 'w.yaml': merged, 'p.yaml': documents(namespace, serviceAccount, policy()) }
    const { code, stdout } = await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml', '-o', 'json'], { files })
    expect(stdout).to.contain('host-namespaces')
    expect(code).to.equal(1)
  })

  it(`is that of kubectl, which sends what it read to the webhook: ${elsewhere}`, async () => {
    const guarded = await GuardedNamespace.make()
    const { serviceAccountName, containers } = podOf()['spec']
    const spec = JSON.stringify({ serviceAccountName, containers }).slice(0, -1)
    const input = `apiVersion: v1\nkind: Pod\nmetadata: {name: api, namespace: ${guarded.name}}\nspec: ${spec}, hostNetwork: yes, hostPID: On}\n`
    const { code, stderr } = await guarded.cluster.controlPlane.kubectl(['create', '-f', '-'], { input })
    expect(code).to.equal(1)
    expect(stderr).to.contain('denied by lapse').and.contain('[host-namespaces]')
  })
})
