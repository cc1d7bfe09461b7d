import { expect } from 'chai'
import { lapse, type CommandOutcome } from './fake-io.ts'
import { deployment, documents, grant, grantTerms, namespace, policy, serviceAccount } from './manifests.ts'

const world = documents(namespace, serviceAccount)

function check(policyText: string, judged: string, ...args: readonly string[]): Promise<CommandOutcome> {
  return lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml', '--now', '2027-01-15T12:00:00Z', ...args], {
    files: { 'w.yaml': judged, 'p.yaml': documents(world, policyText) },
  })
}

const withCondition = (expression: string): string =>
  policy({ workloads: `{conditions: [{name: c, expression: ${JSON.stringify(expression)}, message: no such thing}]}` })

describe('lapse check of conditions', () => {
  it('refuses a workload that breaks one', async () => {
    const { code, stdout } = await check(
      withCondition("pod.spec.containers.all(c, c.image.contains('@'))"),
      deployment(),
    )
    expect(code).to.equal(1)
    expect(stdout).to.contain('[condition] no such thing').and.contain('see condition c of ')
  })

  it('allows one that does not', async () => {
    const { code } = await check(withCondition("object.kind == 'Deployment' && oldObject == null"), deployment())
    expect(code).to.equal(0)
  })

  it('says which condition only admission can judge', async () => {
    const { code, stdout } = await check(withCondition("request.operation == 'DELETE'"), deployment())
    expect(code).to.equal(0)
    expect(stdout).to.contain('condition c looks at the request, and is judged at admission only')
  })

  it('reads no policy whose conditions do not compile, and says where', async () => {
    const { code, stderr } = await check(withCondition('pod.spec.x == \n nothing'), deployment())
    expect(code).to.equal(3)
    expect(stderr).to.contain('spec.workloads.conditions[0].expression: line 2, column 2: there is no variable nothing')
  })

  it('refuses a grant that breaks one', async () => {
    const terms = grantTerms().replace(/}\n$/, ', conditions: [{name: c, expression: "now.getHours() < 6"}]}\n')
    const { code, stdout } = await check(policy({ grants: terms }), grant(), '--as', 'ana', '--as-group', 'leads')
    expect(code).to.equal(1)
    expect(stdout).to.contain('condition c does not hold')
  })
})
