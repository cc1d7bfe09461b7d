import { expect } from 'chai'
import { aggregate } from '../../../src/core/rbac/aggregation.ts'
import { readRole } from '../../../src/core/rbac/read-objects.ts'
import { describeRule } from '../../../src/core/rbac/rule.ts'
import type { PolicyRule } from '../../../src/core/rbac/rule.ts'
import { rule } from './rbac-of.ts'

const to = (target: string) => ({ matchLabels: { [`aggregate-to-${target}`]: 'true' } })

interface Shape {
  readonly labels?: readonly string[]
  readonly selects?: readonly object[]
  readonly rules?: readonly PolicyRule[] | null
}

function clusterRole(name: string, { labels = [], selects, rules = null }: Shape) {
  return readRole('ClusterRole', {
    metadata: { name, labels: Object.fromEntries(labels.map((target) => [`aggregate-to-${target}`, 'true'])) },
    ...(selects === undefined ? {} : { aggregationRule: { clusterRoleSelectors: selects } }),
    rules,
  })
}

describe('aggregate', () => {
  const view = clusterRole('view', { selects: [to('view')], labels: ['edit'] })
  const edit = clusterRole('edit', { selects: [to('edit')], labels: ['admin'] })
  const admin = clusterRole('admin', { selects: [to('admin')] })
  const viewPart = clusterRole('part-view', { labels: ['view'], rules: [rule('get pods')] })
  const editPart = clusterRole('part-edit', { labels: ['edit'], rules: [rule('patch pods')] })
  const all = { selects: [{}] }

  const table = [
    {
      sentence: 'gives a role the rules of those that it selects',
      roles: [view, viewPart, editPart],
      expected: { view: ['get pods'] },
    },
    {
      sentence: 'follows aggregates of aggregates, in whatever order they come',
      roles: [admin, edit, view, viewPart, editPart],
      expected: { admin: ['patch pods', 'get pods'], edit: ['patch pods', 'get pods'], view: ['get pods'] },
    },
    {
      sentence: 'takes the union of the selectors, each role in order of name',
      roles: [clusterRole('x', { selects: [to('edit'), to('view')] }), viewPart, editPart],
      expected: { x: ['patch pods', 'get pods'] },
    },
    {
      sentence: 'keeps equal rules once, but rules that differ in order apart',
      roles: [
        clusterRole('x', all),
        clusterRole('a', { rules: [rule('get,list pods')] }),
        clusterRole('b', { rules: [rule('get,list pods'), rule('list,get pods')] }),
      ],
      expected: { x: ['get,list pods', 'list,get pods'] },
    },
    {
      sentence: 'ends when two aggregates select each other and themselves',
      roles: [clusterRole('x', all), clusterRole('y', all), clusterRole('a', { rules: [rule('get pods')] })],
      expected: { x: ['get pods'], y: ['get pods'] },
    },
    {
      sentence: 'leaves a role alone whose rules are there',
      roles: [clusterRole('x', { ...all, rules: [rule('get jobs.batch')] }), viewPart],
      expected: {},
    },
    { sentence: 'leaves a role alone that aggregates nothing', roles: [clusterRole('x', {}), viewPart], expected: {} },
  ]
  for (const { sentence, roles, expected } of table) {
    it(sentence, () => {
      const found = aggregate(roles).map((role) => [role.name, role.rules.map(describeRule)] as const)
      expect(Object.fromEntries(found)).to.deep.equal(expected)
    })
  }
})
