import { expect } from 'chai'
import { foreignPins, parsePins, reviewPin } from '../../../src/core/policy/pin.ts'
import type { WorkloadTerms } from '../../../src/core/policy/policy.ts'
import type { RevisionFacts } from '../../../src/core/world.ts'
import { day, now, policyOf, workloads } from './policy-of.ts'
import { revisionOf, worldOf } from './world-of.ts'

const path = 'spec.template.metadata.annotations["lapse.dev/policy"]'
const since = (age: number): Partial<RevisionFacts> => ({ supersededAt: now - age })
const unpinned = { ...workloads, pin: null }
const lenient: WorkloadTerms = { ...workloads, pin: { required: false, grace: 0 } }

interface Sentence {
  readonly sentence: string
  readonly annotation: string | undefined
  readonly revisions?: readonly RevisionFacts[]
  readonly workloads?: WorkloadTerms | null
  /** `check: message`, or null when nothing is wrong. */
  readonly says: string | null
}

const table: readonly Sentence[] = [
  { sentence: 'accepts the active version', annotation: 'payments-deploy@1.4.0', says: null },
  {
    sentence: 'refuses a template without a pin',
    annotation: undefined,
    says: 'pin-missing: the pod template has no annotation lapse.dev/policy',
  },
  {
    sentence: 'accepts a template without a pin when pins are not required',
    annotation: undefined,
    workloads: lenient,
    says: null,
  },
  {
    sentence: 'accepts a template without a pin when the policy is silent about pins',
    annotation: undefined,
    workloads: unpinned,
    says: null,
  },
  {
    sentence: 'refuses a pin without a version',
    annotation: 'payments-deploy',
    says: 'pin-malformed: "payments-deploy" is not of the form NAME@VERSION',
  },
  { sentence: 'refuses an empty pin', annotation: '', says: 'pin-malformed: "" is not of the form NAME@VERSION' },
  {
    sentence: 'refuses a malformed pin even when pins are not required',
    annotation: 'payments-deploy@1.4.0@x',
    workloads: lenient,
    says: 'pin-malformed: "payments-deploy@1.4.0@x" is not of the form NAME@VERSION',
  },
  {
    sentence: 'refuses a pin of another policy only',
    annotation: 'search@1.0.0',
    says: 'pin-missing: no pin names policy payments-deploy, which governs this workload',
  },
  { sentence: 'accepts its own among several pins', annotation: 'search@1.0.0, payments-deploy@1.4.0', says: null },
  {
    sentence: 'refuses two pins of one policy when the second is stale',
    annotation: 'payments-deploy@1.4.0,payments-deploy@1.0.0',
    says: 'pin-stale: the pin names payments-deploy@1.0.0, which is not on record; active is 1.4.0',
  },
  {
    sentence: 'refuses two pins of one policy when the first is stale',
    annotation: 'payments-deploy@1.0.0,payments-deploy@1.4.0',
    says: 'pin-stale: the pin names payments-deploy@1.0.0, which is not on record; active is 1.4.0',
  },
  {
    sentence: 'accepts a superseded version within its grace',
    annotation: 'payments-deploy@1.3.0',
    revisions: [revisionOf('1.3.0', since(day - 1))],
    says: null,
  },
  {
    sentence: 'refuses a superseded version at the instant at which its grace is over',
    annotation: 'payments-deploy@1.3.0',
    revisions: [revisionOf('1.3.0', since(day))],
    says: 'pin-stale: the pin names payments-deploy@1.3.0, superseded at 2027-01-14T12:00:00.000Z and the grace of 24h is over; active is 1.4.0',
  },
  {
    sentence: 'refuses a superseded version at once when there is no grace',
    annotation: 'payments-deploy@1.3.0',
    revisions: [revisionOf('1.3.0', since(0))],
    workloads: lenient,
    says: 'pin-stale: the pin names payments-deploy@1.3.0, superseded at 2027-01-15T12:00:00.000Z and there is no grace; active is 1.4.0',
  },
  {
    sentence: 'gives no grace when the policy is silent about pins',
    annotation: 'payments-deploy@1.3.0',
    revisions: [revisionOf('1.3.0', since(0))],
    workloads: unpinned,
    says: 'pin-stale: the pin names payments-deploy@1.3.0, superseded at 2027-01-15T12:00:00.000Z and there is no grace; active is 1.4.0',
  },
  {
    sentence: 'gives no grace before the supersession is on record',
    annotation: 'payments-deploy@1.3.0',
    revisions: [revisionOf('1.3.0')],
    says: 'pin-stale: the pin names payments-deploy@1.3.0, superseded just now; active is 1.4.0',
  },
  {
    sentence: 'gives a withdrawn version no grace',
    annotation: 'payments-deploy@1.3.0',
    revisions: [revisionOf('1.3.0', { ...since(1), revokedAt: now - 1 })],
    says: 'pin-stale: the pin names payments-deploy@1.3.0, withdrawn at 2027-01-15T11:59:59.999Z; active is 1.4.0',
  },
  {
    sentence: 'refuses a version that is not on record',
    annotation: 'payments-deploy@9.9.9',
    says: 'pin-stale: the pin names payments-deploy@9.9.9, which is not on record; active is 1.4.0',
  },
  {
    sentence: "does not take another policy's version for its own",
    annotation: 'payments-deploy@1.3.0',
    revisions: [revisionOf('1.3.0', { policy: 'search', ...since(1) })],
    says: 'pin-stale: the pin names payments-deploy@1.3.0, which is not on record; active is 1.4.0',
  },
]

describe('reviewPin', () => {
  for (const { sentence, annotation, revisions = [], workloads: judged = workloads, says } of table) {
    it(sentence, () => {
      const policy = policyOf({ workloads: judged })
      const finding = reviewPin(policy, annotation, path, worldOf({ revisions }), now)
      expect(finding === null ? null : `${finding.check}: ${finding.message}`).to.equal(says)
    })
  }

  it('names the place, and the annotation to set', () => {
    const finding = reviewPin(policyOf(), undefined, path, worldOf(), now)
    expect(finding).to.include({
      path,
      severity: 'High',
      remedy:
        'set the annotation lapse.dev/policy: payments-deploy@1.4.0 after checking the workload against that version',
    })
  })
})

describe('foreignPins', () => {
  const governing = [policyOf(), policyOf({ name: 'baseline' })]

  it('names each pin of a policy that does not govern the workload', () => {
    const findings = foreignPins('search@1.0.0,payments-deploy@1.4.0,ads@2.0.0', governing, path)
    expect(findings.map(({ check, message, remedy }) => [check, message, remedy])).to.deep.equal(
      ['search', 'ads'].map((name) => [
        'pin-foreign',
        `the pin names policy ${name}, which does not govern this workload`,
        'governing: payments-deploy, baseline; remove the other pin',
      ]),
    )
  })

  it('finds nothing without an annotation, and leaves a malformed one to reviewPin', () => {
    expect(foreignPins(undefined, governing, path)).to.deep.equal([])
    expect(foreignPins('search', governing, path)).to.deep.equal([])
  })
})

describe('parsePins', () => {
  it('reads several, with blanks around the commas', () => {
    expect(parsePins(' a@1.0.0 , b@2.0.0')).to.deep.equal([
      { policy: 'a', version: '1.0.0' },
      { policy: 'b', version: '2.0.0' },
    ])
  })

  for (const text of ['', 'a', 'a@', '@1.0.0', 'a@1@2', 'a@1.0.0,', ','])
    it(`takes nothing from ${JSON.stringify(text)}, not even the good part`, () => {
      expect(parsePins(text)).to.equal(null)
    })
})
