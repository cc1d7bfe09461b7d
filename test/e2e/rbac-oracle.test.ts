import { expect } from 'chai'
import type { Agreement, Comparison } from '../support/oracle-comparison.ts'
import { escalation } from '../support/oracle-escalation.ts'
import { aggregation, allowedSubjects, authorizer, coverage, rulesFor } from '../support/oracle-rbac.ts'
import { startOracle, type Oracle } from '../support/oracle.ts'

const seed = 20_360

interface Run {
  readonly title: string
  readonly comparison: Comparison
  readonly cases: number
  readonly questions: number
  /** The least share of each verdict: agreement about one of them alone shows little. */
  readonly verdicts: Readonly<Record<string, number>>
}

const runs: readonly Run[] = [
  {
    title: 'judges pairs of rule lists as the escalation check does, down to the missing atoms',
    comparison: coverage,
    cases: 100_000,
    questions: 100_000,
    verdicts: { covered: 0.3, 'not covered': 0.3 },
  },
  {
    title: 'allows and refuses requests in clusters as the RBAC authorizer does',
    comparison: authorizer,
    cases: 5_000,
    questions: 100_000,
    verdicts: { allowed: 0.25, refused: 0.25 },
  },
  {
    title: 'finds the rules of a user in a namespace that the rule resolver finds',
    comparison: rulesFor,
    cases: 5_000,
    questions: 15_000,
    verdicts: { 'some rules': 0.3, 'no rules': 0.3 },
  },
  {
    title: 'names the subjects that may do something as the subject locator does',
    comparison: allowedSubjects,
    cases: 5_000,
    questions: 100_000,
    verdicts: { somebody: 0.3, 'superusers only': 0.3 },
  },
  {
    title: 'completes aggregated ClusterRoles as their controller does',
    comparison: aggregation,
    cases: 5_000,
    questions: 20_000,
    verdicts: { 'some rules': 0.3, 'no rules': 0.15 },
  },
  {
    title: 'lets roles and bindings be written, or not and why not, as the storages of kube-apiserver do',
    comparison: escalation,
    cases: 5_000,
    questions: 50_000,
    verdicts: { Allowed: 0.3, MissingRules: 0.2, NoSuchRole: 0.1, Aggregation: 0.01 },
  },
]

describe("RBAC, compared with Kubernetes' own code", () => {
  let oracle: Oracle

  before(async () => {
    oracle = await startOracle()
  })

  after(() => oracle.stop())

  for (const run of runs) {
    it(`${run.title}: ${run.cases} ${run.comparison.unit}`, async function () {
      this.timeout(300_000)
      const agreement = await run.comparison.run(oracle, { cases: run.cases, seed })
      expect(agreement.difference).to.equal(null)
      expect(agreement.cases).to.equal(run.cases)
      expect(agreement.questions).to.be.at.least(run.questions)
      expectVerdicts(agreement, run.verdicts)
    })
  }
})

function expectVerdicts({ questions, verdicts }: Agreement, least: Run['verdicts']): void {
  expect([...verdicts.keys()]).to.have.members(Object.keys(least))
  for (const [verdict, share] of Object.entries(least)) {
    expect((verdicts.get(verdict) ?? 0) / questions, verdict).to.be.at.least(share)
  }
}
