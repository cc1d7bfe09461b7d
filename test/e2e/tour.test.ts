import { expect } from 'chai'
import { join } from 'node:path'

import { run } from '../support/command.ts'
import { processesNaming } from '../support/process-table.ts'

const root = join(import.meta.dirname, '../..')

describe('the tour', () => {
  it('goes as told to its last step, and leaves nothing running', async function () {
    this.timeout(120_000)
    const before = new Set(processesNaming('kube-apiserver'))
    const { code, stdout, stderr } = await run(process.execPath, ['scripts/demo.ts'], { cwd: root })
    expect(stderr).to.equal('')
    expect(code).to.equal(0)
    for (const told of [
      'before: may it patch Deployments? no',
      'after: may it patch Deployments? no',
      '[host-path]',
      '[secrets-read]',
      '[pin-stale]',
      '[duration-too-long]',
      'with nothing of Lapse running',
    ])
      expect(stdout).to.include(told)
    expect(processesNaming('kube-apiserver').filter((pid) => !before.has(pid))).to.deep.equal([])
  })
})
