import { expect } from 'chai'
import {
  authorize,
  bindingsOf,
  describeProvenance,
  effectiveRules,
  ruleAllows,
} from '../../../src/core/rbac/authorize.ts'
import type { RequestAttributes } from '../../../src/core/rbac/authorize.ts'
import { describeRule } from '../../../src/core/rbac/rule.ts'
import type { PolicyRule } from '../../../src/core/rbac/rule.ts'
import type { RbacUser } from '../../../src/core/rbac/subject.ts'
import { api, binding, rbacOf, request, role, rule } from './rbac-of.ts'
import type { RawObject } from './rbac-of.ts'

describe('ruleAllows', () => {
  const requests: readonly (readonly [sentence: string, PolicyRule, RequestAttributes, allowed: boolean])[] = [
    ['allows what it names', rule('get pods'), request('get pods'), true],
    ['refuses another verb', rule('get pods'), request('list pods'), false],
    ['refuses another group', rule('get pods'), request('get pods.metrics.k8s.io'), false],
    ['allows every verb by a star, made-up ones too', rule('* pods'), request('fly pods'), true],
    ['allows every group by a star', rule('get pods.*'), request('get pods.metrics.k8s.io'), true],
    ['pods does not include pods/exec', rule('create pods'), request('create pods/exec'), false],
    ['pods/exec does not include pods', rule('create pods/exec'), request('create pods'), false],
    ['* includes pods/exec', rule('create *'), request('create pods/exec'), true],
    ['pods/* matches no subresource', rule('create pods/*'), request('create pods/exec'), false],
    ['pods/* does not match pods', rule('create pods/*'), request('create pods'), false],
    ['*/exec matches pods/exec', rule('create */exec'), request('create pods/exec'), true],
    ['*/exec does not match pods', rule('create */exec'), request('create pods'), false],
    ['*/exec in one group does not match another', rule('create *.apps/exec'), request('create pods/exec'), false],
    ['*/autoscale does not match by its end', rule('get */autoscale'), request('get pods/scale'), false],
    ['a name allows that name', rule('get secrets', 'a'), request('get secrets', '', 'a'), true],
    ['a name refuses another name', rule('get secrets', 'a'), request('get secrets', '', 'b'), false],
    ['a name refuses a request without one', rule('list secrets', 'a'), request('list secrets'), false],
    ['a list for one object carries its name', rule('list secrets', 'a'), request('list secrets', '', 'a'), true],
    ['a name never allows a POST that creates', rule('create secrets', 'a'), request('create secrets'), false],
    ['a PUT that creates carries the name', rule('create secrets', 'a'), request('create secrets', '', 'a'), true],
    ['no names are every name', { ...rule('get secrets'), resourceNames: [] }, request('get secrets', '', 'x'), true],
    ['a star among names is a name', rule('get secrets', '*'), request('get secrets', '', 'x'), false],
    ['a URL allows itself', rule('get /metrics'), request('get /metrics'), true],
    ['a URL star is a prefix', rule('get /metrics/*'), request('get /metrics/cadvisor'), true],
    ['a URL prefix does not allow its parent', rule('get /metrics/*'), request('get /metrics'), false],
    ['all trailing stars are stripped', rule('get /metrics***'), request('get /metrics'), true],
    ['a star inside a URL is only a star', rule('get /apis/*/v1'), request('get /apis/apps/v1'), false],
    ['a URL rule allows no resource', rule('* /*'), request('get pods'), false],
    ['a resource rule allows no URL', rule('* *.*'), request('get /metrics'), false],
    ['absent lists match nothing', { verbs: ['*'] }, request('get pods'), false],
  ]
  for (const [sentence, held, asked, allowed] of requests) {
    it(sentence, () => expect(ruleAllows(held, asked)).to.equal(allowed))
  }
})

interface Sentence {
  readonly sentence: string
  readonly objects: readonly RawObject[]
  readonly user?: RbacUser
  readonly asked: RequestAttributes
  /** The binding that allows it; null: refused. */
  readonly by: string | null
}

const reader = role('reader', rule('list secrets'), rule('get /metrics'))
const listHere = request('list secrets', 'payments')

