import { expect } from 'chai'

import type { NHIGrant } from '../../../src/api/v1alpha1/objects.ts'
import type { MetadataOnly } from '../../../src/cluster/ports.ts'
import { StrayBindings } from '../../../src/controllers/nhi-grant/stray-bindings.ts'
import { nhiGrant } from '../../api/v1alpha1/wire.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { HandCache } from '../../support/hand-cache.ts'

const grant = (state: string | null, uid = 'u-1'): NHIGrant =>
  nhiGrant((wire) => {
    wire.metadata = { namespace: 'payments', name: 'g', uid, resourceVersion: '1' }
    if (state !== null) wire.status = { state }
  }) as NHIGrant

const binding = (change: Partial<MetadataOnly['metadata']> = {}): MetadataOnly => ({
  metadata: {
    namespace: 'payments',
    name: 'lapse-u-1-rollout',
    uid: 'b-1',
    resourceVersion: '1',
    labels: { 'lapse.dev/managed-by': 'lapse', 'lapse.dev/grant-uid': 'u-1' },
    ...change,
  },
})

interface Setting {
  readonly grants: HandCache<NHIGrant>
  readonly bindings: HandCache<MetadataOnly>
}

type Step = (setting: Setting) => void

const gets =
  (state: string | null, uid?: string): Step =>
  ({ grants }) =>
    grants.put(grant(state, uid))
const goes: Step = ({ grants }) => grants.remove(grant('Active'))
const appears: Step = ({ bindings }) => bindings.put(binding())
const vanishes: Step = ({ bindings }) => bindings.remove(binding())

/** [what happens, step by step; how often something is found; whether a binding is stray at last] */
const cases: readonly (readonly [sentence: string, steps: readonly Step[], found: number, exist: boolean])[] = [
  [
    'finds nothing in a life',
    [gets(null), gets('Pending'), appears, gets('Active'), vanishes, gets('Expired')],
    0,
    false,
  ],
  ['finds nothing in a life whose grant is deleted', [gets('Active'), appears, goes, vanishes], 0, false],
  ['finds a binding that appears for a grant that has ended', [gets('Active'), gets('Expired'), appears], 1, true],
  ['finds one that appears for a grant that was refused', [gets('Denied'), appears], 1, true],
  ['finds one that appears for a grant that is gone', [gets('Active'), goes, appears], 1, true],
  ['finds one that appears for a grant that never was', [appears], 1, true],
  ['finds one that is there when its grant ends', [gets('Active'), appears, gets('Revoked')], 1, true],
  ['has no doubt any more when the grant is heard of after its binding', [appears, gets('Pending')], 1, false],
  ['nor when the binding goes after all', [gets('Active'), appears, gets('Expired'), vanishes], 1, false],
  [
    'finds one whose name another grant has now',
    [gets('Active'), gets(null, 'u-2'), ({ bindings }) => bindings.put(binding())],
    1,
    true,
  ],
  [
    'finds one that is made to carry another grant',
    [gets('Active'), appears, ({ bindings }) => bindings.put(binding({ labels: { 'lapse.dev/grant-uid': 'u-9' } }))],
    1,
    true,
  ],
  [
    'leaves alone what is being deleted, whatever holds it',
    [
      gets('Active'),
      appears,
      ({ bindings }) => bindings.put(binding({ deletionTimestamp: '2027-01-01T00:00:00Z' })),
      gets('Expired'),
    ],
    0,
    false,
  ],
  [
    'looks at each binding of a grant',
    [gets('Active'), appears, ({ bindings }) => bindings.put(binding({ name: 'second' })), vanishes, gets('Expired')],
    1,
    true,
  ],
]

describe('the look for bindings whose grant is over', () => {
  for (const [sentence, steps, found, exist] of cases)
    it(sentence, () => {
      const setting = { grants: new HandCache<NHIGrant>(), bindings: new HandCache<MetadataOnly>() }
      const strays = new StrayBindings(new FakeClock())
      let calls = 0
      strays.follow({ grants: setting.grants, grantBindings: setting.bindings }, () => (calls += 1))
      for (const step of steps) step(setting)
      expect([calls, strays.age !== null]).to.deep.equal([found, exist])
    })

  it('says for how long it has known of the oldest that is there still', async () => {
    const clock = new FakeClock()
    const grantBindings = new HandCache<MetadataOnly>()
    const strays = new StrayBindings(clock)
    strays.follow({ grants: new HandCache<NHIGrant>(), grantBindings }, () => {})
    const second = binding({ name: 'other', labels: { 'lapse.dev/grant-uid': 'u-9' } })
    grantBindings.put(binding())
    await clock.advance(300)
    grantBindings.put(second)
    await clock.advance(200)
    expect(strays.age).to.equal(500)
    grantBindings.remove(binding())
    expect(strays.age).to.equal(200)
    grantBindings.remove(second)
    expect(strays.age).to.equal(null)
  })

  it('finds what was there before it began, if its grant was not', () => {
    const grants = new HandCache<NHIGrant>()
    const grantBindings = new HandCache<MetadataOnly>()
    grants.put(grant('Active'))
    grantBindings.put(binding())
    grantBindings.put(binding({ name: 'other', labels: { 'lapse.dev/grant-uid': 'u-9' } }))
    let calls = 0
    new StrayBindings(new FakeClock()).follow({ grants, grantBindings }, () => (calls += 1))
    expect(calls).to.equal(1)
  })
})
