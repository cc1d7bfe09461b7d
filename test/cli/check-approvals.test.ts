import { expect } from 'chai'
import { lapse } from './fake-io.ts'
import { documents, grant, grantTerms, namespace, policy, serviceAccount } from './manifests.ts'

const approval = `apiVersion: lapse.dev/v1alpha1
kind: NHIGrantApproval
metadata: {namespace: payments, name: rollout-ana}
spec:
  grant: {name: rollout, uid: u-1}
  grantDigest: sha256:0
  decision: Approve
  reason: looks right
`
const suspension = `apiVersion: lapse.dev/v1alpha1
kind: NHISuspension
metadata: {name: sa.payments.api}
spec:
  subject: {kind: ServiceAccount, namespace: payments, name: api}
  reason: its key leaked
`
const world = documents(namespace, serviceAccount, policy({ grants: grantTerms() }))
const self = ['--as', 'system:serviceaccount:payments:api']

const check = (text: string, argv: readonly string[] = []) =>
  lapse(['check', '-f', 'x.yaml', ...argv], { files: { 'x.yaml': text } })

describe('lapse check of approvals and suspensions', () => {
  it('knows them, and lets those pass that are written well', async () => {
    const { code, stdout, stderr } = await check(documents(world, approval, suspension))
    expect(stderr).to.equal('')
    expect(code).to.equal(0)
    expect(stdout).to.contain('0 denied')
  })

  for (const [sentence, text, told] of [
    [
      'an approval that says too little',
      approval.replace('Approve', 'Maybe').replace('reason: looks right', 'why: so'),
      'spec.decision: must be one of Approve, Deny, Review, not "Maybe"',
    ],
    ['an approval of a grant without a UID', approval.replace(', uid: u-1', ''), 'spec.grant.uid: is required'],
    [
      'a suspension of a ServiceAccount without a namespace',
      suspension.replace('namespace: payments, ', ''),
      'spec.subject: namespace is required for ServiceAccount',
    ],
    ['a suspension without a reason', suspension.replace(/ {2}reason.*\n/, ''), 'spec.reason: is required'],
  ] as const)
    it(`refuses to judge ${sentence}`, async () => {
      const { code, stderr } = await check(documents(world, text))
      expect(stderr).to.contain(told)
      expect(code).to.equal(3)
    })

  it('refuses a grant of who is suspended among the files', async () => {
    const files = documents(world, grant())
    expect((await check(files, self)).code).to.equal(0)
    const { code, stdout } = await check(documents(files, suspension), self)
    expect(stdout).to.contain(
      '[subject-suspended] spec.subject: ServiceAccount payments/api is suspended: its key leaked',
    )
    expect(code).to.equal(1)
  })
})
