import { expect } from 'chai'

import { container, GuardedNamespace, podOf } from '../support/guarded-cluster.ts'

const debug = (securityContext: object) => ({ name: 'debug', image: 'registry.example/debug:1', securityContext })

describe('B2 the subresource pods/ephemeralcontainers', () => {
  let guarded: GuardedNamespace
  beforeEach(async () => {
    guarded = await GuardedNamespace.make()
    await guarded.create('pods', podOf())
  })

  const elsewhere = 'it was possible where rules named pods and not each of their subresources'
  const path = () => `${guarded.path('pods', 'api')}/ephemeralcontainers`

  it(`refuses what kubectl debug brings: ${elsewhere}`, async () => {
    const target = ['pod/api', '-n', guarded.name, '--image=registry.example/debug:1', '--attach=false']
    const { code, stderr } = await guarded.cluster.controlPlane.kubectl(['debug', ...target, '--profile=sysadmin'])
    expect(code).to.equal(1)
    expect(stderr)
      .to.contain('denied by lapse')
      .and.match(/\[privileged\] +spec\.ephemeralContainers\[0\]/)
  })

  const ways: readonly (readonly [how: string, write: (containers: readonly object[]) => Promise<unknown>])[] = [
    ['a merge patch', (list) => guarded.admin.patch(path(), { spec: { ephemeralContainers: list } })],
    [
      'a JSON patch',
      (list) => guarded.admin.patch(path(), [{ op: 'add', path: '/spec/ephemeralContainers', value: list }], 'json'),
    ],
    [
      'a strategic merge patch',
      (list) => guarded.admin.patch(path(), { spec: { ephemeralContainers: list } }, 'strategic'),
    ],
    [
      'a replacement',
      async (list) => {
        const pod = await guarded.admin.get(guarded.path('pods', 'api'))
        return guarded.admin.replace(path(), { ...pod, spec: { ...pod['spec'], ephemeralContainers: list } })
      },
    ],
  ]
  for (const [how, write] of ways)
    it(`refuses a privileged one by ${how} and lets a good one in: ${elsewhere}`, async () => {
      expect(await guarded.refused(write([debug({ privileged: true })]))).to.contain('[privileged]')
      await write([debug(container.securityContext)])
    })

  it('cannot be told by another kind: the Pod itself has no way to gain one', async () => {
    const ephemeralContainers = [debug({ privileged: true })]
    const error = await guarded.admin.patch(guarded.path('pods', 'api'), { spec: { ephemeralContainers } }).then(
      () => expect.fail('it succeeded'),
      (refusal: Error) => refusal,
    )
    expect(error.message).to.match(/denied by lapse|may not be added|pod updates may not change/)
  })
})
