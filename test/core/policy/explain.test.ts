import { expect } from 'chai'
import { highFinding, type Finding } from '../../../src/core/finding.ts'
import { beyondPolicies, explain, whyRefused } from '../../../src/core/policy/explain.ts'

const owner = { name: 'payments-platform', contact: 'oncall@example.com' }
const hostPath: Finding = {
  check: 'host-path',
  severity: 'High',
  path: 'spec.template.spec.volumes[1]',
  message: 'hostPath is not allowed at level restricted',
  remedy: 'use a PersistentVolumeClaim',
}
const secrets: Finding = {
  check: 'secrets-read',
  severity: 'Critical',
  path: '',
  message: 'ServiceAccount payments/api can list secrets in payments',
  remedy: '',
}

/** The lines after the first. */
function linesOf(count: number): readonly string[] {
  const findings = Array.from({ length: count }, (_, index) => ({ ...secrets, message: `finding ${index + 1}` }))
  return explain({ what: 'Pod a/b', why: 'is refused', findings, owners: [owner], next: ['ask'] })
    .split('\n')
    .slice(1)
}

describe('a refusal', () => {
  it('reads as check, place, reason, remedy, owner and what to do next', () => {
    const text = explain({
      what: 'Deployment payments/api',
      why: beyondPolicies([{ name: 'payments-deploy', version: '1.4.0' }]),
      findings: [hostPath, secrets],
      owners: [owner, { ...owner }],
      next: ['to ask for time-bound access: lapse request -n payments'],
    })
    expect(text.split('\n')).to.deep.equal([
      'denied by lapse: Deployment payments/api asks for more than policy payments-deploy@1.4.0 allows',
      '  [host-path]    spec.template.spec.volumes[1]: hostPath is not allowed at level restricted',
      '                 → use a PersistentVolumeClaim',
      '  [secrets-read] ServiceAccount payments/api can list secrets in payments',
      'owner: payments-platform <oncall@example.com>',
      'to ask for time-bound access: lapse request -n payments',
    ])
  })

  it('names every owner once, and one without contact by name only', () => {
    const owners = [owner, { name: 'search', contact: null }, owner]
    const text = explain({ what: 'Pod a/b', why: 'is refused', findings: [], owners, next: [] })
    expect(text).to.equal(
      'denied by lapse: Pod a/b is refused\nowner: payments-platform <oncall@example.com>\nowner: search',
    )
  })

  describe('of very many findings', () => {
    const last = ['owner: payments-platform <oncall@example.com>', 'ask']

    it('lists 100 in full', () => {
      expect(linesOf(100).slice(99)).to.deep.equal(['  [secrets-read] finding 100', ...last])
    })

    it('lists the first 100 of more and says how many more there are', () => {
      expect(linesOf(101).slice(99)).to.deep.equal(['  [secrets-read] finding 100', '  … and 1 more', ...last])
    })

    it('reads the same for more than a call takes arguments', () => {
      const lines = linesOf(200_000)
      expect(lines).to.have.length(103)
      expect(lines[100]).to.equal('  … and 199900 more')
    })
  })

  it('names several policies once each', () => {
    const policy = { name: 'a', version: '1.0.0' }
    expect(beyondPolicies([policy, { name: 'b', version: '2.0.0' }, policy])).to.equal(
      'asks for more than policies a@1.0.0 and b@2.0.0 allow',
    )
  })

  it('says of a wrong pin that it does not follow, and of anything more that it asks for more', () => {
    const policies = [
      { name: 'a', version: '1.0.0' },
      { name: 'b', version: '2.0.0' },
      { name: 'a', version: '1.0.0' },
    ]
    const pin: Finding = { ...hostPath, check: 'pin-stale' }
    expect(whyRefused([pin], policies)).to.equal('does not follow policy a@1.0.0 and policy b@2.0.0')
    expect(whyRefused([pin, hostPath], policies)).to.equal('asks for more than policies a@1.0.0 and b@2.0.0 allow')
  })
})

describe('whyRefused', () => {
  const policies = [{ name: 'a', version: '1.0.0' }]
  it('says that a workload with only a wrong pin does not follow the policy', () => {
    expect(whyRefused([highFinding('pin-stale', '', '', '')], policies)).to.equal('does not follow policy a@1.0.0')
  })

  it('says that one which asks for more does, whatever its pin', () => {
    expect(whyRefused([highFinding('pin-stale', '', '', ''), highFinding('host-path', '', '', '')], policies)).to.equal(
      'asks for more than policy a@1.0.0 allows',
    )
  })
})
