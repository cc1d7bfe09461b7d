import { expect } from 'chai'
import { reviewAccess } from '../../src/webhook/review-access.ts'
import { account, legacyAccess, payments, policy } from './objects.ts'
import {
  gist,
  judge,
  now,
  operatorUser,
  refusalOf,
  requestOf,
  worldOf,
  type RawObject,
  type RequestOptions,
} from './requests.ts'

const rbac = 'rbac.authorization.k8s.io'
const standing = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }]
const governing = (enforcement = 'Deny'): RawObject => policy({ workloads: { enforcement, standing } })
const secretsRule = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] }
const api = { kind: 'ServiceAccount', namespace: 'payments', name: 'api' }
const aggregationController = 'system:serviceaccount:kube-system:clusterrole-aggregation-controller'

const role = (kind: 'Role' | 'ClusterRole', name: string, fields: object = {}): RawObject => ({
  apiVersion: `${rbac}/v1`,
  kind,
  metadata: { ...(kind === 'Role' && { namespace: 'payments' }), name, uid: name },
  rules: [secretsRule],
  ...fields,
})
const binding = (roleRef: object, metadata: object = { name: 'mine' }, subjects: unknown = [api]): RawObject => ({
  apiVersion: `${rbac}/v1`,
  kind: 'RoleBinding',
  metadata: { namespace: 'payments', ...metadata },
  roleRef: { apiGroup: rbac, ...roleRef },
  subjects,
})
const toReader = { kind: 'ClusterRole', name: 'reader' }
const reader = role('ClusterRole', 'reader')

const world = (...objects: readonly RawObject[]) => worldOf(...payments, governing(), reader, ...objects)
const ask = (object: RawObject, options: RequestOptions = {}, known = world()) =>
  judge(reviewAccess, requestOf(object, options), known)

const inMode = (mode: string) => ask(binding(toReader), {}, worldOf(...payments, governing(mode), reader))
const secret = (type: string, name = 'api'): RawObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace: 'payments', name: 'token', annotations: { 'kubernetes.io/service-account.name': name } },
  type,
})

describe('reviewAccess, of what is given for good', () => {
  it('says whom a binding would give what, whose policy is against it, and what to do', () => {
    expect(refusalOf(ask(binding(toReader)))).to.equal(
      `denied by lapse: RoleBinding payments/mine asks for more than policy payments-deploy@1.4.0 allows
  [standing-access] subjects[0]: ServiceAccount payments/api would hold for good in payments: get secrets
                    → leave it out, or have it listed in workloads.standing of policy payments-deploy@1.4.0
owner: payments-platform <payments-oncall@example.com>`,
    )
  })

  it('keeps the findings for the audit log', () => {
    expect(ask(binding(toReader)).auditAnnotations).to.deep.equal({
      policies: 'payments-deploy@1.4.0',
      findings:
        'Deny [standing-access] subjects[0]: ServiceAccount payments/api would hold for good in payments: get secrets',
    })
  })

  it('admits in mode Warn with a warning, and in mode Audit without', () => {
    expect([gist(inMode('Warn')), gist(inMode('Audit'))]).to.deep.equal(['allowed', 'allowed'])
    expect(inMode('Warn').warnings).to.deep.equal([
      '[standing-access] subjects[0]: ServiceAccount payments/api would hold for good in payments: get secrets (policy payments-deploy@1.4.0)',
    ])
    expect(inMode('Audit').warnings).to.deep.equal([])
  })

  it('judges a binding whose name the API server has yet to choose', () => {
    expect(gist(ask(binding(toReader, { generateName: 'mine-' })))).to.contain(
      '403 denied by lapse: RoleBinding payments/mine-…',
    )
  })

  it('judges a role by the bindings that refer to it, and a ClusterRole by its labels', () => {
    const bound = world(role('Role', 'empty', { rules: [] }), binding({ kind: 'Role', name: 'empty' }))
    const oldObject = role('Role', 'empty', { rules: null })
    expect(refusalOf(ask(role('Role', 'empty'), { oldObject }, bound))).to.contain(
      '(RoleBinding payments/mine → Role empty): get secrets',
    )
    const selector = { clusterRoleSelectors: [{ matchLabels: { part: 'yes' } }] }
    const whole = role('ClusterRole', 'whole', { rules: [], aggregationRule: selector })
    const aggregated = world(whole, binding({ kind: 'ClusterRole', name: 'whole' }))
    const part = role('ClusterRole', 'part', { metadata: { name: 'part', labels: { part: 'yes' } } })
    expect(refusalOf(ask(part, {}, aggregated))).to.contain('[standing-access] metadata.labels: ')
  })

  it('leaves to the API server what it ships with, to the aggregating controller its ClusterRoles, and to nobody the rest', () => {
    const bound = world(binding(toReader, { name: 'old' }))
    const wider = role('ClusterRole', 'reader', { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] })
    const asked = (object: RawObject, user: string, groups: readonly string[] = []) =>
      gist(
        ask(
          object,
          { user, groups, oldObject: object.kind === 'ClusterRole' ? reader : binding(toReader, undefined, []) },
          bound,
        ),
      )
    expect(asked(wider, 'system:apiserver', ['system:masters'])).to.equal('allowed')
    expect(asked(wider, aggregationController)).to.equal('allowed')
    expect(asked(wider, operatorUser)).to.equal('allowed')
    expect(asked(wider, 'system:apiserver')).to.contain('403')
    expect(asked(wider, 'ana', ['system:masters'])).to.contain('403')
    const other = { ...binding({ kind: 'ClusterRole', name: 'whole' }), metadata: { namespace: 'payments', name: 'x' } }
    expect(asked(other, aggregationController)).to.contain('403')
  })

  it('lets nobody but the operator write a role of the pool', () => {
    const answer = ask(role('ClusterRole', 'lapse-set-7'))
    expect(refusalOf(answer)).to.contain('[pool-role] metadata.name: ClusterRole lapse-set-7 belongs to the pool')
    expect(gist(ask(role('ClusterRole', 'lapse-set-7'), { user: operatorUser }))).to.equal('allowed')
  })

  it('waits for the role and the ServiceAccount that were created just before', () => {
    const unknown = binding({ kind: 'Role', name: 'fresh' }, undefined, [
      api,
      { kind: 'ServiceAccount', name: 'fresh' },
    ])
    expect(ask(unknown).unsettled).to.deep.equal([
      { kind: 'ServiceAccount', namespace: 'payments', name: 'fresh' },
      { kind: 'Role', namespace: 'payments', name: 'fresh' },
    ])
    expect(ask(binding(toReader)).unsettled).to.deep.equal([])
  })

  it('does not wait for what concerns nobody whom a policy governs', () => {
    expect(
      ask(binding({ kind: 'Role', name: 'fresh' }, undefined, [{ kind: 'User', name: 'ana' }])).unsettled,
    ).to.deep.equal([])
  })

  it('judges nothing while no policy speaks of standing access', () => {
    const silent = worldOf(...payments, ...legacyAccess, policy(), reader)
    expect(gist(ask(binding(toReader), {}, silent))).to.equal('allowed')
  })

  for (const [sentence, object] of [
    ['a binding whose subjects are no list', binding(toReader, undefined, 'everybody')],
    ['a binding whose subject has no name', binding(toReader, undefined, [{ kind: 'User' }])],
    ['a role whose rules are no list', role('Role', 'x', { rules: {} })],
    [
      'a ClusterRole that selects by no known operator',
      role('ClusterRole', 'x', {
        aggregationRule: { clusterRoleSelectors: [{ matchExpressions: [{ key: 'a', operator: 'Like' }] }] },
      }),
    ],
  ] as const)
    it(`refuses ${sentence}`, () => expect(gist(ask(object))).to.match(/^422 .* is not valid$/))
})

