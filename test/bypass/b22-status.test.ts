import { expect } from 'chai'

import { eventually } from '../support/eventually.ts'
import { guardPolicy, GuardedNamespace } from '../support/guarded-cluster.ts'
import { getOrNull, paths } from '../support/scene.ts'

describe('B22 what the engine writes down', () => {
  let guarded: GuardedNamespace
  let grant: string
  before(async () => {
    guarded = await GuardedNamespace.make()
    await guarded.admin.create(paths.grants(guarded.name), {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHIGrant',
      metadata: { name: 'mine' },
      spec: {
        policy: { name: guardPolicy },
        subject: { kind: 'ServiceAccount', namespace: guarded.name, name: 'api' },
        permissions: ['rollout'],
        duration: '10m',
        reason: 'a test',
      },
    })
    grant = `${paths.grants(guarded.name)}/mine`
    await eventually('the grant is Active', async () =>
      (await guarded.admin.get(grant))['status']?.state === 'Active' ? true : undefined,
    )
  })

  const elsewhere = 'elsewhere a tenant edited the report or the status that the engine went by (CVE-2025-24376)'
  const revision = `${paths.revisions}/${guardPolicy}-1.0.0`

  const writes: readonly (readonly [what: string, write: () => Promise<unknown>, check: string])[] = [
    [
      'the end of a grant',
      () => guarded.admin.patch(`${grant}/status`, { status: { notAfter: '2099-01-01T00:00:00Z' } }),
      '[status-guarded]',
    ],
    [
      'a grant that comes with a status',
      () => guarded.admin.patch(`${grant}/status`, { status: { state: 'Pending' } }, 'merge'),
      '[status-guarded]',
    ],
    [
      'the version in force',
      () => guarded.admin.patch(`${paths.policies}/${guardPolicy}/status`, { status: { activeVersion: '9.9.9' } }),
      '[status-guarded]',
    ],
    [
      'the record of a version',
      () => guarded.admin.patch(revision, { metadata: { labels: { a: 'b' } } }),
      '[revision-guarded]',
    ],
    ['its status', () => guarded.admin.patch(`${revision}/status`, { status: {} }), '[revision-guarded]'],
    ['its absence', () => guarded.admin.delete(revision), '[revision-guarded]'],
    [
      'the binding that carries a grant',
      async () => {
        const [binding] = await guarded.admin.list(paths.roleBindings(guarded.name))
        const path = `${paths.roleBindings(guarded.name)}/${binding!.metadata!.name}`
        return guarded.admin.patch(path, {
          subjects: [{ kind: 'ServiceAccount', namespace: 'default', name: 'default' }],
        })
      },
      '[grant-object]',
    ],
  ]
  for (const [what, write, check] of writes)
    it(`is the operator's alone, also for an admin: ${what}: ${elsewhere}`, async () => {
      expect(await guarded.refused(write())).to.contain(check)
    })

  it(`is dropped from an object that brings it along: ${elsewhere}`, async () => {
    const created = await guarded.admin.create(paths.grants(guarded.name), {
      ...(await guarded.admin.get(grant)),
      metadata: { name: 'copy' },
      status: { state: 'Active', notAfter: '2099-01-01T00:00:00Z' },
    })
    expect(created['status']?.notAfter).to.equal(undefined)
    expect(await getOrNull(guarded.admin, grant)).not.to.equal(null)
  })
})
