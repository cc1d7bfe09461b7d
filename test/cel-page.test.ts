import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { load } from 'js-yaml'
import { expressionBudget, objectBudget, policyBudget } from '../src/core/cel/budget.ts'
import { compileCondition, loadConditionEngine } from '../src/core/cel/engine.ts'
import { grantScope, workloadScope, type Scope } from '../src/core/cel/scope.ts'

const page = readFileSync(join(import.meta.dirname, '../docs/cel.md'), 'utf8')

/** The lines of the blocks of a kind: `cel`, `cel grant`. */
function linesOf(kind: string): readonly string[] {
  const blocks = [...page.matchAll(/^```([^\n]*)\n([\s\S]*?)^```/gm)].filter(([, language]) => language === kind)
  return blocks.flatMap(([, , text = '']) => text.split('\n').filter((line) => line !== ''))
}

const pod = {
  metadata: { labels: { app: 'api' }, annotations: {} },
  spec: { containers: [{ image: 'registry.example/api:1', resources: { limits: { memory: '512Mi' } } }] },
}
const userInfo = { username: 'ci:acme/payments', groups: ['payments-leads'] }
const account = { kind: 'ServiceAccount', namespace: 'payments', name: 'api' }
const namespaceObject = { metadata: { name: 'payments', labels: { stage: 'production' } } }

const workload = {
  object: { kind: 'Deployment', metadata: { name: 'api', labels: {} }, spec: { replicas: 2, template: pod } },
  oldObject: null,
  pod,
  request: {
    operation: 'CREATE',
    namespace: 'payments',
    name: 'api',
    kind: { group: 'apps', kind: 'Deployment' },
    userInfo,
  },
  namespaceObject,
  identity: { ...account, username: 'system:serviceaccount:payments:api', groups: [] },
  grants: [{ namespace: 'payments', name: 'rollout', policy: 'payments-deploy', waive: [] }],
}
const grant = {
  grant: {
    metadata: { namespace: 'payments', name: 'rollout' },
    spec: { ticket: 'CHG-20855', duration: '30m', permissions: ['rollout'] },
  },
  request: { userInfo },
  namespaceObject,
  subject: { ...account, username: 'system:serviceaccount:payments:api', groups: [] },
  policy: { name: 'payments-deploy', version: '1.4.0' },
  now: new Date('2027-01-15T12:00:00Z'),
}

describe('docs/cel.md', () => {
  before(loadConditionEngine)

  const shown: readonly (readonly [kind: string, scope: Scope, variables: Readonly<Record<string, unknown>>, least: number])[] = [
    ['cel workload', workloadScope, workload, 9],
    ['cel grant', grantScope, grant, 6],
    ['cel', new Map(), {}, 20],
  ] // prettier-ignore
  for (const [kind, scope, variables, least] of shown) {
    const lines = linesOf(kind)
    it(`has examples in ${kind}`, () => expect(lines.length).to.be.at.least(least))
    for (const line of lines)
      it(`says the truth: ${line}`, () => {
        const compiling = compileCondition(line, scope)
        if (!compiling.ok) throw new Error(compiling.problems[0]?.message)
        expect(compiling.condition.evaluate(variables)).to.deep.include({ ok: true, value: true })
      })
  }

  const refused = linesOf('cel refused')
  for (const line of refused)
    it(`says rightly that it is refused: ${line}`, () =>
      expect(compileCondition(line, workloadScope).ok).to.equal(false))

  it('shows a policy whose conditions compile', () => {
    const [, text = ''] = /^```yaml\n([\s\S]*?)^```/m.exec(page) ?? []
    const terms = load(text) as Record<'workloads' | 'grants', { conditions: { expression: string }[] }>
    expect(
      terms.workloads.conditions.map(({ expression }) => compileCondition(expression, workloadScope).ok),
    ).to.deep.equal([true])
    expect(terms.grants.conditions.map(({ expression }) => compileCondition(expression, grantScope).ok)).to.deep.equal([
      true,
    ])
  })

  it('names every variable and every field that is known', () => {
    for (const scope of [workloadScope, grantScope])
      for (const [name, type] of scope) {
        expect(page).to.contain(`| \`${name}\` |`)
        const fields = typeof type === 'object' ? Object.keys(type.fields) : []
        for (const field of fields) expect(page, `${name}.${field}`).to.match(new RegExp(`\\b${field}\\b`))
      }
  })

  it('gives the limits as they are', () => {
    expect(page).to.contain(`one condition may cost | ${expressionBudget.toLocaleString('en')} |`)
    expect(page).to.contain(`with all its pod templates | ${policyBudget.toLocaleString('en')} |`)
    expect(page).to.contain(`all policies may cost for one object | ${objectBudget.toLocaleString('en')} |`)
    expect(page).to.contain(`all policies may cost for one object | ${objectBudget.toLocaleString('en')} |`)
  })

  it('counts the tests of the specification as the list does', () => {
    const text = readFileSync(join(import.meta.dirname, 'core/cel/conformance-failures.json'), 'utf8')
    const list = Object.entries(JSON.parse(text) as Record<string, readonly string[]>)
    const count = (reason: RegExp): number =>
      list.filter(([each]) => reason.test(each)).flatMap(([, names]) => names).length
    const all = count(/./)
    const [messages, early, names, keys, other] = [
      /protobuf/,
      /before any/,
      /container/,
      /two keys/,
      /another answer/,
    ].map(count)
    const rest = all - (messages ?? 0) - (early ?? 0) - (names ?? 0) - (keys ?? 0) - (other ?? 0)
    const told = page.replaceAll(/\s+/g, ' ')
    expect(told).to.contain(`Of the 2,344 tests of the specification, ${(2344 - all).toLocaleString('en')} pass`)
    expect(told).to.contain(
      `${messages} make messages of protobuf or are given some, ${rest} use what is not offered, ${early} are refused before they are evaluated, ${names} want a container or names with dots, and in ${keys} `,
    )
    expect(told).to.contain(`In ${other} Kubernetes has another answer`)
  })
})
