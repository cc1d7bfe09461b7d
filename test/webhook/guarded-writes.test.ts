import { expect } from 'chai'
import { webhooks } from '../../src/webhook/webhooks.ts'
import { grant, policy } from './objects.ts'
import {
  gist,
  judge,
  operatorUser,
  refusalOf,
  requestOf,
  worldOf,
  type RawObject,
  type RequestOptions,
} from './requests.ts'

const revision: RawObject = {
  apiVersion: 'lapse.dev/v1alpha1',
  kind: 'AccessPolicyRevision',
  metadata: { name: 'payments-deploy-1.4.0' },
}
const binding = (roleRef: unknown, kind = 'RoleBinding'): RawObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  metadata: { name: 'mine', ...(kind === 'RoleBinding' && { namespace: 'payments' }) },
  roleRef,
})
const pool = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'lapse-set-7' }
/** As the operator makes it, but for the change. */
const carrier = (kind: 'Role' | 'RoleBinding', change: object = {}): RawObject => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  metadata: { name: 'lapse-1', namespace: 'payments', labels: { 'lapse.dev/grant-uid': '1' }, ...change },
  ...(kind === 'RoleBinding' && { roleRef: { ...pool, kind: 'Role', name: 'lapse-1' } }),
})

function ask(path: string, object: RawObject, options: RequestOptions) {
  const webhook = webhooks.get(path)
  if (webhook === undefined) throw new Error(`no webhook at ${path}`)
  return judge(webhook.review, requestOf(object, options), worldOf())
}

type Case = readonly [sentence: string, path: string, object: RawObject, options: RequestOptions]

const guarded: readonly Case[] = [
  ['the status of a grant', '/v1/admit/lapse', grant(), { subResource: 'status', oldObject: grant() }],
  ['the status of a policy', '/v1/admit/lapse', policy(), { subResource: 'status', oldObject: policy() }],
  ['a new revision', '/v1/admit/lapse', revision, {}],
  ['a changed revision', '/v1/admit/lapse', revision, { oldObject: revision }],
  ['the status of a revision', '/v1/admit/lapse', revision, { subResource: 'status', oldObject: revision }],
  ['the deletion of a revision', '/v1/admit/lapse', revision, { operation: 'DELETE' }],
  ['a binding to a role of the pool', '/v1/admit/access', binding(pool), {}],
  ['a cluster-wide binding to a role of the pool', '/v1/admit/access', binding(pool, 'ClusterRoleBinding'), {}],
  ['an update of a binding to a role of the pool', '/v1/admit/access', binding(pool), { oldObject: binding(pool) }],
  ...(['Role', 'RoleBinding'] as const).flatMap((kind): readonly Case[] => {
    const oldObject = carrier(kind)
    return [
      [`a ${kind} that is made out to carry a grant`, '/v1/admit/access', carrier(kind), {}],
      [
        `a finalizer on the ${kind} of a grant`,
        '/v1/admit/access',
        carrier(kind, { finalizers: ['a/b'] }),
        { oldObject },
      ],
      [
        `an annotation on the ${kind} of a grant`,
        '/v1/admit/access',
        carrier(kind, { annotations: { a: 'b' } }),
        { oldObject },
      ],
      [`a ${kind} of a grant without its label`, '/v1/admit/access', carrier(kind, { labels: {} }), { oldObject }],
      [
        `a ${kind} that gets the label of a grant`,
        '/v1/admit/access',
        carrier(kind),
        { oldObject: carrier(kind, { labels: {} }) },
      ],
    ]
  }),
  [
    'a cluster-wide binding with the label of a grant',
    '/v1/admit/access',
    {
      ...binding({ ...pool, name: 'view' }, 'ClusterRoleBinding'),
      metadata: { name: 'x', labels: { 'lapse.dev/grant-uid': '' } },
    },
    {},
  ],
]

