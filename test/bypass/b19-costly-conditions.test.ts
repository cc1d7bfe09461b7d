import { expect } from 'chai'

import { loadConditionEngine } from '../../src/core/cel/engine.ts'
import { reviewWorkloads } from '../../src/webhook/review-workload.ts'
import { deployment, payments, policy } from '../webhook/objects.ts'
import { judge, refusalOf, requestOf, worldOf, type RawObject } from '../webhook/requests.ts'

const policyWith = (expressions: readonly string[], name = 'payments-deploy'): RawObject => {
  const conditions = expressions.map((expression, index) => ({ name: `c${index}`, expression }))
  return policy({ workloads: { conditions } }, { name })
}

/** Milliseconds that this thread has worked so far; while it waits for a busy machine it does not. */
function worked(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

describe('B19 conditions that cost too much', () => {
  const elsewhere =
    'elsewhere a pattern or a loop in a policy held up the engine for everybody (CVE-2025-47281, CVE-2026-23881)'
  before(() => loadConditionEngine())

  const noToken = { automountServiceAccountToken: false }

  const long = 'a'.repeat(100_000)
  const object = deployment({ ...noToken, annotations: { long }, priorityClassName: long })
  const list = '[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]'
  const nested = Array.from({ length: 8 }).reduce<string>(
    (inner, _, depth) => `${list}.all(v${depth}, ${inner})`,
    'true',
  )

  const costly: readonly (readonly [what: string, expression: string])[] = [
    ['eight loops in one another', nested],
    ['a pattern that backtracks', `object.spec.template.spec.priorityClassName.matches('^(a+)+$b')`],
    ['a pattern of alternatives', `object.spec.template.spec.priorityClassName.matches('(a|a?)+$b')`],
    [
      'a text that grows',
      `${Array.from({ length: 60 }, () => 'object.spec.template.spec.priorityClassName').join(' + ')} == 'x'`,
    ],
    [
      'a list that grows',
      `${Array.from({ length: 6 }).reduce<string>((inner) => `(${inner} + ${inner})`, '[1,2,3,4,5]')}.all(x, [1,2,3,4,5].all(y, [1,2,3,4,5].all(z, [1,2,3,4,5].all(u, [1,2,3,4,5].all(v, x < 9)))))`,
    ],
  ]

  for (const [what, expression] of costly)
    it(`get a no within a second: ${what}: ${elsewhere}`, () => {
      const world = worldOf(...payments, policyWith([expression]))
      expect([...world.brokenPolicies.values()].flat()).to.deep.equal([])
      const before = worked()
      const message = refusalOf(judge(reviewWorkloads, requestOf(object), world))
      expect(worked() - before).to.be.below(1_000)
      expect(message).to.contain('[condition]')
    })

  it(`get a no within the time that the API server waits, however many policies there are: ${elsewhere}`, () => {
    const expressions = Array.from({ length: 16 }, (_, index) => costly[index % costly.length]![1])
    const policies = Array.from({ length: 20 }, (_, index) => policyWith(expressions, `p${index}`))
    const world = worldOf(...payments, ...policies)
    const before = worked()
    expect(refusalOf(judge(reviewWorkloads, requestOf(object), world))).to.contain('[condition]')
    expect(worked() - before).to.be.below(4_000)
  })
})
