import { expect } from 'chai'
import * as fc from 'fast-check'
import { ruleAllows } from '../../../src/core/rbac/authorize.ts'
import { breakdown, covers } from '../../../src/core/rbac/covers.ts'
import { describeRule } from '../../../src/core/rbac/rule.ts'
import type { PolicyRule } from '../../../src/core/rbac/rule.ts'
import { rule } from './rbac-of.ts'

interface Sentence {
  readonly sentence: string
  readonly owner: readonly PolicyRule[]
  readonly servant: readonly PolicyRule[]
  readonly missing: readonly string[]
}

const everything = [rule('* *.*'), rule('* /*')]
const table: readonly Sentence[] = [
  { sentence: 'a rule covers itself', owner: [rule('get pods')], servant: [rule('get pods')], missing: [] },
  { sentence: 'nothing is covered by nothing', owner: [], servant: [rule('get pods')], missing: ['get pods'] },
  { sentence: 'no rules are covered by no rules', owner: [], servant: [], missing: [] },
  {
    sentence: 'two rules cover together what each covers in part',
    owner: [rule('get pods'), rule('list pods')],
    servant: [rule('get,list pods')],
    missing: [],
  },
  {
    sentence: 'one atom must lie in one rule, not in parts of two',
    owner: [rule('get pods'), rule('list secrets')],
    servant: [rule('get,list pods')],
    missing: ['list pods'],
  },
  {
    sentence: 'each verb that is missing is named',
    owner: [rule('get pods')],
    servant: [rule('get,delete,patch pods,secrets')],
    missing: ['delete pods', 'patch pods', 'get secrets', 'delete secrets', 'patch secrets'],
  },
  {
    sentence: 'listing every verb does not cover the star',
    owner: [rule('get,list,watch,create,update,patch,delete,deletecollection pods')],
    servant: [rule('* pods')],
    missing: ['* pods'],
  },
  { sentence: 'the star covers every verb', owner: [rule('* pods')], servant: [rule('get,fly pods')], missing: [] },
  {
    sentence: 'a group is not covered by the core group',
    owner: [rule('get deployments')],
    servant: [rule('get deployments.apps')],
    missing: ['get deployments.apps'],
  },
  {
    sentence: 'the group star covers every group',
    owner: [rule('get *.*')],
    servant: [rule('get jobs.batch')],
    missing: [],
  },
  {
    sentence: 'a resource does not cover its subresources',
    owner: [rule('create pods')],
    servant: [rule('create pods/exec')],
    missing: ['create pods/exec'],
  },
  {
    sentence: 'a subresource of every resource covers that of one',
    owner: [rule('create */exec')],
    servant: [rule('create pods/exec')],
    missing: [],
  },
  {
    sentence: 'a subresource of every resource covers no other subresource',
    owner: [rule('create */exec')],
    servant: [rule('create pods/attach')],
    missing: ['create pods/attach'],
  },
  {
    sentence: 'what follows the first slash is the subresource',
    owner: [rule('get services/*'), { ...rule('get pods'), resources: ['*/proxy/metrics'] }],
    servant: [{ ...rule('get pods'), resources: ['pods/proxy/metrics'] }],
    missing: [],
  },
  {
    sentence: 'pods/* covers no subresource of pods',
    owner: [rule('create pods/*')],
    servant: [rule('create pods/exec')],
    missing: ['create pods/exec'],
  },
  {
    sentence: 'the resource star covers subresources',
    owner: [rule('create *')],
    servant: [rule('create pods/exec')],
    missing: [],
  },
  {
    sentence: 'F7: every name is not covered by some names: empty resourceNames is the widest',
    owner: [rule('get secrets', 'a', 'b')],
    servant: [rule('get secrets')],
    missing: ['get secrets'],
  },
  {
    sentence: 'an empty list of names covers one name',
    owner: [{ ...rule('get secrets'), resourceNames: [] }],
    servant: [rule('get secrets', 'a')],
    missing: [],
  },
  {
    sentence: 'names are judged one by one',
    owner: [rule('get secrets', 'a'), rule('get secrets', 'b')],
    servant: [rule('get secrets', 'a', 'b', 'c')],
    missing: ['get secrets (resourceNames: c)'],
  },
  {
    sentence: 'a URL prefix covers what lies below it',
    owner: [rule('get /apis/*')],
    servant: [rule('get /apis/v1,/apis/,/apis/*')],
    missing: [],
  },
  {
    sentence: 'all trailing stars of a URL count as one',
    owner: [rule('get /apis**')],
    servant: [rule('get /apis,/apisx')],
    missing: [],
  },
  {
    sentence: 'a star inside a URL is only a star',
    owner: [rule('get /apis/*/v1')],
    servant: [rule('get /apis/apps/v1')],
    missing: ['get /apis/apps/v1'],
  },
  {
    sentence: 'a shorter URL is not covered by a longer prefix',
    owner: [rule('get /apis/*')],
    servant: [rule('get /apis')],
    missing: ['get /apis'],
  },
  {
    sentence: 'resources do not cover URLs',
    owner: [rule('* *.*')],
    servant: [rule('get /metrics')],
    missing: ['get /metrics'],
  },
  {
    sentence: 'an owner rule with names covers no URL',
    owner: [{ verbs: ['get'], nonResourceURLs: ['/metrics'], resourceNames: ['a'] }],
    servant: [rule('get /metrics')],
    missing: ['get /metrics'],
  },
  {
    sentence: 'full authority covers itself',
    owner: everything,
    servant: everything,
    missing: [],
  },
  {
    sentence: 'a rule without groups grants nothing, so anything covers it',
    owner: [],
    servant: [{ verbs: ['get'], resources: ['pods'] }],
    missing: [],
  },
]

