import { expect } from 'chai'

import { silentLog } from '../../src/runtime/log.ts'
import { Judge } from '../../src/webhook/judge.ts'
import { WatchedWorld } from '../../src/webhook/watched-world.ts'
import { webhooks } from '../../src/webhook/webhooks.ts'
import { worldKinds } from '../../src/world/world-index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { guardedCluster } from '../support/guarded-cluster.ts'
import { grant, pod } from '../webhook/objects.ts'
import { operatorUser, reviewOf, type RawObject } from '../webhook/requests.ts'

/** One that holds nothing. */
const cacheOf = (hasSynced: boolean, age: number | null = null) => ({
  get: () => null,
  list: () => [],
  hasSynced,
  subscribe: () => {},
  age,
})

describe('B14 caches that are not there, or not up to date', () => {
  const elsewhere = 'elsewhere a decision was taken on what was cached so far (CVE-2021-43979)'

  const samples = [
    ['/v1/admit/workloads', pod()],
    ['/v1/admit/lapse', grant()],
    ['/v1/admit/access', { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'x' } }],
  ] as const satisfies readonly (readonly [path: string, object: RawObject])[]

  for (const missing of [...worldKinds, 'NHIGrantApproval'])
    it(`refuse everything while ${missing} has not been listed: ${elsewhere}`, async () => {
      const clock = new FakeClock()
      const world = new WatchedWorld(clock)
      for (const kind of worldKinds) world.follow(kind, cacheOf(kind !== missing))
      world.followApprovals(cacheOf(missing !== 'NHIGrantApproval'))
      const judge = new Judge({ operatorUser, clock, log: silentLog, metrics: { review: () => {} }, world })
      for (const [path, object] of samples) {
        const { body } = await judge.answer(webhooks.get(path)!, JSON.stringify(reviewOf(object)))
        const { response } = JSON.parse(body) as { response: { allowed: boolean; status: { code: number } } }
        expect(response.allowed, path).to.equal(false)
        expect(response.status.code).to.equal(503)
      }
    })

  it('are told to whoever writes and to the audit log: elsewhere nothing in the answer said that it was old', async () => {
    const clock = new FakeClock()
    const world = new WatchedWorld(clock)
    for (const kind of worldKinds) world.follow(kind, cacheOf(true, kind === 'RoleBinding' ? 600_000 : 1_000))
    world.followApprovals(cacheOf(true, 1_000))
    const judge = new Judge({ operatorUser, clock, log: silentLog, metrics: { review: () => {} }, world })
    const [, , [path, role]] = samples
    const { body } = await judge.answer(webhooks.get(path)!, JSON.stringify(reviewOf(role)))
    expect(body).to.contain('"allowed":true').and.to.contain('lapse judges by what it knew 10m ago')
  })

  it('are told by their age, one for each: elsewhere a watch that was lost was not seen by anybody (Pepr)', async () => {
    const { lapse } = await guardedCluster()
    const url = `http://127.0.0.1:${lapse.webhook.localPort('http')}/metrics`
    const text = await (await fetch(url)).text()
    const ages = [...text.matchAll(/^lapse_cache_age_seconds\{resource="([^"]+)"\} (\S+)$/gm)]
    expect(ages.length).to.be.at.least(worldKinds.length + 1)
    for (const [, resource, age] of ages) expect(Number(age), resource).to.be.within(0, 300)
  })
})
