import { expect } from 'chai'
import { lapse, type CommandOutcome } from './fake-io.ts'
import { documents, grantTerms, namespace, policy, serviceAccount } from './manifests.ts'

const rbac = 'apiVersion: rbac.authorization.k8s.io/v1'
const readsPods = '[{apiGroups: [""], resources: [pods], verbs: [get, list]}]'
const standing = `{standing: ${readsPods}}`

function role(rules: string): string {
  return `${rbac}\nkind: Role\nmetadata: {namespace: payments, name: reader}\nrules: ${rules}\n`
}

function binding({ ref = 'kind: Role, name: reader', subject = 'kind: ServiceAccount, name: api' } = {}): string {
  return `${rbac}\nkind: RoleBinding\nmetadata: {namespace: payments, name: legacy}\nroleRef: {apiGroup: rbac.authorization.k8s.io, ${ref}}\nsubjects:\n- {${subject}}\n`
}

const readsSecrets = role('[{apiGroups: [""], resources: [secrets], verbs: [list]}]')
const world = (workloads = standing, more = ''): string =>
  documents(namespace, serviceAccount, policy({ workloads, grants: grantTerms() }), ...(more === '' ? [] : [more]))

interface Judged {
  readonly object: { readonly kind: string; readonly name: string }
  readonly verdict: string
  readonly findings: readonly { readonly check: string; readonly enforcement: string; readonly path: string }[]
}

describe('lapse check of what gives access', () => {
  for (const [sentence, given, known, told] of [
    [
      'denies a binding that gives more than standing access',
      binding(),
      world(standing, readsSecrets),
      ['RoleBinding legacy Deny', 'standing-access Deny subjects[0]'],
    ],
    ['allows a binding within it', binding(), world(standing, role(readsPods)), ['RoleBinding legacy Allow']],
    [
      'denies a role that is bound already, for what it would give',
      readsSecrets,
      world(standing, binding()),
      ['Role reader Deny', 'standing-access Deny rules'],
    ],
    ['has nothing to say of a role that nobody governed holds', readsSecrets, world(), []],
    [
      'has nothing to say of a binding of those whom nobody governs',
      binding({ subject: 'kind: User, name: ana' }),
      world(standing, readsSecrets),
      [],
    ],
    [
      'has nothing to say where no policy judges standing access',
      documents(binding(), readsSecrets, serviceAccount.replace('name: api', 'name: other')),
      world('{podSecurity: {level: baseline}}'),
      [],
    ],
    [
      'only warns of what the policy only warns of',
      binding(),
      world(`{enforcement: Warn, standing: []}`, readsSecrets),
      ['RoleBinding legacy Warn', 'standing-access Warn subjects[0]'],
    ],
    [
      'warns of a binding to a role that is not among the files, since it may give anything',
      binding({ ref: 'kind: ClusterRole, name: edit' }),
      world(),
      ['RoleBinding legacy Warn', 'role-unknown Warn roleRef.name'],
    ],
    [
      'denies a binding to cluster-admin, which no file has to say',
      binding({ ref: 'kind: ClusterRole, name: cluster-admin' }),
      world(),
      ['RoleBinding legacy Deny', 'standing-access Deny subjects[0]'],
    ],
    [
      'warns of an account that is somebody else to a cloud',
      serviceAccount.replace('labels:', 'annotations: {eks.amazonaws.com/role-arn: "arn:x"}, labels:'),
      documents(namespace, policy({ workloads: standing })),
      ['ServiceAccount api Warn', 'cloud-identity Warn metadata.annotations["eks.amazonaws.com/role-arn"]'],
    ],
    [
      'denies a Secret with a token that never ends',
      'apiVersion: v1\nkind: Secret\nmetadata:\n  namespace: payments\n  name: t\n  annotations: {kubernetes.io/service-account.name: api}\ntype: kubernetes.io/service-account-token\n',
      world(),
      ['Secret t Deny', 'token-secret Deny metadata.annotations["kubernetes.io/service-account.name"]'],
    ],
    [
      'has nothing to say of other Secrets',
      'apiVersion: v1\nkind: Secret\nmetadata: {namespace: payments, name: s}\ntype: Opaque\n',
      world(),
      [],
    ],
  ] as const) {
    it(sentence, async () => {
      const { code, stdout, stderr } = await check(given, known, '-o', 'json')
      expect(stdout, stderr).to.not.equal('')
      const { results } = JSON.parse(stdout) as { readonly results: readonly Judged[] }
      expect(
        results.flatMap(({ object, verdict, findings }) => [
          `${object.kind} ${object.name} ${verdict}`,
          ...findings.map(({ check: id, enforcement, path }) => `${id} ${enforcement} ${path}`),
        ]),
      ).to.deep.equal(told)
      expect(code).to.equal(results.some(({ verdict }) => verdict === 'Deny') ? 1 : 0)
    })
  }

  it('says the way to a grant', async () => {
    const patches = role('[{apiGroups: [apps], resources: [deployments], verbs: [patch]}]')
    const { stdout } = await check(binding(), world(standing, patches))
    expect(stdout).to.contain(
      'denied by lapse: RoleBinding payments/legacy asks for more than policy deploy@1.4.0 allows',
    )
    expect(stdout).to.contain('a.yaml:1\n')
    expect(stdout).to.match(/NHIGrant/)
  })
})

function check(given: string, known: string, ...argv: readonly string[]): Promise<CommandOutcome> {
  const files = { 'a.yaml': given, 'world.yaml': known }
  return lapse(['check', '-f', 'a.yaml', '--policy', 'world.yaml', ...argv], { files })
}
