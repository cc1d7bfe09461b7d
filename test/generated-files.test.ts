import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { generatedFiles } from '../scripts/generated-files.ts'

const root = join(import.meta.dirname, '..')

describe('what is generated from src/api', () => {
  for (const [path, text] of generatedFiles()) {
    it(`is up to date in ${path}; if not: npm run generate`, () => {
      expect(readFileSync(join(root, path), 'utf8')).to.equal(text)
    })
  }

  it('shares its folders with nothing that was generated once and is not any more', () => {
    const paths = [...generatedFiles().keys()]
    const folders = new Set(paths.map((path) => dirname(path)))
    const found = [...folders].flatMap((folder) => readdirSync(join(root, folder)).map((file) => `${folder}/${file}`))
    expect(found.sort()).to.deep.equal(paths.sort())
  })
})
