import { expect } from 'chai'
import * as fc from 'fast-check'

import { serviceAccountOf } from '../../src/core/identity.ts'
import { isPoolName } from '../../src/core/policy/pool.ts'
import { parsePins } from '../../src/core/policy/pin.ts'
import { governs } from '../../src/core/policy/select.ts'
import { ruleAllows } from '../../src/core/rbac/authorize.ts'
import { covers } from '../../src/core/rbac/covers.ts'
import { selects } from '../../src/core/selector.ts'
import { parseTemplateKind } from '../../src/core/workload/template-kinds.ts'
import { account, namespace, policy } from '../webhook/objects.ts'
import { worldOf } from '../webhook/requests.ts'

/** Texts that look like the given one, or begin or end with it, and are another. */
const lookalikes: readonly ((text: string) => string)[] = [
  (text) => text.toUpperCase(),
  (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}`,
  (text) => `${text} `,
  (text) => ` ${text}`,
  (text) => `${text}.`,
  (text) => `${text}/`,
  (text) => `${text}/*`,
  (text) => `${text}*`,
  (text) => `*${text}`,
  (text) => `${text}\u0000`,
  (text) => `${text}\u200b`,
  (text) => `${text}\n`,
  (text) => `${text}-evil`,
  (text) => `evil-${text}`,
  (text) => text.slice(0, -1),
  (text) => text.replace('e', 'е'), // a Cyrillic e
  (text) => text.normalize('NFD').replace('s', 'ſ'),
  (text) => `./${text}`,
  () => '',
]
const name = fc.constantFrom('secrets', 'deployments', 'get', 'escalate', 'payments', 'deployer', 'lapse-set-1')
const twin = fc
  .tuple(name, fc.constantFrom(...lookalikes))
  .map(([text, change]) => [text, change(text)] as const)
  .filter(([text, other]) => text !== other)
const seed = { seed: 151_515, numRuns: 3_000 }
const each = (holds: (text: string, other: string) => void): void =>
  fc.assert(
    fc.property(twin, ([text, other]) => holds(text, other)),
    seed,
  )

const rule = (verb: string, resource: string, resourceName?: string) => ({
  apiGroups: [''],
  resources: [resource],
  verbs: [verb],
  ...(resourceName !== undefined && { resourceNames: [resourceName] }),
})

describe('B15 names that are spelt almost alike', () => {
  const elsewhere =
    'elsewhere case, a trailing dot, a prefix or a look-alike letter was taken for the name itself (SIG threat 13)'

  it(`do not cover each other as resources, verbs or names: ${elsewhere}`, () =>
    each((text, other) => {
      expect(covers([rule('get', text)], [rule('get', other)]).covered, `resource ${other}`).to.equal(false)
      expect(covers([rule(text, 'pods')], [rule(other, 'pods')]).covered, `verb ${other}`).to.equal(false)
      expect(covers([rule('get', 'pods', text)], [rule('get', 'pods', other)]).covered).to.equal(false)
    }))

  it(`do not allow each other's requests: ${elsewhere}`, () =>
    each((text, other) => {
      const request = { verb: 'get', apiGroup: '', resource: text, subresource: '', name: 'x', namespace: 'n' }
      expect(ruleAllows(rule('get', other), request as never), other).to.equal(false)
    }))

  it(`are no wildcard: a star is one only when it stands alone: ${elsewhere}`, () => {
    for (const star of ['**', '*pods', 'pods*', ' *', '* ', '*.*', '/*', 'p*ds'])
      expect(covers([rule('get', star)], [rule('get', 'pods')]).covered, star).to.equal(false)
  })

  it(`are not selected for each other: ${elsewhere}`, () =>
    each((text, other) => {
      expect(selects({ matchLabels: { team: text } }, { team: other })).to.equal(false)
      expect(selects({ matchLabels: { [text]: 'x' } }, { [other]: 'x' })).to.equal(false)
    }))

  it(`do not make an account of another namespace governed, or pass for a governed one: ${elsewhere}`, () =>
    each((text, other) => {
      const world = worldOf(
        namespace('payments', { team: 'payments' }),
        account(`payments/${text}`),
        policy({ subjects: [{ kind: 'ServiceAccount', namespaceSelector: {}, names: [text] }] }),
      )
      const [only] = world.policies()
      if (only === undefined) return
      expect(governs(only, { kind: 'ServiceAccount', namespace: 'payments', name: text }, world)).to.equal(true)
      expect(governs(only, { kind: 'ServiceAccount', namespace: 'payments', name: other }, world)).to.equal(false)
    }))

  it('are one when the API server takes them for one: a User that spells out a ServiceAccount is that account', () => {
    const world = worldOf(namespace('payments', { team: 'payments' }), account('payments/api'), policy())
    const [only] = world.policies()
    expect(governs(only!, { kind: 'User', name: 'system:serviceaccount:payments:api' }, world)).to.equal(true)
    for (const other of [
      'system:serviceaccount:payments:api:',
      'system:serviceaccount:payments',
      'system:serviceaccount::api',
      'System:serviceaccount:payments:api',
      ' system:serviceaccount:payments:api',
      'system:serviceaccounts:payments:api',
    ]) {
      expect(serviceAccountOf(other), other).to.equal(null)
      expect(governs(only!, { kind: 'User', name: other }, world), other).to.equal(false)
    }
  })

  it(`are no role of the pool, no pin and no kind with templates: ${elsewhere}`, () => {
    for (const other of ['lapse-set-', 'lapse-set-01', 'lapse-set-1 ', 'Lapse-set-1', 'lapse-set-1e1', 'lapse-set--1'])
      expect(isPoolName(other), other).to.equal(false)
    for (const other of ['guard', 'guard@', '@1.0.0', 'guard@1.0.0@2.0.0'])
      expect(parsePins(other), other).to.equal(null)
    for (const other of [
      'Rollout=spec',
      'argoproj.io/Rollout',
      'a.b/C=',
      'a.b/C=a..b',
      'a.b/C=a[*].b[*].c',
      'a.b/C=[*].c',
    ])
      expect(parseTemplateKind(other), other).to.equal(null)
  })
})