describe('writes that only the operator may do', () => {
  for (const [sentence, path, object, options] of guarded) {
    it(`refuses ${sentence} by anybody else`, () => {
      const answer = ask(path, object, { ...options, user: 'ana@example.com' })
      expect(gist(answer)).to.match(/^403 denied by lapse: .* may not be written by ana@example\.com$/)
      expect(refusalOf(answer)).to.contain(`only ${operatorUser}`)
    })
    it(`allows ${sentence} by the operator`, () => {
      expect(gist(ask(path, object, { ...options, user: operatorUser }))).to.equal('allowed')
    })
    it(`refuses ${sentence} by one who only looks like the operator`, () => {
      for (const user of [`${operatorUser} `, operatorUser.toUpperCase(), `${operatorUser}:x`, ''])
        expect(ask(path, object, { ...options, user }).allowed, JSON.stringify(user)).to.equal(false)
    })
  }

  it('says whose the pool is, and what to do instead', () => {
    expect(refusalOf(ask('/v1/admit/access', binding(pool), {}))).to.equal(
      `denied by lapse: RoleBinding payments/mine may not be written by ana@example.com
  [pool-role] roleRef.name: ClusterRole lapse-set-7 belongs to the pool of roles that carry grants: only ${operatorUser} binds it
              → ask for the access with an NHIGrant, or bind a role of your own`,
    )
  })

  it('says whose the object of a grant is, and how to end the access', () => {
    const answer = ask('/v1/admit/access', carrier('RoleBinding', { finalizers: ['a/b'] }), {
      oldObject: carrier('RoleBinding'),
    })
    expect(refusalOf(answer)).to.equal(
      `denied by lapse: RoleBinding payments/lapse-1 may not be written by ana@example.com
  [grant-object] metadata.labels: what has the label lapse.dev/grant-uid carries a grant: only ${operatorUser} writes it
                 → to end the access delete the grant, or set its spec.revoke`,
    )
  })

  it('lets not even the garbage collector orphan what carries a grant', () => {
    const owned = carrier('RoleBinding', { ownerReferences: [{ kind: 'NHIGrant', name: 'g', uid: '1' }] })
    const user = 'system:serviceaccount:kube-system:generic-garbage-collector'
    const answer = ask('/v1/admit/access', carrier('RoleBinding'), { oldObject: owned, user })
    expect(refusalOf(answer)).to.contain('[grant-object]')
  })

  it('lets anybody take a finalizer off what is being deleted, and do nothing else to it', () => {
    const doomed = { deletionTimestamp: '2027-01-15T12:00:00Z' }
    const held = carrier('RoleBinding', { ...doomed, finalizers: ['a/b', 'c/d'] })
    const change = (metadata: object): string =>
      gist(ask('/v1/admit/access', carrier('RoleBinding', metadata), { oldObject: held }))
    expect(change({ ...doomed, finalizers: ['c/d'], resourceVersion: '2' })).to.equal('allowed')
    expect(change(doomed)).to.equal('allowed')
    expect(change({ ...doomed, finalizers: ['c/d', 'e/f'] })).to.contain('403')
    expect(change({ ...doomed, annotations: { a: 'b' } })).to.contain('403')
    const living = carrier('RoleBinding', { finalizers: ['a/b'] })
    expect(gist(ask('/v1/admit/access', carrier('RoleBinding'), { oldObject: living }))).to.contain('403')
  })

  it('tells who wants to end a grant by its status how to end it', () => {
    const answer = ask('/v1/admit/lapse', grant(), { subResource: 'status', oldObject: grant() })
    expect(refusalOf(answer)).to.equal(
      `denied by lapse: status of NHIGrant payments/rollout-2041 may not be written by ana@example.com
  [status-guarded] status: only ${operatorUser} writes it
                   → to end a grant set spec.revoke`,
    )
  })
})

describe('reviewAccess', () => {
  const allowances: readonly (readonly [sentence: string, object: RawObject, options?: RequestOptions])[] = [
    ['a binding to a role outside of the pool', binding({ ...pool, name: 'view' })],
    ['a binding to a role whose name only begins like the pool', binding({ ...pool, name: 'lapse-set-x' })],
    ["a binding to a Role of the namespace, which is nobody's but its own", binding({ ...pool, kind: 'Role' })],
    ['the deletion of a binding to a role of the pool', binding(pool), { operation: 'DELETE' }],
    ['the deletion of the RoleBinding of a grant', carrier('RoleBinding'), { operation: 'DELETE' }],
    ['the deletion of the Role of a grant', carrier('Role'), { operation: 'DELETE' }],
    ['a Role that carries no grant', carrier('Role', { labels: { 'lapse.dev/managed-by': 'lapse' } })],
    ['a Role without labels', carrier('Role', { labels: undefined }), { oldObject: carrier('Role', { labels: null }) }],
  ]
  for (const [sentence, object, options = {}] of allowances)
    it(`allows ${sentence}`, () => expect(gist(ask('/v1/admit/access', object, options))).to.equal('allowed'))

  for (const roleRef of [undefined, null, 'lapse-set-7', {}, { kind: 'ClusterRole', name: 7 }])
    it(`refuses a binding whose roleRef is ${JSON.stringify(roleRef)}`, () => {
      const answer = ask('/v1/admit/access', binding(roleRef), {})
      expect(gist(answer)).to.equal('422 denied by lapse: RoleBinding payments/mine is not valid')
      expect(refusalOf(answer)).to.contain('roleRef: must name a kind and a name')
    })
})

describe('every webhook', () => {
  const stranger: RawObject = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { namespace: 'payments', name: 'x' },
  }
  for (const path of webhooks.keys()) {
    for (const operation of ['CREATE', 'DELETE'] as const)
      it(`at ${path} refuses the ${operation} of a kind that it does not know`, () => {
        const expected = '403 denied by lapse: this webhook does not know example.com/Widget: check its configuration'
        expect(gist(ask(path, stranger, { operation }))).to.equal(expected)
      })
    it(`at ${path} refuses a subresource that it does not know`, () => {
      const known = {
        ...grant(),
        ...(path.endsWith('access') && binding(pool)),
        ...(path.endsWith('workloads') && { apiVersion: 'v1', kind: 'Pod' }),
      }
      expect(gist(ask(path, known, { subResource: 'exec' }))).to.match(
        /does not know .*\/exec: check its configuration$/,
      )
    })
  }
})
