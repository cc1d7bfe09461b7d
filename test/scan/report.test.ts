import { expect } from 'chai'
import type { KubeObject } from '../../src/cluster/ports.ts'
import type { PolicyFinding } from '../../src/core/workload/review.ts'
import { reportOf, type NamespaceResults, type StoredFinding } from '../../src/scan/report.ts'

const now = Date.UTC(2027, 0, 15, 12)
const hour = 3_600_000

function found(name: string, changed: Partial<PolicyFinding> = {}): StoredFinding {
  const finding: PolicyFinding = {
    check: 'host-path',
    severity: 'High',
    path: 'spec.volumes[0]',
    message: 'hostPath is not allowed',
    remedy: 'Use an emptyDir',
    enforcement: 'Deny',
    policy: { name: 'payments-deploy', version: '1.4.0', owner: { name: 'platform', contact: null } },
    ...changed,
  }
  const metadata = { namespace: 'payments', name, uid: `uid of ${name}`, resourceVersion: '1' }
  return { object: { apiVersion: 'v1', kind: 'Pod', metadata }, finding, message: finding.message }
}

function report(findings: readonly StoredFinding[], previous: KubeObject | null = null, at = now): KubeObject {
  const results: NamespaceResults = { passed: 3, ungoverned: 2, findings }
  return reportOf('payments', results, previous, at) as KubeObject
}

interface Result {
  readonly rule: string
  readonly resources: readonly { readonly name: string }[]
  readonly timestamp: { readonly seconds: number }
}

const resultsOf = (object: KubeObject): readonly Result[] => object['results'] as readonly Result[]

describe('a report', () => {
  it('says what is wrong with which object, by which version, and what to do', () => {
    expect(report([found('api')])).to.deep.equal({
      apiVersion: 'openreports.io/v1alpha1',
      kind: 'Report',
      metadata: { namespace: 'payments', name: 'lapse', labels: { 'app.kubernetes.io/managed-by': 'lapse' } },
      source: 'lapse',
      scope: { apiVersion: 'v1', kind: 'Namespace', name: 'payments' },
      configuration: { limits: { maxResults: 500, statusFilter: ['fail', 'warn', 'error'] } },
      summary: { pass: 3, skip: 2, fail: 1, warn: 0, error: 0 },
      results: [
        {
          policy: 'payments-deploy',
          rule: 'host-path',
          result: 'fail',
          severity: 'high',
          scored: true,
          message: 'hostPath is not allowed',
          resources: [{ apiVersion: 'v1', kind: 'Pod', namespace: 'payments', name: 'api', uid: 'uid of api' }],
          properties: {
            version: 'payments-deploy@1.4.0',
            enforcement: 'Deny',
            path: 'spec.volumes[0]',
            remedy: 'Use an emptyDir',
          },
          timestamp: { seconds: now / 1_000, nanos: 0 },
        },
      ],
    })
  })

  it('only warns of what its policy would not refuse', () => {
    const { summary, results } = report([found('api', { enforcement: 'Audit' })])
    expect(summary).to.deep.include({ fail: 0, warn: 1 })
    expect((results as readonly object[])[0]).to.include({ result: 'warn', scored: false })
  })

  it('names what cannot be read as an error', () => {
    const unreadable = { ...found('api'), finding: null, message: 'cannot be read: spec.containers' }
    const { summary, results } = report([unreadable])
    expect(summary).to.deep.include({ error: 1 })
    expect((results as readonly object[])[0]).to.include({
      rule: 'invalid',
      result: 'error',
      message: unreadable.message,
    })
  })

  it('is itself when nothing has changed, in whatever order things are found', () => {
    const first = report([found('api'), found('db')])
    expect(report([found('db'), found('api')], first, now + hour)).to.equal(first)
  })

  it('keeps the time at which something was found first', () => {
    const first = report([found('api')])
    const second = report([found('api'), found('db')], first, now + hour)
    const times = resultsOf(second).map(({ resources: [object], timestamp }) => [object?.name, timestamp.seconds])
    expect(times).to.deep.equal([
      ['api', now / 1_000],
      ['db', (now + hour) / 1_000],
    ])
    expect(second.metadata).to.equal(first.metadata)
  })

  it('shows the gravest of many, and counts them all', () => {
    const many = Array.from({ length: 600 }, (_, n) => found(`p${n}`, { severity: 'Low' }))
    const whole = report([...many, found('worst', { severity: 'Critical' }), found('w', { enforcement: 'Warn' })])
    expect(resultsOf(whole)).to.have.length(500)
    expect(resultsOf(whole)[0]?.resources[0]?.name).to.equal('worst')
    expect(whole['summary']).to.deep.include({ fail: 601, warn: 1 })
  })

  it('cuts a long message, and stays below what the API server stores', () => {
    const long = { ...found('x'), message: '漢'.repeat(5_000) }
    const whole = report(Array.from({ length: 500 }, () => long))
    expect(Buffer.byteLength(JSON.stringify(whole))).to.be.below(1.5 * 2 ** 20)
    expect((whole['results'] as readonly { readonly message: string }[])[0]?.message).to.have.length(512)
  })
})
