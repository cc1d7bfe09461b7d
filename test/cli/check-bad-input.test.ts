import { expect } from 'chai'
import { lapse } from './fake-io.ts'
import { deployment, documents, grant, grantTerms, namespace, policy, serviceAccount } from './manifests.ts'

const good = policy({ grants: grantTerms() })
const role = 'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {namespace: payments, name: r}\n'

describe('lapse check refuses to judge', () => {
  describe('text that is no YAML', () => {
    for (const [sentence, text, told] of [
      ['an open bracket', 'kind: [a', 'x.yaml:1: unexpected end of the stream within a flow collection'],
      [
        'a tab as indentation',
        'a:\n  b: 1\n\tc: 1\n',
        'x.yaml:3: tab characters must not be used in indentation\n  → indent with spaces',
      ],
      [
        'a key that stands twice',
        'apiVersion: v1\nkind: Pod\nspec:\n  hostNetwork: true\n  hostNetwork: false\n',
        'x.yaml:5: hostNetwork: stands twice in the same object\n  → remove one of the two: kubectl would silently take the last',
      ],
      [
        'a key that stands twice in JSON',
        '{"apiVersion": "v1",\n "kind": "Pod", "kind": "Job"}',
        'x.yaml:2: kind: stands twice in the same object',
      ],
      [
        'a colon too many',
        'a: b: c',
        'x.yaml:1: bad indentation of a mapping entry\n  → correct the YAML in this line or just above it',
      ],
      [
        'what helm install prints for people',
        `NAME: web\nSTATUS: pending-install\nHOOKS:\nMANIFEST:\n---\n${namespace}`,
        'x.yaml:1: apiVersion: expected a string, found nothing\n  → give what helm template prints: helm install prints more than manifests',
      ],
      [
        'the notes of a chart behind its manifests',
        `${namespace}NOTES:\nThank you for installing web.\n`,
        'x.yaml:6: can not read a block mapping entry; a multiline key may not be an implicit key\n  → give what helm template prints: helm install prints more than manifests',
      ],
      [
        'a template that nobody rendered',
        'apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}-x\n',
        '→ render the template first: helm template CHART | lapse check -f -',
      ],
      ['an error in a later document', `${namespace}---\nx: [`, 'x.yaml:5: unexpected end of the stream'],
      ['a NUL', 'kind: \0', 'x.yaml:1: null byte is not allowed in input\n  → give text in YAML or JSON'],
      [
        'a binary file',
        new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0xff, 0xfe]),
        'x.yaml: is not UTF-8 text\n  → give text in YAML or JSON',
      ],
    ] as const) {
      it(sentence, () => expectRefusal({ 'x.yaml': text }, told))
    }
  })

  describe('what is no Kubernetes object', () => {
    for (const [sentence, text, told] of [
      [
        'a word',
        'hello',
        'x.yaml:1: expected an object, found a string\n  → every document must be a Kubernetes object, as kubectl apply takes it',
      ],
      ['the values of a chart', 'replicas: 3\n', 'x.yaml:1: apiVersion: expected a string, found nothing'],
      [
        'an item of a list without a kind',
        'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n- 3\n',
        'x.yaml:4: kind: expected a string, found nothing',
      ],
      [
        'a label that YAML 1.1 takes for a boolean',
        'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: n\n  labels:\n    a: b\n    team: yes\n',
        'x.yaml:7: metadata.labels[team]: expected a string, found true',
      ],
      ['nothing at all', '# empty\n', 'x.yaml: no objects in there\n  → give Kubernetes manifests'],
    ] as const) {
      it(sentence, () => expectRefusal({ 'x.yaml': text }, told))
    }
  })

  describe('a policy with', () => {
    for (const [sentence, from, to, told] of [
      [
        'an unknown field',
        'reason: first',
        'reason: first\n    because: x',
        'x.yaml:10: spec.change.because: is not a known field\n  → Known here: request, reason, approvedBy, expiresAt',
      ],
      [
        'a wrong enum',
        'kind: ServiceAccount',
        'kind: Robot',
        'x.yaml:13: spec.subjects[0].kind: must be one of ServiceAccount, User, Group, not "Robot"',
      ],
      ['a field missing', '    request: CHG-1\n', '', 'x.yaml:7: spec.change.request: is required'],
      [
        'a number for text',
        'version: 1.4.0',
        'version: 1.4',
        'x.yaml:5: spec.version: must be a string, not number "1.4"',
      ],
      [
        'a negative duration',
        'maxDuration: 1h',
        'maxDuration: -1h',
        'x.yaml:22: spec.grants.maxDuration: "-1h" does not have the expected form',
      ],
      [
        'an absurd duration',
        'maxDuration: 1h',
        'maxDuration: 999999h',
        'x.yaml:22: spec.grants: maxDuration must be longer than 0s and at most 2160h',
      ],
      [
        'a duration of nothing',
        'maxDuration: 1h',
        'maxDuration: 0s',
        'x.yaml:22: spec.grants: maxDuration must be longer than 0s and at most 2160h',
      ],
      [
        'a rule without verbs',
        'verbs: [get, patch]',
        'verbs: []',
        'x.yaml:21: spec.permissions[0].rules[0].verbs: must not be empty',
      ],
      [
        'a rule that leaves out its verbs',
        ', verbs: [get, patch]',
        '',
        'x.yaml:21: spec.permissions[0].rules[0].verbs: is required',
      ],
      [
        'two subjects with one name',
        'selector: {}',
        'names: [api]\n  - kind: ServiceAccount\n    namespaceSelector: {matchLabels: {team: payments}}\n    names: [api]',
        'x.yaml:12: spec.subjects: one name may be listed only once for the same kind and namespaceSelector: ServiceAccount api',
      ],
      [
        'a date that is none',
        '2027-03-01T00:00:00Z',
        'next-spring',
        'x.yaml:11: spec.change.expiresAt: "next-spring" is no RFC 3339 timestamp\n  → Write it as 2027-03-01T00:00:00Z',
      ],
      ['no name', '{name: deploy}', '{}', 'x.yaml:3: metadata.name: is required'],
      [
        'another version of the API',
        'v1alpha1',
        'v1',
        'x.yaml:1: apiVersion: must be lapse.dev/v1alpha1, not "lapse.dev/v1"',
      ],
    ] as const) {
      it(sentence, async () => {
        expect(good).to.contain(from)
        await expectRefusal({ 'x.yaml': good.replace(from, to) }, told)
      })
    }

    it('the same faults under --policy', async () => {
      const files = {
        'w.yaml': documents(namespace, serviceAccount, deployment()),
        'x.yaml': good.replace('kind: ServiceAccount', 'kind: Robot'),
      }
      await expectRefusal(files, 'x.yaml:13: spec.subjects[0].kind', ['-f', 'w.yaml', '--policy', 'x.yaml'])
    })
  })

  describe('other objects:', () => {
    for (const [sentence, text, told] of [
      [
        'a grant for a negative time',
        grant({ duration: '-5m' }),
        'x.yaml:8: spec.duration: "-5m" does not have the expected form',
      ],
      [
        'a grant that lasts too long',
        grant({ duration: '9999h' }),
        'x.yaml:4: spec: duration must be longer than 0s and at most 2160h',
      ],
      ['a grant for nobody', grant().replace(', name: api', ''), 'x.yaml:6: spec.subject.name: is required'],
      [
        'a kind of ours that does not exist',
        'apiVersion: lapse.dev/v1alpha1\nkind: AccessPolcy\nmetadata: {name: a}\n',
        'x.yaml:2: kind: there is no kind "AccessPolcy" in lapse.dev\n  → known kinds: AccessPolicy, AccessPolicyRevision, NHIGrant, ClusterNHIGrant, NHISuspension, NHIGrantApproval',
      ],
      [
        'a revision that does not say what it records',
        'apiVersion: lapse.dev/v1alpha1\nkind: AccessPolicyRevision\nmetadata: {name: a}\nspec: {digest: x}\n',
        'x.yaml:4: spec: policyName, digest and policy.version are required',
      ],
      [
        'a Deployment without a template',
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 1}\n',
        'x.yaml:4: spec.template: expected an object, found nothing',
      ],
      [
        'a Pod whose flag is text',
        'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{}]\n  hostNetwork: "true"\n',
        'x.yaml:6: spec.hostNetwork: expected true or false, found a string',
      ],
      [
        'a Role with rules that are no list',
        `${role}rules: {}\n`,
        'x.yaml:4: rules: rules is not a list\n  → correct the Role: no API server would store it like this',
      ],
      ['a Role without a name', role.replace(', name: r', ''), 'x.yaml:3: metadata.name: is required'],
      [
        'two policies of one name',
        documents(policy(), policy({ version: '1.5.0' })),
        'x.yaml:18: AccessPolicy deploy is already given in x.yaml:1\n  → give one of the two: kubectl would apply one over the other',
      ],
      [
        'two Roles of one name',
        documents(`${role}rules: []\n`, `${role}rules: []\n`),
        'x.yaml:6: Role payments/r is already given in x.yaml:1',
      ],
    ] as const) {
      it(sentence, () => expectRefusal({ 'x.yaml': text }, told))
    }

    it('two of one name, one of which leaves out the namespace that it is put into', () =>
      expectRefusal(
        { 'x.yaml': documents(role, role.replace('namespace: payments, ', '')) },
        'Role payments/r is already given',
        ['-f', 'x.yaml', '-n', 'payments'],
      ))
  })

  describe('a path that', () => {
    for (const [sentence, files, argv, told] of [
      ['is not there', {}, ['-f', 'missing.yaml'], 'missing.yaml: no such file or directory\n  → check the path'],
      [
        'is a directory without manifests',
        { 'd/readme.md': 'x' },
        ['-f', 'd'],
        'd: the directory holds no .yaml, .yml or .json file',
      ],
      [
        'is not there, for policies',
        { 'w.yaml': deployment() },
        ['-f', 'w.yaml', '--policy', 'p.yaml'],
        'p.yaml: no such file or directory',
      ],
    ] as const) {
      it(sentence, () => expectRefusal(files, told, argv))
    }

    it('is stdin with nothing in it', () => expectRefusal({}, '-: no objects in there', ['-f', '-']))
  })

  it('the good beside the bad, and tells of all that is bad', async () => {
    const files = {
      'a.yaml': documents(namespace, serviceAccount, deployment()),
      'b.yaml': 'x: [',
      'c.yaml': good.replace('kind: ServiceAccount', 'kind: Robot').replace('maxDuration: 1h', 'maxDuration: soon'),
      'd.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {}\n',
    }
    const { code, stdout, stderr } = await lapse(['check', '-f', '.', 'missing', '-o', 'json'], { files })
    expect(code).to.equal(3)
    expect(stdout).to.equal('')
    const lines = stderr.split('\n')
    expect(lines.filter((line) => /^\S+: /.test(line)).map((line) => line.split(' ')[0])).to.deep.equal([
      'missing:',
      'b.yaml:1:',
      'c.yaml:13:',
      'c.yaml:22:',
      'd.yaml:4:',
    ])
    expect(lines.at(-2)).to.equal('5 problems in the input: nothing was judged')
  })
})

async function expectRefusal(
  files: Readonly<Record<string, string | Uint8Array>>,
  told: string,
  argv: readonly string[] = ['-f', 'x.yaml'],
): Promise<void> {
  const { code, stdout, stderr } = await lapse(['check', ...argv], { files })
  expect(stderr).to.contain(told)
  expect(stderr).to.match(/problems? in the input: nothing was judged\n$/)
  expect({ code, stdout }).to.deep.equal({ code: 3, stdout: '' })
}