const table: readonly Sentence[] = [
  {
    sentence: 'a RoleBinding gives a Role of its namespace',
    objects: [
      role('payments/reader', rule('list secrets')),
      binding('payments/b', 'Role reader', 'ServiceAccount payments/api'),
    ],
    asked: listHere,
    by: 'RoleBinding payments/b → Role reader',
  },
  {
    sentence: 'a RoleBinding gives a ClusterRole in its namespace',
    objects: [reader, binding('payments/b', 'ClusterRole reader', 'ServiceAccount payments/api')],
    asked: listHere,
    by: 'RoleBinding payments/b → ClusterRole reader',
  },
  {
    sentence: 'a RoleBinding gives nothing in another namespace',
    objects: [reader, binding('ci/b', 'ClusterRole reader', 'ServiceAccount payments/api')],
    asked: listHere,
    by: null,
  },
  {
    sentence: 'a RoleBinding gives nothing cluster-wide',
    objects: [reader, binding('payments/b', 'ClusterRole reader', 'ServiceAccount payments/api')],
    asked: request('list secrets'),
    by: null,
  },
  {
    sentence: 'a RoleBinding gives no URL',
    objects: [reader, binding('payments/b', 'ClusterRole reader', 'ServiceAccount payments/api')],
    asked: request('get /metrics'),
    by: null,
  },
  {
    sentence: 'a ClusterRoleBinding gives a URL',
    objects: [reader, binding('b', 'ClusterRole reader', 'ServiceAccount payments/api')],
    asked: request('get /metrics'),
    by: 'ClusterRoleBinding b → ClusterRole reader',
  },
  {
    sentence: 'a ClusterRoleBinding gives every namespace',
    objects: [reader, binding('b', 'ClusterRole reader', 'ServiceAccount payments/api')],
    asked: listHere,
    by: 'ClusterRoleBinding b → ClusterRole reader',
  },
  {
    sentence: 'a Role of another namespace with the same name gives nothing',
    objects: [
      role('ci/reader', rule('list secrets')),
      binding('payments/b', 'Role reader', 'ServiceAccount payments/api'),
    ],
    asked: listHere,
    by: null,
  },
  {
    sentence: 'a ClusterRoleBinding to a Role gives nothing',
    objects: [
      role('payments/reader', rule('list secrets')),
      binding('b', 'Role reader', 'ServiceAccount payments/api'),
    ],
    asked: listHere,
    by: null,
  },
  {
    sentence: 'a missing role gives nothing and hides nothing',
    objects: [
      reader,
      binding('a', 'ClusterRole gone', 'ServiceAccount payments/api'),
      binding('b', 'ClusterRole reader', 'ServiceAccount payments/api'),
    ],
    asked: listHere,
    by: 'ClusterRoleBinding b → ClusterRole reader',
  },
  {
    sentence: 'an unknown kind of role gives nothing',
    objects: [reader, binding('b', 'Rolle reader', 'ServiceAccount payments/api')],
    asked: listHere,
    by: null,
  },
  {
    sentence: 'a subject without namespace in a RoleBinding is of its namespace',
    objects: [reader, binding('payments/b', 'ClusterRole reader', 'ServiceAccount api')],
    asked: listHere,
    by: 'RoleBinding payments/b → ClusterRole reader',
  },
  {
    sentence: 'a ServiceAccount without namespace in a ClusterRoleBinding is nobody',
    objects: [reader, binding('b', 'ClusterRole reader', 'ServiceAccount api')],
    asked: listHere,
    by: null,
  },
  {
    sentence: 'a User that spells out a ServiceAccount is that ServiceAccount',
    objects: [reader, binding('b', 'ClusterRole reader', 'User system:serviceaccount:payments:api')],
    asked: listHere,
    by: 'ClusterRoleBinding b → ClusterRole reader',
  },
  {
    sentence: 'the group of all ServiceAccounts reaches each',
    objects: [reader, binding('b', 'ClusterRole reader', 'Group system:serviceaccounts')],
    asked: listHere,
    by: 'ClusterRoleBinding b → ClusterRole reader',
  },
  {
    sentence: 'the group of a namespace reaches its ServiceAccounts',
    objects: [reader, binding('b', 'ClusterRole reader', 'Group system:serviceaccounts:payments')],
    asked: listHere,
    by: 'ClusterRoleBinding b → ClusterRole reader',
  },
  {
    sentence: 'the group of a namespace reaches no ServiceAccount of another',
    objects: [reader, binding('b', 'ClusterRole reader', 'Group system:serviceaccounts:ci')],
    asked: listHere,
    by: null,
  },
  {
    sentence: 'the group of the authenticated reaches ServiceAccounts',
    objects: [reader, binding('b', 'ClusterRole reader', 'Group system:authenticated')],
    asked: listHere,
    by: 'ClusterRoleBinding b → ClusterRole reader',
  },
  {
    sentence: '* is no wildcard among Users',
    objects: [reader, binding('b', 'ClusterRole reader', 'User *')],
    asked: listHere,
    by: null,
  },
  {
    sentence: '* is no wildcard among Groups',
    objects: [reader, binding('b', 'ClusterRole reader', 'Group *')],
    asked: listHere,
    by: null,
  },
  {
    sentence: '* is no wildcard among ServiceAccounts',
    objects: [reader, binding('payments/b', 'ClusterRole reader', 'ServiceAccount *')],
    asked: listHere,
    by: null,
  },
  {
    sentence: 'a Group of a User name is not that User',
    objects: [reader, binding('b', 'ClusterRole reader', 'Group system:serviceaccount:payments:api')],
    asked: listHere,
    by: null,
  },
  {
    sentence: 'an unknown kind of subject is nobody',
    objects: [reader, binding('b', 'ClusterRole reader', 'Robot api')],
    asked: listHere,
    by: null,
  },
  {
    sentence: 'system:masters stands above RBAC',
    objects: [],
    user: { username: 'root', groups: ['system:masters'] },
    asked: request('get /metrics'),
    by: 'group system:masters',
  },
  {
    sentence: 'of several ways the first ClusterRoleBinding by name is reported',
    objects: [
      reader,
      binding('payments/a', 'ClusterRole reader', 'ServiceAccount payments/api'),
      binding('c', 'ClusterRole reader', 'Group system:authenticated'),
      binding('b', 'ClusterRole reader', 'Group system:serviceaccounts'),
    ],
    asked: listHere,
    by: 'ClusterRoleBinding b → ClusterRole reader',
  },
]

