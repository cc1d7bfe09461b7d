// Writes everything that follows from src/api: crds/, the chart's copy of it, and docs/spec/.
// With --check it writes nothing and fails when a file on disk differs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generatedFiles } from './generated-files.ts'

const root = join(import.meta.dirname, '..')
const check = process.argv.includes('--check')
const stale: string[] = []

for (const [path, text] of generatedFiles()) {
  const file = join(root, path)
  if (check) {
    if (read(file) !== text) stale.push(path)
  } else {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
}

if (stale.length > 0) {
  console.error(`not up to date: ${stale.join(', ')}\nrun: npm run generate`)
  process.exitCode = 1
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
