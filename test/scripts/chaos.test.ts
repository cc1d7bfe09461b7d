import { readFileSync } from 'node:fs'

import { expect } from 'chai'

import type { ChaosOutcome } from '../../scripts/chaos/run.ts'
import { expiryBound, revocationBound, Troubles } from '../../scripts/chaos/troubles.ts'
import { problemsIn } from '../../scripts/chaos/verdict.ts'

const page = readFileSync(new URL('../../docs/lifecycle.md', import.meta.url), 'utf8')

const fine: ChaosOutcome = {
  asked: 9,
  refused: 1,
  policyVersions: 2,
  kills: { controller: 1, webhook: 1, 'kube-apiserver': 1, etcd: 1 },
  crashes: [],
  leftovers: [],
  answers: 90,
  allowed: 9,
  effective: 9,
  overstay: { expiry: 0, revocation: 0 },
  problems: [],
}

describe('chaos', () => {
  it('holds access to the bounds that the docs state', () => {
    expect(page).to.contain(`**within ${expiryBound / 1_000} s of its \`notAfter\`**`)
    expect(page).to.contain(`**within ${revocationBound / 1_000} s of any other end**`)
  })

  it('counts them from when somebody could act', async () => {
    const troubles = new Troubles()
    const now = Date.now()
    expect(troubles.deadlineOfExpiry(now)).to.equal(now + expiryBound)
    expect(troubles.deadlineOfRevocation(now)).to.equal(now + revocationBound)
    await troubles.withoutApiServer(async () => {
      expect(troubles.deadlineOfExpiry(now)).to.equal(Infinity)
    })
    const back = troubles.deadlineOfExpiry(0)
    expect(back).to.be.within(now + expiryBound, Date.now() + expiryBound)
    troubles.controllerKilled()
    expect(troubles.deadlineOfExpiry(0), 'the reaper lives').to.equal(back)
    expect(troubles.deadlineOfRevocation(0)).to.be.at.least(now + revocationBound)
  })

  const failures: Readonly<Record<string, Partial<ChaosOutcome>>> = {
    'access beyond its bound': { problems: ['late'] },
    'a process that ended by itself': { crashes: ['webhook ended (1)'] },
    'what is left over': { leftovers: ['grant g, Active'] },
    'a run in which somebody was spared': { kills: { ...fine.kills, etcd: 0 } },
    'a run that saw nothing': { effective: 0, allowed: 0 },
  }
  for (const [what, changed] of Object.entries(failures))
    it(`fails for ${what}, and for nothing else`, () => {
      expect(problemsIn({ ...fine, ...changed })).to.have.length(1)
      expect(problemsIn(fine)).to.deep.equal([])
    })
})