describe('covers', () => {
  for (const { sentence, owner, servant, missing } of table) {
    it(sentence, () => {
      const coverage = covers(owner, servant)
      expect(coverage.missing.map(describeRule)).to.deep.equal(missing)
      expect(coverage.covered).to.equal(missing.length === 0)
    })
  }

  it('implies that whatever the servant allows, the owner allows', () => {
    let compared = 0
    fc.assert(
      fc.property(
        fc.array(rules, { maxLength: 3 }),
        fc.array(rules, { maxLength: 2 }),
        requests,
        (owner, servant, asked) => {
          if (!covers(owner, servant).covered || !servant.some((one) => ruleAllows(one, asked))) return
          compared++
          expect(owner.some((one) => ruleAllows(one, asked))).to.equal(true)
        },
      ),
      { seed: 20_260_731, numRuns: 20_000 },
    )
    expect(compared).to.be.greaterThan(200)
  })
})

describe('breakdown', () => {
  it('makes one atom of each group, resource, verb and name', () => {
    const atoms = breakdown({
      verbs: ['get', 'list'],
      apiGroups: ['', 'apps'],
      resources: ['pods'],
      resourceNames: ['a', 'b'],
    })
    expect(atoms).to.have.lengthOf(8)
    expect(atoms[1]).to.deep.equal({ verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['b'] })
  })

  it('combines URLs with verbs only', () => {
    const mixed = {
      verbs: ['get'],
      apiGroups: [''],
      resources: ['pods'],
      resourceNames: ['a'],
      nonResourceURLs: ['/x'],
    }
    expect(breakdown(mixed).map(describeRule)).to.deep.equal(['get pods (resourceNames: a)', 'get /x'])
  })
})

const some = (...values: readonly string[]) => fc.subarray([...values], { minLength: 1 })
const rules: fc.Arbitrary<PolicyRule> = fc.oneof(
  fc.record({
    verbs: some('get', 'list', '*'),
    apiGroups: some('', 'apps', '*'),
    resources: some('pods', 'pods/exec', '*/exec', '*'),
    resourceNames: fc.subarray(['a', 'b']),
  }),
  fc.record({ verbs: some('get', '*'), nonResourceURLs: some('/a', '/a/*', '/a/b', '*') }),
)
const requests = fc.oneof(
  fc.record({
    verb: fc.constantFrom('get', 'list', 'delete'),
    namespace: fc.constant(''),
    apiGroup: fc.constantFrom('', 'apps', 'batch'),
    resource: fc.constantFrom('pods', 'jobs'),
    subresource: fc.constantFrom('', 'exec'),
    name: fc.constantFrom('', 'a', 'b', 'c'),
    path: fc.constant(''),
  }),
  fc.record({
    verb: fc.constantFrom('get', 'post'),
    namespace: fc.constant(''),
    apiGroup: fc.constant(''),
    resource: fc.constant(''),
    subresource: fc.constant(''),
    name: fc.constant(''),
    path: fc.constantFrom('/a', '/a/b', '/a/b/c', '/z'),
  }),
)
