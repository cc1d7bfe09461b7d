import { expect } from 'chai'
import { compileCondition, loadConditionEngine } from '../../../src/core/cel/engine.ts'
import { untilScope } from '../../../src/core/cel/scope.ts'
import type { UntilSpec } from '../../../src/core/grant/grant.ts'
import type { UntilFacts } from '../../../src/core/grant/until.ts'
import { readUntilObject } from '../../../src/core/grant/until-object.ts'

const uid = 'object-1'
const running: UntilFacts = { kind: 'Running', uid }
const ended = (message: string): UntilFacts => ({ kind: 'Ended', uid, message })
const job: UntilSpec = { apiVersion: 'batch/v1', kind: 'Job', name: 'migrate', condition: null }
const pod: UntilSpec = { apiVersion: 'v1', kind: 'Pod', name: 'tool', condition: null }
const says = (type: string, status = 'True', reason?: unknown) => ({ conditions: [{ type, status, reason }] })

describe('readUntilObject', () => {
  before(loadConditionEngine)
  const table: readonly (readonly [sentence: string, spec: UntilSpec, status: unknown, facts: UntilFacts])[] = [
    ['takes a Job without a status for one that is to begin', job, undefined, running],
    ['takes a Job that is complete for ended', job, says('Complete'), ended('succeeded')],
    ['takes a Job that failed for ended, and says why', job, says('Failed', 'True', 'OOM'), ended('failed: OOM')],
    ['says no reason that is none', job, says('Failed', 'True', 7), ended('failed')],
    ['takes a condition that is not True for none', job, says('Complete', 'False'), running],
    ['waits for the Pods of a Job that is about to fail', job, says('FailureTarget'), running],
    ['takes a suspended Job for one that goes on', job, says('Suspended'), running],
    ['takes a status that cannot be read for no end', job, { conditions: 'Complete' }, running],
    ['takes a Pod that runs for one that goes on', pod, { phase: 'Running' }, running],
    ['takes a Pod of unknown state for one that goes on', pod, { phase: 'Unknown' }, running],
    ['takes a Pod that succeeded for ended', pod, { phase: 'Succeeded' }, ended('succeeded')],
    ['takes a Pod that failed for ended', pod, { phase: 'Failed' }, ended('failed')],
    ['says why a Pod failed', pod, { phase: 'Failed', reason: 'Evicted' }, ended('failed: Evicted')],
    ['does not read a Pod as a Job', pod, says('Complete'), running],
  ]
  for (const [sentence, spec, status, facts] of table)
    it(sentence, () => expect(readUntilObject(spec, { metadata: { uid }, status })).to.deep.equal(facts))

  it('takes what is being deleted for ended, whatever else it says', () => {
    const metadata = { uid, deletionTimestamp: '2026-01-01T00:00:00Z' }
    expect(readUntilObject(job, { metadata })).to.deep.equal(ended('is being deleted'))
    expect(readUntilObject(looking('false'), { metadata })).to.deep.equal(ended('is being deleted'))
  })

  describe('by an expression', () => {
    const object = { metadata: { uid }, data: { phase: 'done' }, status: says('Complete') }

    it('takes true for ended', () => {
      expect(readUntilObject(looking('object.data.phase == "done"'), object)).to.deep.equal(
        ended('fulfils the expression'),
      )
    })

    it('takes false for going on, also for a Job that has ended', () => {
      expect(readUntilObject(looking('object.data.phase == "begun"'), object)).to.deep.equal(running)
    })

    it('takes one that fails for not known', () => {
      const facts = readUntilObject(looking('object.data.missing == "done"'), object)
      expect(facts.kind).to.equal('Unknown')
      expect(facts)
        .to.have.property('message')
        .that.matches(/^its expression cannot be judged: ./)
    })
  })

  function looking(expression: string): UntilSpec {
    const compiling = compileCondition(expression, untilScope)
    if (!compiling.ok) return expect.fail(compiling.problems[0]!.message)
    return { ...job, condition: compiling.condition }
  }
})
