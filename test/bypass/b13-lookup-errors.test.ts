import { expect } from 'chai'

import { silentLog } from '../../src/runtime/log.ts'
import { Judge } from '../../src/webhook/judge.ts'
import { SaidOfGrants } from '../../src/webhook/said-of-grants.ts'
import { webhooks } from '../../src/webhook/webhooks.ts'
import type { WorldIndex } from '../../src/world/world-index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { GuardedNamespace, podOf } from '../support/guarded-cluster.ts'
import { deployment, grant, payments, pod, policy } from '../webhook/objects.ts'
import { operatorUser, reviewOf, worldOf, type RawObject } from '../webhook/requests.ts'

describe('B13 a lookup that fails', () => {
  const elsewhere = 'elsewhere the error was swallowed and the request allowed (CVE-2025-46342)'

  const lookups = ['namespaceLabels', 'serviceAccount', 'policies', 'policy', 'rbac', 'liveGrants'] as const
  const asked: readonly (readonly [path: string, object: RawObject, lookups: readonly string[]])[] = [
    ['/v1/admit/workloads', pod(), ['namespaceLabels', 'serviceAccount', 'policies', 'rbac']],
    ['/v1/admit/workloads', deployment(), ['namespaceLabels', 'serviceAccount', 'policies', 'rbac']],
    ['/v1/admit/lapse', grant({ requestedBy: 'lea' }), ['namespaceLabels', 'serviceAccount', 'policy', 'liveGrants']],
  ]

  for (const [path, object, needed] of asked)
    for (const lookup of lookups.filter((name) => needed.includes(name)))
      it(`of ${lookup} refuses a ${object.kind}: ${elsewhere}`, async () => {
        const world = worldOf(...payments, policy())
        const review = JSON.stringify(reviewOf(object, { user: 'lea', groups: ['payments-leads'] }))
        expect((await answer(world, path, review)).response.allowed, 'it passes when nothing fails').to.equal(true)
        const broken = await answer(failing(world, lookup), path, review)
        expect(broken.response).to.deep.include({ allowed: false })
        expect(broken.response.status.code).to.equal(500)
        expect(broken.response.status.message).to.contain('nothing is allowed that was not judged')
      })

  it(`of an account that is not there refuses the Pod: ${elsewhere}`, async () => {
    const guarded = await GuardedNamespace.make()
    const error = await guarded.create('pods', podOf({ serviceAccountName: 'nobody' })).then(
      () => expect.fail('it succeeded'),
      (refusal: Error) => refusal,
    )
    expect(error.message).to.match(/service-account-missing|error looking up service account/)
  })
})

interface Review {
  readonly response: { readonly allowed: boolean; readonly status: { readonly code: number; readonly message: string } }
}

async function answer(world: WorldIndex, path: string, body: string): Promise<Review> {
  const judge = new Judge({
    operatorUser,
    clock: new FakeClock(),
    log: silentLog,
    metrics: { review: () => {} },
    world: { world, said: new SaidOfGrants(), isReady: () => true, age: null, nextChange: () => Promise.resolve() },
  })
  return JSON.parse((await judge.answer(webhooks.get(path)!, body)).body) as Review
}

/** The world, of which one part throws when it is asked. */
function failing(world: WorldIndex, lookup: string): WorldIndex {
  return new Proxy(world, {
    get(target, field) {
      if (field === lookup) throw new Error('the lister failed')
      const found = Reflect.get(target, field, target) as unknown
      return typeof found === 'function' ? (found as () => unknown).bind(target) : found
    },
  })
}
