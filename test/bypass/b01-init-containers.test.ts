import { expect } from 'chai'

import { container, everyKind, GuardedNamespace, podOf, privileged } from '../support/guarded-cluster.ts'

describe('B1 containers beside the main ones', () => {
  let guarded: GuardedNamespace
  before(async function () {
    this.timeout(180_000) // the first of the run to ask for the cluster waits for its start
    guarded = await GuardedNamespace.make()
  })

  const elsewhere =
    'it was possible where rules looked at spec.containers alone (SIG threat 12, gatekeeper-library 188)'

  const places: readonly (readonly [what: string, fields: object, path: RegExp])[] = [
    ['an init container', { initContainers: [privileged] }, /spec\.initContainers\[0\]\.securityContext\.privileged/],
    [
      'a sidecar, which is an init container that stays',
      { initContainers: [{ ...privileged, restartPolicy: 'Always' }] },
      /spec\.initContainers\[0\]\.securityContext\.privileged/,
    ],
    [
      'the last of many containers',
      { containers: [container, { ...container, name: 'b' }, privileged] },
      /spec\.containers\[2\]\.securityContext\.privileged/,
    ],
  ]
  for (const [what, fields, path] of places)
    it(`judges ${what} in every kind: ${elsewhere}`, async () => {
      for (const [resource, object] of Object.entries(everyKind(fields))) {
        const message = await guarded.refused(guarded.create(resource, object))
        expect(message, resource).to.contain('[privileged]').and.match(path)
      }
    })

  it(`judges an ephemeral container that joins later: ${elsewhere}`, async () => {
    await guarded.create('pods', podOf())
    const ephemeralContainers = [{ name: 'debug', image: 'x', securityContext: { privileged: true } }]
    const path = `${guarded.path('pods', 'api')}/ephemeralcontainers`
    const message = await guarded.refused(guarded.admin.patch(path, { spec: { ephemeralContainers } }, 'strategic'))
    expect(message).to.match(/\[privileged\] +spec\.ephemeralContainers\[0\]\.securityContext\.privileged/)
  })
})