describe('authorize', () => {
  for (const { sentence, objects, user = api, asked, by } of table) {
    it(sentence, () => {
      const answer = authorize(user, asked, rbacOf(...objects))
      expect(answer.allowed ? describeProvenance(answer.by) : null).to.equal(by)
    })
  }

  it('names the rule that allows', () => {
    const view = rbacOf(role('r', rule('get pods'), rule('list secrets')), binding('b', 'ClusterRole r', 'User ana'))
    const answer = authorize({ username: 'ana', groups: [] }, listHere, view)
    expect(answer.allowed && describeRule(answer.by.rule)).to.equal('list secrets')
  })

  it('leaves out the bindings it is told to ignore, and only those', () => {
    const view = rbacOf(
      reader,
      binding('payments/granted', 'ClusterRole reader', 'ServiceAccount payments/api'),
      binding('payments/standing', 'ClusterRole reader', 'ServiceAccount payments/api'),
    )
    const ignoring = (...names: readonly string[]) =>
      authorize(api, listHere, view, { ignoreBindings: new Set(names.map((name) => `uid of payments/${name}`)) })
    const one = ignoring('granted')
    expect(one.allowed && describeProvenance(one.by)).to.equal('RoleBinding payments/standing → ClusterRole reader')
    expect(ignoring('granted', 'standing')).to.deep.equal({ allowed: false })
  })

  it('never ignores a binding without a UID', () => {
    const bare = { ...binding('b', 'ClusterRole reader', 'User ana'), metadata: { name: 'b', uid: '' } }
    const answer = authorize({ username: 'ana', groups: [] }, listHere, rbacOf(reader, bare), {
      ignoreBindings: new Set(['']),
    })
    expect(answer.allowed).to.equal(true)
  })
})

describe('effectiveRules', () => {
  const view = rbacOf(
    role('everywhere', rule('get nodes')),
    role('payments/here', rule('get pods'), rule('list pods')),
    role('ci/there', rule('get jobs.batch')),
    binding('b', 'ClusterRole everywhere', 'ServiceAccount payments/api'),
    binding('payments/b', 'Role here', 'ServiceAccount payments/api'),
    binding('ci/b', 'Role there', 'ServiceAccount payments/api'),
  )
  const scopes = [
    {
      sentence: 'joins the cluster and the namespace',
      namespace: 'payments',
      rules: ['get nodes', 'get pods', 'list pods'],
    },
    { sentence: 'is only of the cluster without a namespace', namespace: '', rules: ['get nodes'] },
    { sentence: 'is of the cluster where nothing is bound', namespace: 'other', rules: ['get nodes'] },
  ]
  for (const { sentence, namespace, rules } of scopes) {
    it(sentence, () => {
      expect(effectiveRules(api, namespace, view).map(({ rule: held }) => describeRule(held))).to.deep.equal(rules)
    })
  }

  it('counts a role once that several bindings hand on, by the first that is not ignored', () => {
    const repeated = rbacOf(
      role('payments/r', rule('get pods')),
      role('r', rule('get nodes')),
      binding('payments/a', 'Role r', 'ServiceAccount api'),
      binding('payments/b', 'Role r', 'ServiceAccount api'),
      binding('payments/c', 'Role r', 'ServiceAccount api'),
      binding('payments/d', 'ClusterRole r', 'ServiceAccount api'),
    )
    const ignoreBindings = new Set(['uid of payments/a'])
    expect(effectiveRules(api, 'payments', repeated, { ignoreBindings }).map(describeProvenance)).to.deep.equal([
      'RoleBinding payments/b → Role r',
      'RoleBinding payments/d → ClusterRole r',
    ])
  })

  it('is full authority for system:masters', () => {
    const held = effectiveRules({ username: 'root', groups: ['system:masters'] }, '', view)
    expect(held.map(({ rule: one }) => describeRule(one))).to.deep.equal(['* *.*', '* *'])
  })
})

describe('bindingsOf', () => {
  it('counts a binding once that names the user twice', () => {
    const view = rbacOf(binding('payments/b', 'Role r', 'ServiceAccount api', 'Group system:authenticated'))
    expect(bindingsOf(api, view, 'payments').map(({ name }) => name)).to.deep.equal(['b'])
  })
})
