import { readFile, glob } from 'node:fs/promises'

import { expect } from 'chai'

/** The failures that other tools have shown, F1 to F21, and what must never happen, invariants 1 to 12. */
const numbers = [
  ...Array.from({ length: 21 }, (_, index) => `F${index + 1}`),
  ...Array.from({ length: 12 }, (_, index) => `invariant ${index + 1}`),
]

/** A title of a test begins with the number of what it shows, as a string of its own. */
const title = /(?<=['"`])(?:F\d+|invariant \d+)(?=:? )/g

async function numbersInTitles(): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for await (const path of glob('test/**/*.test.ts'))
    for (const [number] of (await readFile(path, 'utf8')).matchAll(title)) found.add(number)
  return found
}

describe('what must never happen', () => {
  let found: ReadonlySet<string>
  before(async () => {
    found = await numbersInTitles()
  })

  for (const number of numbers)
    it(`${number} has a test whose title begins with it`, () => {
      expect([...found]).to.include(number)
    })
})
