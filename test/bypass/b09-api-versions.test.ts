import { expect } from 'chai'

import type { KubeObject } from '../support/admin-api.ts'
import { crewOf, installCrew } from '../support/crew-crd.ts'
import { breach, guardPolicyOf, GuardedNamespace, templateOf } from '../support/guarded-cluster.ts'
import { paths } from '../support/scene.ts'

describe('B9 another version of the same kind', () => {
  let guarded: GuardedNamespace
  before(async () => {
    guarded = await GuardedNamespace.make()
    await installCrew(guarded.admin)
  })

  const elsewhere = 'elsewhere matchPolicy was Exact, and a version that no rule named passed (kyverno 17367)'

  for (const version of ['v1', 'v1beta1'])
    it(`is judged when it is sent as ${version}: ${elsewhere}`, async () => {
      const object = crewOf([templateOf(breach)], version)
      expect(await guarded.refused(guarded.create(`crew.example.com/${version}/crews`, object))).to.contain(
        '[host-path]',
      )
    })

  it(`is asked about by every webhook, by whatever version it comes: ${elsewhere}`, async () => {
    for (const kind of ['validating', 'mutating']) {
      const path = `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations/lapse`
      const webhooks = (await guarded.admin.get(path))['webhooks'] as readonly KubeObject[]
      for (const { name, matchPolicy } of webhooks) expect(matchPolicy, name).to.equal('Equivalent')
    }
  })

  it(`is judged in every version in which our own kinds are served: ${elsewhere}`, async () => {
    const group = await guarded.admin.get('/apis/lapse.dev')
    const versions = (group['versions'] as readonly KubeObject[]).map(({ version }) => version as string)
    expect(versions).not.to.be.empty
    for (const version of versions) {
      const policy = guardPolicyOf(
        { change: { ...guardPolicyOf()['spec'].change, expiresAt: '2020-01-01T00:00:00Z' } },
        'old',
      )
      const write = guarded.admin.create(paths.policies.replace('v1alpha1', version), {
        ...policy,
        apiVersion: `lapse.dev/${version}`,
      })
      expect(await guarded.refused(write)).to.contain('AccessPolicy old')
    }
  })
})
