import { expect } from 'chai'

import { crewOf, installCrew } from '../support/crew-crd.ts'
import { breach, GuardedNamespace, podOf, templateOf } from '../support/guarded-cluster.ts'

describe('B8 custom kinds that make Pods', () => {
  let guarded: GuardedNamespace
  before(async () => {
    guarded = await GuardedNamespace.make()
    await installCrew(guarded.admin)
    await installCrew(guarded.admin, { plural: 'gangs', kind: 'Gang' })
  })

  const elsewhere = 'elsewhere only the kinds of Kubernetes were judged, and an Argo Rollout was none of them'

  it(`judges each template of a kind that the configuration names: ${elsewhere}`, async () => {
    const write = guarded.create('crew.example.com/v1/crews', crewOf([templateOf(), templateOf(breach)]))
    expect(await guarded.refused(write))
      .to.contain(`Crew ${guarded.name}/api asks for more than policy guard@1.0.0 allows`)
      .and.contain('[host-path] spec.tasks[1].template.spec.volumes[0]')
  })

  it(`judges an update of it, and leaves alone one that touches no template: ${elsewhere}`, async () => {
    const path = guarded.path('crew.example.com/v1/crews', 'api')
    await guarded.create('crew.example.com/v1/crews', crewOf([templateOf()]))
    await guarded.admin.patch(path, { metadata: { labels: { a: 'b' } }, spec: { note: 'x' } })
    const change = crewOf([templateOf(breach)])
    expect(await guarded.refused(guarded.admin.patch(path, { spec: change['spec'] }))).to.contain('[host-path]')
  })

  it('refuses one whose template cannot be read: elsewhere what could not be parsed was skipped', async () => {
    const write = guarded.create('crew.example.com/v1/crews', crewOf([{ spec: { containers: 'all' } }]))
    expect(await guarded.refused(write)).to.contain('spec.tasks[0].template.spec.containers: expected a list')
  })

  it('warns of one that holds no template where the configuration looks for it', async () => {
    const { controlPlane } = guarded.cluster
    const object = { ...crewOf([]), metadata: { name: 'empty', namespace: guarded.name } }
    const { code, stderr } = await controlPlane.kubectl(['create', '-f', '-'], { input: JSON.stringify(object) })
    expect(code).to.equal(0)
    expect(stderr).to.contain('Warning: there is no pod template at spec.tasks[*].template')
  })

  it('refuses the Pods of a kind that nobody named, for Pods are judged whoever makes them', async () => {
    await guarded.create('crew.example.com/v1/gangs', crewOf([templateOf(breach)], 'v1', 'Gang'))
    expect(await guarded.refused(guarded.create('pods', podOf(breach)))).to.contain('[host-path]')
  })
})
