import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { checkEntries, checkEntry } from '../../src/core/check-catalogue.ts'
import { capabilityIds } from '../../src/core/rbac/capability.ts'
import { podSecurityChecks } from '../../src/core/workload/pod-security.ts'
import { waivableChecks } from '../../src/core/workload/waivers.ts'
import { tokenCheckIds } from '../../src/core/workload/token.ts'

const root = join(import.meta.dirname, '../..')

/** Ids that stand in the sources where a finding is made, by the file. */
function idsInSources(): readonly (readonly [id: string, file: string])[] {
  return globSync('src/**/*.ts', { cwd: root }).flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8')
    const made = [
      ...text.matchAll(/\b(?:highFinding|missing)\(\s*'([a-z-]+)'/g),
      ...text.matchAll(/\bcheck: '([a-z-]+)'/g),
    ]
    return made.map(([, id = '']) => [id, file] as const)
  })
}

describe('the catalogue of checks', () => {
  it('has every check that the sources name, and finds them', () => {
    const found = idsInSources()
    expect(found.filter(([id]) => checkEntry(id) === null)).to.deep.equal([])
    expect(found.map(([id]) => id)).to.include.members(['grant-object', 'pin-stale', 'beyond-ceiling', 'role-unknown'])
  })

  it('has every check that a policy can ask for', () => {
    const ids = [...podSecurityChecks.map(({ id }) => id), ...capabilityIds, ...tokenCheckIds]
    expect(ids.filter((id) => checkEntry(id) === null)).to.deep.equal([])
  })

  it('has every id and every code once', () => {
    expect(new Set(checkEntries.map(({ id }) => id)).size).to.equal(checkEntries.length)
    expect(new Set(checkEntries.map(({ code }) => code)).size).to.equal(checkEntries.length)
  })

  it('knows nothing of an id that is not there, or that every object has', () => {
    expect(checkEntry('nothing')).to.equal(null)
    expect(checkEntry('constructor')).to.equal(null)
  })

  for (const entry of checkEntries) {
    it(`says of ${entry.id} what it looks at and what to do, each in one line`, () => {
      expect(entry.id).to.match(/^[a-z]+(-[a-z]+)*$/)
      expect(entry.code).to.match(/^[A-Z]\d\d$/)
      expect(entry.title).to.match(/^[A-Z].*[^.]$/)
      expect(entry.what).to.match(/^[^\n]+\.$/)
      expect(entry.remedy).to.match(/^[A-Z][^\n]+[^.]$/)
    })
  }

  it('says of what a grant may waive that it may, and of nothing else', () => {
    const waivable = checkEntries.filter((entry) => entry.waivable).map(({ id }) => id)
    expect(waivable.sort()).to.deep.equal([...waivableChecks].sort())
  })

  it('lets nothing be waived that guards', () => {
    const guards = checkEntries.filter(({ area }) => ['Object', 'Pin', 'Standing', 'Condition'].includes(area))
    expect(guards.filter(({ waivable }) => waivable)).to.deep.equal([])
    expect(guards.map(({ id }) => id)).to.include.members(['pin-stale', 'standing-access', 'condition'])
  })
})
