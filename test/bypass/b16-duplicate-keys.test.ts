import { expect } from 'chai'

import { lapse } from '../cli/fake-io.ts'
import { breach, GuardedNamespace, podOf } from '../support/guarded-cluster.ts'

const twice = (name: string, first: unknown, last: unknown): string =>
  JSON.stringify(podOf({}, { name })).replace(
    '"containers"',
    `"volumes":${JSON.stringify(first)},"volumes":${JSON.stringify(last)},"containers"`,
  )

describe('B16 keys that stand twice', () => {
  const elsewhere = 'elsewhere one reader took the first and another the last (apisix-ingress 2807)'
  const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n'

  const files: readonly (readonly [what: string, text: string])[] = [
    ['in YAML', `${pod}spec: {containers: [{name: a}], hostPID: false, hostPID: true}\n`],
    ['in block YAML', `${pod}spec:\n  containers: [{name: a}]\n  hostPID: true\n  hostPID: false\n`],
    [
      'in JSON',
      '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"hostPID":true,"hostPID":false,"containers":[{"name":"a"}]}}',
    ],
    ['under two spellings of one key', `${pod}spec: {containers: [{name: a}], yes: 1, true: 2}\n`],
    ['at the top', `${pod}kind: Deployment\nspec: {containers: [{name: a}]}\n`],
    [
      'in the metadata',
      `apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x, namespace: y}\nspec: {containers: [{name: a}]}\n`,
    ],
  ]
  for (const [what, text] of files)
    it(`are refused by lapse check ${what}: ${elsewhere}`, async () => {
      const { code, stderr, stdout } = await lapse(['check', '-f', 'w.yaml'], { files: { 'w.yaml': text } })
      expect(code, stdout).to.equal(3)
      expect(`${stdout}${stderr}`).to.match(/stands twice/)
    })

  it(`are one by the time that they reach the webhook, and that one is judged: ${elsewhere}`, async () => {
    const guarded = await GuardedNamespace.make()
    const { controlPlane } = guarded.cluster
    const raw = ['create', '--raw', guarded.path('pods'), '-f', '-']
    const bad = await controlPlane.kubectl(raw, { input: twice('bad', [], breach.volumes) })
    expect(bad.code).to.equal(1)
    expect(bad.stderr).to.contain('denied by lapse').and.contain('[host-path]')
    const good = await controlPlane.kubectl(raw, { input: twice('good', breach.volumes, []) })
    expect(good.code, good.stderr).to.equal(0)
    const stored = await guarded.admin.get(guarded.path('pods', 'good'))
    expect(JSON.stringify(stored['spec'].volumes ?? [])).not.to.contain('hostPath')
  })
})
