import { expect } from 'chai'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { run } from '../support/command.ts'
import { processesNaming } from '../support/process-table.ts'

const root = join(import.meta.dirname, '../..')

const told = [
  'before: may it patch Deployments? no',
  'after: may it patch Deployments? no',
  '[host-path]',
  '[secrets-read]',
  '[pin-stale]',
  '[duration-too-long]',
  'with nothing of Lapse running',
]

describe('the tour', () => {
  it('goes as told to its last step, and leaves nothing behind', async function () {
    this.timeout(300_000)
    // Every process of the tour names its own temporary directory.
    const TMPDIR = await mkdtemp(join(tmpdir(), 'lapse-tour-'))
    try {
      const { code, stdout, stderr } = await run(process.execPath, ['scripts/demo.ts'], { cwd: root, env: { TMPDIR } })
      expect({ code, stderr }, stdout).to.deep.equal({ code: 0, stderr: '' })
      for (const words of told) expect(stdout).to.include(words)
      expect(processesNaming(TMPDIR)).to.deep.equal([])
      expect(await readdir(TMPDIR)).to.deep.equal([])
    } finally {
      await rm(TMPDIR, { recursive: true })
    }
  })
})
