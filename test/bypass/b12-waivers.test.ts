import { expect } from 'chai'

import type { KubeObject } from '../support/admin-api.ts'
import { eventually } from '../support/eventually.ts'
import { breach, guardPolicyOf, GuardedNamespace, podOf } from '../support/guarded-cluster.ts'
import { paths } from '../support/scene.ts'

const pod = (): KubeObject => podOf({ ...breach, serviceAccountName: 'default' }, { name: 'waived' })

const active = (guarded: GuardedNamespace, name: string): Promise<KubeObject> =>
  eventually(`${name} is Active`, async () => {
    const found = await guarded.admin.get(`${paths.grants(guarded.name)}/${name}`)
    return found['status']?.state === 'Active' ? found : undefined
  })

const attempt = (guarded: GuardedNamespace): Promise<string> =>
  guarded.create('pods', pod(), '?dryRun=All').then(
    () => 'allowed',
    (error: Error) => error.message,
  )

describe('B12 exceptions', () => {
  let here: GuardedNamespace
  let there: GuardedNamespace
  let first: string
  let second: string

  const elsewhere = 'elsewhere an exception was found in any namespace, or two of them added up (CVE-2024-48921)'

  /** A policy beside the one that governs every guarded namespace, whose grants may waive host-path. */
  const policyOf = (name: string): KubeObject => {
    const namespaceSelector = { matchLabels: { waived: first } }
    return guardPolicyOf(
      {
        subjects: [{ kind: 'ServiceAccount', namespaceSelector, names: ['default'] }],
        scope: { namespaceSelector },
        grants: {
          maxDuration: '1h',
          maxActivePerSubject: 10,
          requesters: [{ kind: 'User', name: 'admin' }],
          waivable: ['host-path'],
        },
        // a breach that two policies find in the same words is told once
        workloads: { podSecurity: { level: name === second ? 'restricted' : 'baseline' } },
      },
      name,
    )
  }
  const grantIn = (guarded: GuardedNamespace, name: string, policy: string, spec: object = {}): Promise<KubeObject> =>
    guarded.admin.create(paths.grants(guarded.name), {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHIGrant',
      metadata: { name },
      spec: {
        policy: { name: policy },
        subject: { kind: 'ServiceAccount', namespace: here.name, name: 'default' },
        waive: ['host-path'],
        duration: '10m',
        reason: 'a test',
        ...spec,
      },
    })

  beforeEach(async () => {
    here = await GuardedNamespace.make()
    there = await GuardedNamespace.make()
    first = `first-${here.name}`
    second = `second-${here.name}`
    for (const { admin, name } of [here, there])
      await admin.patch(`/api/v1/namespaces/${name}`, { metadata: { labels: { waived: first } } })
    for (const name of [first, second]) await here.admin.create(paths.policies, policyOf(name))
    for (const guarded of [here, there])
      await eventually(`both policies are in force in ${guarded.name}`, async () => {
        const message = await attempt(guarded)
        return (message.includes(first) && message.includes(second)) || undefined
      })
  })

  it(`hold under the policy that lets them and under no other: two policies need two: ${elsewhere}`, async () => {
    await grantIn(here, 'one', first)
    await active(here, 'one')
    await eventually(
      'the first policy is silent',
      async () => (await attempt(here)).includes(`policy ${second}@1.0.0 allows`) || undefined,
    )
    await grantIn(here, 'two', second)
    await active(here, 'two')
    await eventually('it is let in', async () => ((await attempt(here)) === 'allowed' ? true : undefined))
  })

  it(`hold in the namespace in which they are, and for the account of that namespace: ${elsewhere}`, async () => {
    for (const policy of [first, second]) {
      await grantIn(here, `of-${policy}`, policy)
      await active(here, `of-${policy}`)
    }
    await eventually('it is let in here', async () => ((await attempt(here)) === 'allowed' ? true : undefined))
    expect(await attempt(there)).to.contain('[host-path]')
    // in another namespace than that of its account, a waiver is for workloads that cannot be
    for (const policy of [first, second]) await grantIn(there, `of-${policy}`, policy).catch(() => null)
    expect(await attempt(there)).to.contain('[host-path]')
  })

  it(`that the policy does not list are not to be had: ${elsewhere}`, async () => {
    const message = await here.refused(grantIn(here, 'more', first, { waive: ['host-path', 'privileged'] }))
    expect(message).to.contain('[waiver-not-allowed] spec.waive[1]')
    expect(await here.refused(grantIn(here, 'none', 'guard'))).to.match(
      /\[(waiver-not-allowed|namespace-out-of-scope|subject-not-governed)\]/,
    )
  })

  it(`end with their grant: ${elsewhere}`, async () => {
    for (const policy of [first, second]) {
      await grantIn(here, `of-${policy}`, policy)
      await active(here, `of-${policy}`)
    }
    await eventually('it is let in', async () => ((await attempt(here)) === 'allowed' ? true : undefined))
    await here.admin.patch(`${paths.grants(here.name)}/of-${first}`, { spec: { revoke: { reason: 'enough' } } })
    await eventually(
      'it is refused',
      async () => (await attempt(here)).includes(`policy ${first}@1.0.0 allows`) || undefined,
    )
  })
})
