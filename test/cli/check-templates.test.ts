import { expect } from 'chai'
import { lapse, type CommandOutcome } from './fake-io.ts'
import { deployment, documents, namespace, policy, serviceAccount } from './manifests.ts'

const rollout = deployment({ pod: '      hostNetwork: true\n' })
  .replace('apps/v1', 'argoproj.io/v1alpha1')
  .replace('kind: Deployment', 'kind: Rollout')

const workflow = `apiVersion: example.com/v1
kind: Workflow
metadata: {namespace: payments, name: w}
spec:
  tasks:
  - template: {spec: {serviceAccountName: api, containers: [{name: a}]}}
  - template:
      spec: {serviceAccountName: api, hostPID: true, containers: [{name: a}]}
  - template: {spec: {serviceAccountName: other, containers: [{name: a}]}}
`

describe('lapse check --pod-templates', () => {
  it('judges no kind that nobody told of', async () => {
    expect((await check(rollout)).stdout).to.equal('0 objects: 0 denied, 0 warned, 0 allowed, 0 ungoverned\n')
  })

  it('judges the pod template at the path', async () => {
    const { code, stdout } = await check(rollout, '--pod-templates', 'argoproj.io/Rollout=spec.template')
    expect(stdout).to.contain('w.yaml:1\ndenied by lapse: Rollout payments/api asks for more')
    expect(stdout).to.contain('[host-namespaces] spec.template.spec.hostNetwork')
    expect(code).to.equal(1)
  })

  it('judges every one of several, as one object', async () => {
    const kinds = 'argoproj.io/Rollout=spec.template,example.com/Workflow=spec.tasks[*].template'
    const { stdout } = await check(workflow, '--pod-templates', kinds, '-o', 'github')
    expect(stdout.split('\n')).to.have.length(3)
    expect(stdout).to.match(/^::error file=w\.yaml,line=8,col=39,title=Workflow payments\/w \[host-namespaces\]/)
    expect(stdout).to.contain('1 object: 1 denied')
  })

  it('names every account that is not among the files', async () => {
    const { stdout } = await check(workflow, '--pod-templates', 'example.com/Workflow=spec.tasks[*].template')
    expect(stdout).to.match(/^note: ServiceAccount payments\/other is not among the files/m)
  })

  for (const value of ['Rollout=spec.template', 'argoproj.io/Rollout', 'a.io/R=spec[', '']) {
    it(`refuses ${JSON.stringify(value)}`, async () => {
      const { code, stderr } = await check(rollout, '--pod-templates', value)
      expect(stderr).to.contain(`--pod-templates must be GROUP/KIND=PATH, not ${JSON.stringify(value)}`)
      expect(code).to.equal(2)
    })
  }
})

describe('lapse check of conditions', () => {
  for (const [sentence, expression, argv, checks] of [
    ['on the object', 'object.spec.replicas == 2', [], ['condition Deny']],
    ['on the object that hold', '!has(object.spec.replicas)', [], []],
    [
      'on who asks, where somebody is said to',
      'request.userInfo.username == "ci"',
      ['--as', 'ana'],
      ['condition Deny'],
    ],
    ['on who asks that hold', 'request.userInfo.username == "ci"', ['--as', 'ci'], []],
    ['on who asks, where nobody knows', 'request.userInfo.username == "ci"', [], ['condition Audit']],
  ] as const) {
    it(`judges those ${sentence}`, async () => {
      const files = {
        'w.yaml': deployment(),
        'p.yaml': documents(namespace, serviceAccount, policy({ workloads: conditions(expression) })),
      }
      const { stdout, stderr } = await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml', '-o', 'json', ...argv], {
        files,
      })
      expect(stdout, stderr).to.not.equal('')
      const [result] = (
        JSON.parse(stdout) as { readonly results: readonly { readonly findings: readonly Record<string, string>[] }[] }
      ).results
      expect(result!.findings.map((each) => `${each['check']} ${each['enforcement']}`)).to.deep.equal(checks)
    })
  }
})

function check(text: string, ...argv: readonly string[]): Promise<CommandOutcome> {
  const files = { 'w.yaml': text, 'world.yaml': documents(namespace, serviceAccount, policy()) }
  return lapse(['check', '-f', 'w.yaml', '--policy', 'world.yaml', ...argv], { files })
}

function conditions(expression: string): string {
  return `{conditions: [{name: asked-by-ci, expression: '${expression}', message: only the pipeline deploys}]}`
}
