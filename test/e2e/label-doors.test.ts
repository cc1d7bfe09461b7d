import { expect } from 'chai'
import type { ControlPlane } from '../support/control-plane.ts'
import { controlPlane } from '../support/shared-control-plane.ts'

/** What the catalogue of capabilities takes for granted of Kubernetes: labels change by subresources, too. */
describe('labels of an object', () => {
  let cp: ControlPlane
  let namespace: string

  before(async () => {
    cp = controlPlane()
    namespace = await cp.namespace()
  })

  const labels = { team: 'intruders' }

  it('of a Namespace change by namespaces/status', async () => {
    const path = `/api/v1/namespaces/${namespace}`
    await cp.admin.patch(`${path}/status`, { metadata: { labels } })
    expect((await cp.admin.get(path)).metadata?.labels).to.include(labels)
  })

  it('of a Namespace change by namespaces/finalize', async () => {
    const path = `/api/v1/namespaces/${namespace}`
    const now = await cp.admin.get(path)
    const written = { ...now, metadata: { ...now.metadata, labels: { ...now.metadata?.labels, by: 'finalize' } } }
    await cp.admin.replace(`${path}/finalize`, written)
    expect((await cp.admin.get(path)).metadata?.labels).to.include({ by: 'finalize' })
  })

  it('of a Node change by nodes/status, and its taints do not', async () => {
    const name = `node-${namespace}`
    await cp.admin.create('/api/v1/nodes', { metadata: { name } })
    const taints = [{ key: 'out', effect: 'NoExecute' }]
    await cp.admin.patch(`/api/v1/nodes/${name}/status`, { metadata: { labels }, spec: { taints } })
    const after = await cp.admin.get(`/api/v1/nodes/${name}`)
    await cp.admin.delete(`/api/v1/nodes/${name}`)
    expect(after.metadata?.labels).to.include(labels)
    expect(after['spec']?.taints ?? []).to.not.deep.include(taints[0])
  })
})
