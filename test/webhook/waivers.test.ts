import { expect } from 'chai'
import { reviewGrant } from '../../src/webhook/review-grant.ts'
import { reviewWorkloads } from '../../src/webhook/review-workload.ts'
import type { WorldIndex } from '../../src/world/world-index.ts'
import { deployment, grant, hostPath, payments, pod, policy } from './objects.ts'
import { gist, judge, now, refusalOf, requestOf, worldOf, type RawObject } from './requests.ts'

const minute = 60_000
const breach = { automountServiceAccountToken: false, volumes: hostPath }
const lead = { groups: ['payments-leads', 'system:authenticated'] }

const waiving = (spec: Readonly<Record<string, unknown>> = {}): RawObject =>
  policy({
    permissions: [],
    grants: {
      maxDuration: '1h',
      requesters: [{ kind: 'Group', name: 'payments-leads' }],
      waivable: ['host-path', 'host-namespaces'],
    },
    workloads: { podSecurity: { level: 'baseline' } },
    ...spec,
  })

/** A world of that policy, in which a grant waives host-path for the next ten minutes. */
function waived(governing: RawObject = waiving()): WorldIndex {
  const world = worldOf(...payments, governing)
  const request = grant({ permissions: undefined, waive: ['host-path'] }, { uid: 'grant-1', name: 'debug' })
  const status = {
    state: 'Active',
    policy: { digest: world.policy('payments-deploy')!.digest },
    subject: { uid: 'uid of payments/api' },
    notAfter: new Date(now + 10 * minute).toISOString(),
    waive: ['host-path'],
  }
  world.put('NHIGrant', { ...request, status })
  return world
}

const review = (object: RawObject, world = waived()) => judge(reviewWorkloads, requestOf(object), world)
const found = 'spec.template.spec.volumes[1]: hostPath is not allowed at level baseline'
const until = 'waived by NHIGrant payments/debug until 2026-06-01T12:10:00.000Z'

describe('a waiver at admission', () => {
  it('admits with a warning that names the grant and its end, and goes to the audit log', () => {
    const answer = review(deployment(breach))
    expect(answer).to.deep.include({
      allowed: true,
      warnings: [`[host-path] ${found}; ${until} (policy payments-deploy@1.4.0)`],
      auditAnnotations: {
        policies: 'payments-deploy@1.4.0',
        waivers: `Deny [host-path] ${found}; ${until}`,
      },
    })
  })

  it('admits the Pods that a controller makes', () => {
    expect(gist(review(pod(breach, { name: undefined, generateName: 'api-7d9-' })))).to.equal('allowed')
  })

  it('is told to nobody but the audit log in mode Audit', () => {
    const quiet = waived(waiving({ workloads: { enforcement: 'Audit', podSecurity: { level: 'baseline' } } }))
    const { warnings, auditAnnotations } = review(deployment(breach), quiet)
    expect(warnings).to.deep.equal([])
    expect(auditAnnotations).to.have.keys('policies', 'waivers')
  })

  it('is no reason among those of a refusal, which says what else can be waived', () => {
    const answer = review(deployment({ ...breach, hostPID: true }))
    expect(refusalOf(answer))
      .to.contain('[host-namespaces] spec.template.spec.hostPID')
      .and.contain(
        '\nto ask for an exception: lapse request -n payments --as-subject sa/api --policy payments-deploy --waive host-namespaces --reason TEXT',
      )
      .and.not.contain('host-path')
    expect(answer.auditAnnotations['findings']).to.match(/^Deny \[host-namespaces\] [^;]*$/)
    expect(answer.auditAnnotations['waivers']).to.equal(`Deny [host-path] ${found}; ${until}`)
  })

  it('is asked for by a grant that asks for nothing else', () => {
    const world = worldOf(...payments, waiving())
    const ask = (spec: Readonly<Record<string, unknown>>) =>
      judge(reviewGrant, requestOf(grant({ permissions: undefined, ...spec }), lead), world)
    expect(gist(ask({ waive: ['host-path'] }))).to.equal('allowed')
    expect(refusalOf(ask({ waive: ['exec'] }))).to.contain(
      `[waiver-not-allowed] spec.waive[0]: policy payments-deploy@1.4.0 does not let grants waive exec
                       → it lets these be waived: host-path, host-namespaces`,
    )
    expect(gist(ask({}))).to.equal('422 denied by lapse: NHIGrant payments/rollout-2041 is not valid')
  })
})