describe('reviewAccess, of ServiceAccounts and their Secrets', () => {
  const token = 'kubernetes.io/service-account-token'

  it('refuses a Secret with a token that never ends', () => {
    expect(refusalOf(ask(secret(token)))).to.equal(
      `denied by lapse: Secret payments/token asks for more than policy payments-deploy@1.4.0 allows
  [token-secret] metadata.annotations["kubernetes.io/service-account.name"]: the Secret would hold a token of ServiceAccount payments/api that never ends
                 → ask for a token with an end: kubectl create token, or a projected volume
owner: payments-platform <payments-oncall@example.com>`,
    )
  })

  it('lets pass other Secrets, those that have the token already, and their removal', () => {
    expect(gist(ask(secret('Opaque')))).to.equal('allowed')
    expect(gist(ask(secret(token), { oldObject: secret(token) }))).to.equal('allowed')
    expect(gist(ask(secret(token), { operation: 'DELETE' }))).to.equal('allowed')
    expect(gist(ask(secret(token), { oldObject: secret(token, 'default') }))).to.contain('403')
  })

  it('waits for the ServiceAccount that was created just before', () => {
    expect(ask(secret(token, 'fresh')).unsettled).to.deep.equal([
      { kind: 'ServiceAccount', namespace: 'payments', name: 'fresh' },
    ])
  })

  it('warns of what a ServiceAccount becomes, and refuses nothing', () => {
    const annotated = {
      ...account('payments/api'),
      metadata: { namespace: 'payments', name: 'api', annotations: { 'eks.amazonaws.com/role-arn': 'arn:1' } },
    }
    const answer = ask(annotated, { oldObject: account('payments/api') })
    expect(gist(answer)).to.equal('allowed')
    expect(answer.warnings.join()).to.contain('[cloud-identity]')
    expect(ask(annotated, { operation: 'DELETE' })).to.deep.include({ allowed: true, warnings: [] })
    expect(ask(account('payments/api'), { oldObject: account('payments/api') }).warnings).to.deep.equal([])
  })

  it('has the same answer for the same request at any time', () => {
    const request = requestOf(binding(toReader), { dryRun: true })
    expect(reviewAccess(request, { world: world(), now, operatorUser })).to.deep.equal(ask(binding(toReader)))
  })
})
