import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { condition } from './condition-of.ts'

const root = join(import.meta.dirname, '../../..')

/** What is loaded with a file, itself included: imports of types are not, and imports that are calls wait for the call. */
function loadedWith(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  const text = readFileSync(join(root, file), 'utf8')
  for (const [, target = ''] of text.matchAll(/^(?:import|export)\s(?!type\b)[^;']*?from '([^']+)'/gm))
    if (target.startsWith('.')) loadedWith(join(file, '..', target), seen)
    else seen.add(target)
  return seen
}

describe('the engine', () => {
  it('is not loaded by a check of files without conditions', () => {
    const loaded = [...loadedWith('src/cli/check.ts')]
    expect(loaded).to.include('src/core/cel/engine.ts')
    expect(loaded.filter((name) => name.startsWith('@bufbuild') || name === 're2js')).to.deep.equal([])
  })

  it('is loaded by whoever judges or compiles conditions', () => {
    for (const command of ['webhook', 'controller', 'scan', 'check-live', 'check-input'])
      expect(readFileSync(join(root, `src/cli/${command}.ts`), 'utf8'), command).to.contain(
        'await loadConditionEngine()',
      )
  })

  it('answers alike however often it is asked', () => {
    const twice = condition('object.a.all(x, x > 0)')
    const ask = () => twice.evaluate({ object: { a: [1, 2] } })
    expect(ask()).to.deep.equal(ask())
  })
})
