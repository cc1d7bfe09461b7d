import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect } from 'chai'

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/threat-model.md'), 'utf8')
const rows = page.split('\n').filter((line) => line.startsWith('| '))

describe('docs/threat-model.md', () => {
  const threats = rows.filter((row) => /^\| \d+ \|/.test(row))

  it('answers each of the 18 threats of SIG Security', () => {
    const numbers = threats.map((row) => Number(/^\| (\d+)/.exec(row)?.[1]))
    expect(numbers).to.deep.equal(Array.from({ length: 18 }, (_, index) => index + 1))
  })

  for (const row of threats) {
    const [, number, threat] = /^\| (\d+) \| ([^|]+) \|/.exec(row) ?? []
    it(`shows by tests that are there what it says of threat ${number}: ${threat}`, () => {
      const tests = [...(row.split('|').at(-2) ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => `test/${name}.test.ts`)
      expect(tests).not.to.be.empty
      expect(tests.filter((path) => !existsSync(join(root, path)))).to.deep.equal([])
    })
  }

  it('names every way round the gate, each with its file of tests', () => {
    const files = globSync('test/bypass/b*.test.ts', { cwd: root }).map((path) => basename(path).slice(0, 3))
    const named = rows.flatMap((row) => /^\| (b\d\d) \|/.exec(row)?.[1] ?? [])
    expect(named).to.deep.equal(Array.from({ length: 31 }, (_, index) => `b${String(index + 1).padStart(2, '0')}`))
    expect(files.sort()).to.deep.equal(named)
  })
})
