import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { getConformanceSuite } from '@bufbuild/cel-spec/testdata/tests.js'
import { expect } from 'chai'
import { casesOf, failureOf } from './conformance-case.ts'

/** Names of tests that fail, by the reason why they may. */
type ExpectedFailures = Readonly<Record<string, readonly string[]>>

function readExpectedFailures(): ExpectedFailures {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'conformance-failures.json'), 'utf8')) as ExpectedFailures
}

describe("the conformance tests of CEL's specification", () => {
  const expected = readExpectedFailures()
  const listed = Object.values(expected).flat()
  const cases = casesOf(getConformanceSuite())
  let failures: ReadonlyMap<string, string>

  before(() => {
    const failed = cases.map(({ name, test }) => [name, failureOf(test)] as const)
    failures = new Map(failed.filter((each): each is readonly [string, string] => each[1] !== null))
  })

  it('are the whole suite', () => expect(cases.length).to.equal(2344))

  it('pass, but for those that are listed with a reason', () => {
    const isListed = new Set(listed)
    expect([...failures].filter(([name]) => !isListed.has(name))).to.deep.equal([])
  })

  it('leave the list as short as it can be: what passes is not on it', () => {
    expect(listed.filter((name) => !failures.has(name))).to.deep.equal([])
  })

  it('are listed once each', () => expect(listed.length).to.equal(new Set(listed).size))

  it('pass as many as they did: the list may only shrink', () => expect(listed.length).to.be.at.most(995))
})
