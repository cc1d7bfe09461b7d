import { expect } from 'chai'

import { breach, deploymentOf, GuardedNamespace } from '../support/guarded-cluster.ts'
import { getOrNull } from '../support/scene.ts'

const bad = () => deploymentOf(breach)

describe('B28 ways to write', () => {
  let guarded: GuardedNamespace
  beforeEach(async () => {
    guarded = await GuardedNamespace.make()
  })

  const elsewhere = 'elsewhere a check hung on the way in which an object was written'
  const path = () => guarded.path('apps/v1/deployments', 'api')
  const add = [{ op: 'add', path: '/spec/template/spec/volumes', value: breach.volumes }]

  const creating: readonly (readonly [how: string, write: () => Promise<unknown>])[] = [
    ['a POST', () => guarded.create('apps/v1/deployments', bad())],
    ['server-side apply', () => guarded.admin.apply(path(), bad())],
    [
      'a POST that ignores unknown fields',
      () => guarded.create('apps/v1/deployments', bad(), '?fieldValidation=Ignore'),
    ],
    [
      'a POST with another field manager',
      () => guarded.create('apps/v1/deployments', bad(), '?fieldManager=lapse-controller'),
    ],
    ['YAML', () => guarded.admin.request('POST', guarded.path('apps/v1/deployments'), bad(), 'application/yaml')],
  ]
  for (const [how, write] of creating)
    it(`are judged alike: ${how}: ${elsewhere}`, async () => {
      expect(await guarded.refused(write())).to.contain('[host-path]')
      expect(await getOrNull(guarded.admin, path())).to.equal(null)
    })

  const changing: readonly (readonly [how: string, write: () => Promise<unknown>])[] = [
    ['a merge patch', () => guarded.admin.patch(path(), { spec: { template: { spec: breach } } })],
    [
      'a strategic merge patch',
      () => guarded.admin.patch(path(), { spec: { template: { spec: breach } } }, 'strategic'),
    ],
    ['a JSON patch', () => guarded.admin.patch(path(), add, 'json')],
    ['server-side apply', () => guarded.admin.apply(path(), bad())],
    [
      'a replacement',
      async () => {
        const found = await guarded.admin.get(path())
        const metadata = { ...found.metadata, resourceVersion: '' }
        return guarded.admin.replace(path(), { ...found, ...bad(), metadata })
      },
    ],
  ]
  for (const [how, write] of changing)
    it(`change an object alike: ${how}: ${elsewhere}`, async () => {
      await guarded.create('apps/v1/deployments', deploymentOf())
      expect(await guarded.refused(write())).to.contain('[host-path]')
    })

  it(`through kubectl are judged alike: create --raw, apply, replace --force: ${elsewhere}`, async () => {
    const { controlPlane } = guarded.cluster
    const input = JSON.stringify({ ...bad(), metadata: { name: 'api', namespace: guarded.name } })
    const raw = guarded.path('apps/v1/deployments')
    const commands = [
      ['create', '--raw', raw, '-f', '-'],
      ['apply', '-f', '-'],
      ['apply', '--server-side', '-f', '-'],
      ['create', '-f', '-', '--validate=false'],
    ]
    for (const command of commands) {
      const { code, stderr } = await controlPlane.kubectl(command, { input })
      expect(code, command.join(' ')).to.equal(1)
      expect(stderr, command.join(' ')).to.contain('denied by lapse').and.contain('[host-path]')
    }
  })

  it('to scale and status change no template, and are not refused on what breaks the policy', async () => {
    await guarded.oldBreach('apps/v1/deployments', deploymentOf(breach))
    await guarded.admin.patch(`${path()}/scale`, { spec: { replicas: 3 } })
    await guarded.admin.patch(`${path()}/status`, {
      status: { observedGeneration: 4 },
      spec: { template: { spec: { hostPID: true } } },
    })
    expect((await guarded.admin.get(path()))['spec'].template.spec.hostPID).to.equal(undefined)
  })
})
