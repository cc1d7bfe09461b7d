import { expect } from 'chai'
import * as fc from 'fast-check'
import { ruleAllows } from '../../../src/core/rbac/authorize.ts'
import type { Provenance, RequestAttributes } from '../../../src/core/rbac/authorize.ts'
import { namedAccess } from '../../../src/core/rbac/named-access.ts'
import type { PolicyRule } from '../../../src/core/rbac/rule.ts'
import { request, rule } from './rbac-of.ts'

const heldOf = (rules: readonly PolicyRule[]): readonly Provenance[] =>
  rules.map((each) => ({ kind: 'SuperUser', rule: each }))

/** The name, and the place of the rule that gives it among the rules. */
function found(asked: RequestAttributes, ...rules: readonly PolicyRule[]): string | null {
  const access = namedAccess(asked, heldOf(rules))
  return access === null ? null : `${access.name} by ${rules.indexOf(access.by.rule)}`
}

/** The same by putting every name to every rule. */
function foundByTrying(asked: RequestAttributes, ...rules: readonly PolicyRule[]): string | null {
  const isReal = (own: PolicyRule, one: RequestAttributes): boolean => {
    if (!ruleAllows(own, one)) return false
    if (one.verb !== 'create' || one.subresource !== '') return true
    return ['update', 'patch'].some((verb) => rules.some((each) => ruleAllows(each, { ...one, verb })))
  }
  for (const [index, own] of rules.entries()) {
    const name = own.resourceNames?.find((candidate) => isReal(own, { ...asked, name: candidate }))
    if (name !== undefined) return `${name} by ${index}`
  }
  return null
}

const createPods = request('create pods', 'payments')

const some = (...items: readonly string[]) => fc.subarray([...items])
const aRule: fc.Arbitrary<PolicyRule> = fc.record(
  {
    verbs: some('create', 'update', 'patch', '*'),
    apiGroups: some('', '*'),
    resources: some('pods', 'pods/exec', '*/exec', '*'),
    resourceNames: some('a', 'b', 'c').chain((names) => fc.shuffledSubarray(names, { minLength: names.length })),
  },
  { requiredKeys: ['verbs', 'apiGroups', 'resources'] },
)

const named = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`)

/** How often a field of the rules or an item of their lists is read. */
function readsOf(rules: readonly PolicyRule[]): number {
  let reads = 0
  const counted = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(of, key) {
        reads++
        const value: unknown = Reflect.get(of, key)
        return Array.isArray(value) ? counted(value) : value
      },
    })
  expect(namedAccess(createPods, heldOf(rules.map(counted)))).to.equal(null)
  return reads
}

describe('namedAccess', () => {
  it('takes the first name of the first rule that allows the request', () => {
    const rules = [rule('get pods', 'a'), rule('patch pods', 'b', 'c'), rule('patch pods', 'd')]
    expect(found(request('patch pods'), ...rules)).to.equal('b by 1')
  })

  it('takes a named create of a subresource as it is', () => {
    expect(found(request('create pods/exec'), rule('create pods/exec', 'a'))).to.equal('a by 0')
  })

  it('takes of a named create the name that an update from another rule allows', () => {
    expect(found(createPods, rule('create pods', 'a', 'b'), rule('update pods', 'c', 'b'))).to.equal('b by 0')
  })

  it('takes any name of a named create where a rule without names allows the update', () => {
    for (const resourceNames of [undefined, []]) {
      const update = { ...rule('patch pods'), ...(resourceNames && { resourceNames }) }
      expect(found(createPods, rule('create pods', 'a'), update)).to.equal('a by 0')
    }
  })

  it('finds none where the update is of other names, of another resource or of a subresource', () => {
    for (const update of [rule('update pods', 'b'), rule('update services', 'a'), rule('update pods/status', 'a')]) {
      expect(found(createPods, rule('create pods', 'a'), update)).to.equal(null)
    }
  })

  it('says the same as trying each name on every rule', () => {
    const asked = fc.constantFrom(createPods, request('create pods/exec'), request('patch pods'))
    let hits = 0
    const same = fc.property(asked, fc.array(aRule, { maxLength: 5 }), (one, rules) => {
      const expected = foundByTrying(one, ...rules)
      if (expected !== null) hits++
      expect(found(one, ...rules)).to.equal(expected)
    })
    fc.assert(same, { seed: 20_261, numRuns: 2_000 })
    expect(hits).to.be.within(200, 1_800)
  })

  describe('does twice the work for twice as much', () => {
    const shapes: Readonly<Record<string, (count: number) => readonly PolicyRule[]>> = {
      'rules with one name each': (count) => named(count).map((name) => rule('create pods', name)),
      'names in one rule': (count) => [rule('create pods', ...named(count))],
      'rules to create and as many to update other names': (count) =>
        named(count).flatMap((name) => [rule('create pods', name), rule('update pods', `${name}-other`)]),
      'names to create and as many to update': (count) => [
        rule('create pods', ...named(count)),
        rule('update pods', ...named(count).map((name) => `${name}-other`)),
      ],
    }
    for (const [shape, rulesOf] of Object.entries(shapes)) {
      it(shape, () => {
        const once = readsOf(rulesOf(200))
        expect(once).to.be.greaterThan(0)
        expect(readsOf(rulesOf(400))).to.be.at.most(2 * once)
      })
    }
  })
})
