import { expect } from 'chai'

import { lapse, type CommandOutcome } from '../cli/fake-io.ts'
import { ApprovalScene } from '../support/approval-scene.ts'
import { eventually } from '../support/eventually.ts'
import { guardedCluster } from '../support/guarded-cluster.ts'

const rbac = '/apis/rbac.authorization.k8s.io/v1'
/** Each is bound to the role of the chart, and to nothing else. */
const people = { ron: 'lapse-requester', amy: 'lapse-approver', sue: 'lapse-suspender', vic: 'lapse-viewer' } as const
type Person = keyof typeof people

describe('the roles that the chart offers', () => {
  let scene: ApprovalScene
  before(async function () {
    this.timeout(120_000)
    await guardedCluster()
    scene = await ApprovalScene.set({
      requesters: [{ kind: 'User', name: 'ron' }],
      approval: { required: 1, by: [{ kind: 'User', name: 'amy' }] },
    })
    for (const [person, name] of Object.entries(people))
      await scene.admin.create(`${rbac}/clusterrolebindings`, {
        metadata: { name: `${person}-in-${scene.namespace}` },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: person }],
      })
    await eventually('RBAC has heard of it', async () =>
      (await as('vic', 'grants')).code === 0 && (await as('ron', 'grants')).code === 0 ? true : undefined,
    )
  })

  const as = (person: Person, ...argv: readonly string[]): Promise<CommandOutcome> =>
    lapse([...argv, '--kubeconfig', scene.cluster.controlPlane.kubeconfigPath, '-n', scene.namespace, '--as', person], {
      now: () => Date.now(),
    })
  const ask = ['request', '--as-subject', 'sa/api', '--permission', 'rollout', '--reason', 'Release 41', '--name', 'g']
  const suspend = ['revoke', '--subject', 'sa/api']

  it('lets who asks ask, who approves approve, who answers for incidents suspend, and who looks look', async () => {
    const asked = await as('ron', ...ask, '--policy', scene.policy, '--no-wait')
    expect(asked.code, asked.stderr).to.equal(0)
    await scene.is('AwaitingApproval', 'g')
    const approved = await as('amy', 'approve', 'g', '--reason', 'looked at it', '--yes')
    expect(approved.code, approved.stderr).to.equal(0)
    await scene.is('Active', 'g')
    const suspended = await as('sue', ...suspend, '--reason', 'its key leaked')
    expect(suspended.code, suspended.stderr).to.equal(0)
    expect(suspended.stdout).to.include('/g under ').and.include(' is Revoked: ')
    expect((await as('sue', ...suspend, '--lift')).code).to.equal(0)
    expect((await as('vic', 'grants', '--all')).stdout).to.match(/ g .* Revoked /)
  })

  for (const [sentence, person, argv] of [
    ['who asks approve', 'ron', ['approve', 'g', '--reason', 'r', '--yes']],
    ['who approves ask', 'amy', [...ask, '--policy', 'any', '--no-wait']],
    ['who asks suspend', 'ron', [...suspend, '--reason', 'r']],
    ['who suspends ask', 'sue', [...ask, '--policy', 'any', '--no-wait']],
    ['who looks suspend', 'vic', [...suspend, '--reason', 'r']],
  ] as const)
    it(`does not let ${sentence}`, async () => {
      const { code, stderr } = await as(person, ...argv)
      expect(stderr).to.match(/the cluster does not permit it/)
      expect(code).to.equal(4)
    })
})
