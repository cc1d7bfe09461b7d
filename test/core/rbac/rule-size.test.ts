import { expect } from 'chai'
import { breakdown } from '../../../src/core/rbac/covers.ts'
import { countPermissions, type PolicyRule } from '../../../src/core/rbac/rule.ts'

const many = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)

describe('the size of rules', () => {
  const rules: readonly PolicyRule[] = [
    { verbs: ['get', 'list'], apiGroups: ['', 'apps'], resources: ['pods', 'deployments', 'jobs'] },
    { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a', 'b', 'c'] },
    { verbs: ['get', 'post'], nonResourceURLs: ['/metrics', '/healthz'] },
    { verbs: ['get'], apiGroups: [], resources: ['pods'] },
  ]

  it('is as many single permissions as the rules break down to', () => {
    expect(countPermissions(rules)).to.equal(12 + 3 + 4)
    expect(countPermissions(rules)).to.equal(rules.flatMap(breakdown).length)
  })

  it('is told of millions without spelling them out', () => {
    const rule = {
      verbs: many('v', 32),
      apiGroups: many('g', 32),
      resources: many('r', 64),
      resourceNames: many('n', 64),
    }
    expect(countPermissions([rule])).to.equal(4_194_304)
  })
})
