import { expect } from 'chai'
import { parseAccessPolicy } from '../../../src/api/v1alpha1/parse-access-policy.ts'
import { parseNHIGrant } from '../../../src/api/v1alpha1/parse-nhi-grant.ts'
import { loadConditionEngine } from '../../../src/core/cel/engine.ts'
import { brokenRules, rulesInCases, rulesInSchemas } from './broken-rules.ts'

const parsers = { AccessPolicy: parseAccessPolicy, NHIGrant: parseNHIGrant, ClusterNHIGrant: parseNHIGrant }

describe('the rules of the schemas', () => {
  before(loadConditionEngine)

  it('are each broken by a case, and no case breaks a rule that is gone', () => {
    expect([...rulesInCases()].sort()).to.deep.equal([...rulesInSchemas()].sort())
  })

  for (const { kind, sentence, path, message, object } of brokenRules) {
    if (kind === 'NHISuspension') continue // has no parser: it is read as it is stored
    it(`are those of the parser: ${kind} with ${sentence}`, () => {
      const parsed = parsers[kind](object)
      const [problem, ...others] = parsed.ok ? [] : parsed.problems
      expect(problem?.path).to.equal(path)
      // The rest may name the culprit, which CEL messages cannot.
      expect(`${path === 'metadata.name' ? 'metadata.name ' : ''}${problem?.message}`).to.satisfy((text: string) =>
        text.startsWith(message),
      )
      expect(others).to.deep.equal([])
    })
  }
})
