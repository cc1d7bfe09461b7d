import { expect } from 'chai'

import type { AdminApi, KubeObject } from '../support/admin-api.ts'
import type { CommandResult } from '../support/command.ts'
import type { ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { guardedCluster, rejection } from '../support/guarded-cluster.ts'
import { getOrNull, paths } from '../support/scene.ts'

interface Condition {
  readonly name: string
  readonly expression: string
  readonly message?: string
}

const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString()
const nested = (depth: number): string =>
  Array.from({ length: depth }, (_, level) => `pod.spec.containers[0].args.all(v${level}, `).join('') +
  'true' +
  ')'.repeat(depth)

describe('conditions', () => {
  let controlPlane: ControlPlane
  let admin: AdminApi
  let namespace: string
  let policy: string

  before(async function () {
    this.timeout(180_000)
    ;({ controlPlane, admin } = await guardedCluster())
  })
  beforeEach(async () => {
    namespace = await controlPlane.namespace()
    policy = `policy-of-${namespace}`
    await admin.create(paths.serviceAccounts(namespace), { metadata: { name: 'api' } })
  })

  const policyOf = (workloads: readonly Condition[], grants: readonly Condition[] = []): KubeObject => {
    const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': namespace } }
    return {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'AccessPolicy',
      metadata: { name: policy },
      spec: {
        version: '1.0.0',
        owner: { name: 'payments-platform' },
        change: { request: 'CHG-20841', reason: 'a test', approvedBy: ['ana'], expiresAt: inDays(90) },
        subjects: [{ kind: 'ServiceAccount', namespaceSelector, names: ['api'] }],
        scope: { namespaceSelector },
        permissions: [
          { name: 'rollout', rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'patch'] }] },
        ],
        grants: { maxDuration: '1h', requesters: [{ kind: 'Group', name: 'system:masters' }], conditions: grants },
        workloads: { conditions: workloads },
      },
    }
  }
  const deployment = (image: string, args: readonly string[] = []): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name: 'api' },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'api' } },
      template: {
        metadata: { labels: { app: 'api' } },
        spec: { serviceAccountName: 'api', containers: [{ name: 'app', image, args }] },
      },
    },
  })
  const grant = (ticket: string): KubeObject => ({
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'NHIGrant',
    metadata: { namespace, name: 'rollout' },
    spec: {
      policy: { name: policy },
      subject: { kind: 'ServiceAccount', namespace, name: 'api' },
      permissions: ['rollout'],
      duration: '10m',
      reason: 'a test',
      ticket,
    },
  })
  const apply = (object: KubeObject): Promise<CommandResult> =>
    controlPlane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) })

  /** Resolves when the webhook goes by the policy, which a workload that breaks one of its conditions shows. */
  async function inForce(object: KubeObject, breaking: KubeObject): Promise<CommandResult> {
    const applied = await apply(object)
    expect(applied.stderr).to.equal('')
    await eventually(
      `${policy}@1.0.0 is recorded`,
      async () => (await getOrNull(admin, `${paths.revisions}/${policy}-1.0.0`)) ?? undefined,
    )
    return eventually('the webhook refuses', async () => {
      const refused = await controlPlane.kubectl(['apply', '--dry-run=server', '-f', '-'], {
        input: JSON.stringify(breaking),
      })
      return refused.stderr.includes('denied by lapse') ? refused : undefined
    })
  }

  it('that do not compile are refused by the API server, with line and column', async () => {
    const { code, stderr } = await apply(
      policyOf(
        [{ name: 'typo', expression: 'true &&\n  object.metadata.name == nmae' }],
        [
          { name: 'text', expression: 'grant.spec.reason' },
          { name: 'number', expression: '1 + 1' },
        ],
      ),
    )
    expect(code).to.equal(1)
    expect(stderr)
      .to.contain('spec.workloads.conditions[0].expression: line 2, column 27: there is no variable nmae')
      .and.contain('spec.grants.conditions[1].expression: line 1, column 1: must be true or false, and is int')
  })

  it('refuse the workload that breaks one, and let the one pass that does not', async () => {
    const registry = {
      name: 'own-registry',
      expression: "pod.spec.containers.all(c, c.image.startsWith('registry.example/'))",
      message: 'images come from registry.example only',
    }
    const refused = await inForce(policyOf([registry]), deployment('docker.io/app:1'))
    expect(refused.stderr)
      .to.contain(`denied by lapse: Deployment ${namespace}/api asks for more than policy ${policy}@1.0.0 allows`)
      .and.contain('[condition] images come from registry.example only')
      .and.contain('owner: payments-platform')
    expect((await apply(deployment('registry.example/app:1'))).stderr).to.equal('')
  })

  it('that would take for ever are answered in under a second, with a no', async () => {
    const args = [`${'a'.repeat(20_000)}!`, ...Array.from({ length: 100 }, (_, index) => `x${index}`)]
    const conditions = [
      { name: 'loops', expression: nested(8) },
      { name: 'loops-all-the-same', expression: `${nested(8)} || true` },
      { name: 'redos', expression: "pod.spec.containers[0].args.exists(a, a.matches('^(a+)+$'))" },
    ]
    const object = deployment('registry.example/app:1', args)
    await inForce(policyOf(conditions), object)
    // whoever else needs the processor meanwhile adds to the time, and takes none away: the first that is fast enough is the proof
    const refused = await eventually('it is answered in under a second', async () => {
      const started = performance.now()
      const { message } = await rejection(admin.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, object))
      const took = performance.now() - started
      if (took >= 1_000) throw new Error(`the last answer took ${took} ms`)
      return message
    })
    expect(refused)
      .to.contain('condition loops could not be judged: costs more than its budget')
      .and.contain('condition loops-all-the-same could not be judged: costs more than its budget')
      .and.contain('condition redos')
  })

  it('refuse the grant that breaks one, and issue the one that does not', async () => {
    const condition = {
      name: 'ticket',
      expression: "grant.spec.ticket.matches('^CHG-[0-9]+$') && 'system:masters' in request.userInfo.groups",
      message: 'a change ticket is needed',
    }
    const never = { name: 'never', expression: 'false' }
    await inForce(policyOf([never], [condition]), deployment('registry.example/app:1'))
    const { appliedAt } = (await admin.get(`${paths.revisions}/${policy}-1.0.0`))['spec']
    // Creation times have whole seconds: one of the second in which the version was applied does not show that it came after.
    await eventually('a later second', async () => Date.now() - Date.parse(appliedAt) >= 1_000 || undefined)
    const refused = await apply(grant('none'))
    expect(refused.stderr).to.contain('[condition] a change ticket is needed')
    expect((await apply(grant('CHG-20855'))).stderr).to.equal('')
    await eventually('the grant is Active', async () => {
      const { status } = await admin.get(`${paths.grants(namespace)}/rollout`)
      if (status?.state !== 'Active') throw new Error(JSON.stringify(status))
      return true
    })
  })
})
