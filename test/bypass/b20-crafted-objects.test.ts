import { expect } from 'chai'
import * as fc from 'fast-check'

import { silentLog } from '../../src/runtime/log.ts'
import { Judge } from '../../src/webhook/judge.ts'
import { SaidOfGrants } from '../../src/webhook/said-of-grants.ts'
import { webhooks } from '../../src/webhook/webhooks.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { deploymentOf, GuardedNamespace, breach } from '../support/guarded-cluster.ts'
import { deployment, hostPath, payments, policy } from '../webhook/objects.ts'
import { operatorUser, reviewOf, worldOf } from '../webhook/requests.ts'

const review = () => {
  throw new TypeError('undefined is not iterable')
}

describe('B20 objects that are crafted to make a check fail', () => {
  const elsewhere =
    'elsewhere a crafted object made the engine panic, and what was not answered was let through (CVE-2026-41485)'

  const judge = new Judge({
    operatorUser,
    clock: new FakeClock(),
    log: silentLog,
    metrics: { review: () => {} },
    world: {
      world: worldOf(...payments, policy()),
      said: new SaidOfGrants(),
      isReady: () => true,
      age: null,
      nextChange: () => Promise.resolve(),
    },
  })

  it(`get a no when a review throws: ${elsewhere}`, async () => {
    const { body } = await judge.answer({ name: 'workloads', review }, JSON.stringify(reviewOf(deployment())))
    const { response } = JSON.parse(body) as { response: { allowed: boolean; status: { message: string } } }
    expect(response.allowed).to.equal(false)
    expect(response.status.message).not.to.contain('iterable')
  })

  it(`are refused whatever else stands beside the breach: ${elsewhere}`, async () => {
    const junk = fc.dictionary(
      fc.constantFrom('a', '__proto__', 'constructor', 'toString', 'hasOwnProperty', '', '$ref', 'volumes.0'),
      fc.jsonValue({ maxDepth: 3 }),
    )
    const property = fc.asyncProperty(junk, junk, async (inPod, inVolume) => {
      const volumes = [{ ...inVolume, name: 'x', emptyDir: {} }, ...hostPath]
      const object = deployment({ ...inPod, volumes, automountServiceAccountToken: false })
      const { body } = await judge.answer(webhooks.get('/v1/admit/workloads')!, JSON.stringify(reviewOf(object)))
      expect((JSON.parse(body) as { response: { allowed: boolean } }).response.allowed).to.equal(false)
    })
    await fc.assert(property, { seed: 202_020, numRuns: 500 })
  })

  it(`are refused when the API server hands them on: ${elsewhere}`, async () => {
    const guarded = await GuardedNamespace.make()
    const keys = ['constructor', 'toString', 'hasOwnProperty', 'valueOf']
    const annotations = Object.fromEntries(keys.map((key) => [key, '💥\u2028']))
    const object = deploymentOf(breach)
    const template = { ...object['spec'].template, metadata: { labels: { app: 'api' }, annotations } }
    const write = guarded.create('apps/v1/deployments', { ...object, spec: { ...object['spec'], template } })
    expect(await guarded.refused(write)).to.contain('[host-path]')
  })
})
