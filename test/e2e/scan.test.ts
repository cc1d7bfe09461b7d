import { expect } from 'chai'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadAll as parseAllYaml } from 'js-yaml'
import { KubeClient } from '../../src/cluster/client.ts'
import { loadConnection } from '../../src/cluster/connection.ts'
import { Transport } from '../../src/cluster/transport.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import type { Scanned } from '../../src/runtime/scan-metrics.ts'
import { Scan } from '../../src/scan/scan.ts'
import type { KubeObject } from '../support/admin-api.ts'
import { isWrite } from '../support/audit-log.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { guardPolicyOf } from '../support/guarded-cluster.ts'
import { installChart } from '../support/installation.ts'
import { startPod } from '../support/pod.ts'
import { getOrNull, paths, Scene } from '../support/scene.ts'

const admission = '/apis/admissionregistration.k8s.io/v1'
const account = 'system:serviceaccount:lapse-system:lapse-scan'
const restricted = { workloads: { podSecurity: { level: 'restricted' } } }

const deployment = (name: string, spec: object): object => ({
  metadata: { name },
  spec: {
    replicas: 1,
    strategy: { type: 'Recreate' }, // no kubelet makes a pod ready, for which a rolling update would wait
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [container], ...spec } },
  },
})
const container = {
  name: 'app',
  image: 'registry.example.com/app:1',
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
}
const secure = { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } }

interface Result {
  readonly rule: string
  readonly result: string
  readonly resources: readonly { readonly kind: string; readonly name: string }[]
}

/** `fail host-path Deployment bad` */
function resultsIn(found: KubeObject | null): readonly string[] {
  const results = (found?.['results'] ?? []) as readonly Result[]
  return results.map(({ rule, result, resources: [object] }) => `${result} ${rule} ${object?.kind} ${object?.name}`)
}

describe('a scan', () => {
  // Without a webhook: what is here came before there was one.
  let controlPlane: ControlPlane
  let transport: Transport
  before(async function () {
    this.timeout(180_000)
    controlPlane = await startControlPlane()
    await installChart(controlPlane)
    await controlPlane.admin.delete(`${admission}/validatingwebhookconfigurations/lapse`)
    await controlPlane.admin.delete(`${admission}/mutatingwebhookconfigurations/lapse`)
    await eventually('the API server asks no webhook about policies and workloads', async () => {
      await controlPlane.admin.create(`${paths.policies}?dryRun=All`, guardPolicyOf())
      const deployments = '/apis/apps/v1/namespaces/default/deployments?dryRun=All'
      return controlPlane.admin.create(deployments, deployment('any', secure))
    })
    const kubeconfig = await controlPlane.kubeconfigForServiceAccount('lapse-system', 'lapse-scan')
    const connection = await loadConnection({ kubeconfig, clock: systemClock })
    transport = new Transport({ connection, clock: systemClock, random: Math.random })
  })
  after(async () => {
    await transport?.close()
    await controlPlane?.stop()
  })

  async function scan(): Promise<Scanned> {
    const outcomes: Scanned[] = []
    const scanned = (outcome: Scanned): void => void outcomes.push(outcome)
    await new Scan({ client: new KubeClient(transport), clock: systemClock, log: silentLog, scanned }).run()
    return outcomes[0]!
  }

  function create(scene: Scene, object: object): Promise<KubeObject> {
    return controlPlane.admin.create(`/apis/apps/v1/namespaces/${scene.namespace}/deployments`, object)
  }

  function report(scene: Scene): Promise<KubeObject | null> {
    const path = `/apis/openreports.io/v1alpha1/namespaces/${scene.namespace}/reports/lapse`
    return getOrNull(controlPlane.admin, path)
  }

  function podsOf(scene: Scene, count: number): Promise<true> {
    const path = `/api/v1/namespaces/${scene.namespace}/pods`
    return eventually(`there are ${count} pods`, async () =>
      (await controlPlane.admin.list(path)).length === count ? true : undefined,
    )
  }

  it('counts what it finds when the cluster knows no reports', async () => {
    const scene = await Scene.set(controlPlane, restricted)
    await create(scene, deployment('bad', { ...secure, hostPID: true }))
    await podsOf(scene, 1)
    const { findings } = await scan()
    expect(findings.filter(({ policy }) => policy === scene.policy)).to.deep.equal([
      { policy: scene.policy, check: 'host-namespaces', enforcement: 'Deny', count: 1 },
    ])
  })

  describe('in a cluster that knows reports', () => {
    before(async () => {
      const text = await readFile(join(import.meta.dirname, '../support/openreports-crd.yaml'), 'utf8')
      for (const definition of parseAllYaml(text) as readonly object[])
        await controlPlane.admin.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition)
      for (const plural of ['reports', 'clusterreports'])
        await eventually(`${plural} are served`, () =>
          controlPlane.admin.list(`/apis/openreports.io/v1alpha1/${plural}`),
        )
    })

    it('reports a breach once, where it comes from, and what is well', async () => {
      const scene = await Scene.set(controlPlane, restricted)
      await create(scene, deployment('bad', { ...secure, hostPID: true }))
      await create(scene, deployment('good', secure))
      await podsOf(scene, 2)
      await scan()
      const found = await report(scene)
      expect(resultsIn(found)).to.deep.equal(['fail host-namespaces Deployment bad'])
      // the good Deployment and both ReplicaSets and Pods, which have nothing wrong that their owners have not
      expect(found?.['summary']).to.deep.equal({ pass: 5, fail: 1, warn: 0, error: 0, skip: 0 })
    })

    it('writes nothing when nothing has changed', async () => {
      const scene = await Scene.set(controlPlane, restricted)
      await create(scene, deployment('bad', { ...secure, hostNetwork: true }))
      await podsOf(scene, 1)
      await scan()
      const first = await report(scene)
      const seen = await controlPlane.auditEvents(() => true)
      await scan()
      expect((await report(scene))?.metadata?.['resourceVersion']).to.equal(first?.metadata?.['resourceVersion'])
      const writes = await controlPlane.auditEvents((event) => isWrite(event) && event.user.username === account)
      const known = new Set(seen.map(({ auditID }) => auditID))
      expect(writes.filter(({ auditID }) => !known.has(auditID))).to.deep.equal([])
    })

    it('takes back what was mended, and the report when there is nothing left to judge', async () => {
      const scene = await Scene.set(controlPlane, restricted)
      const { metadata } = await create(scene, { ...deployment('bad', { ...secure, hostIPC: true }) })
      await scan()
      expect(resultsIn(await report(scene))).to.deep.equal(['fail host-namespaces Deployment bad'])
      const path = `/apis/apps/v1/namespaces/${scene.namespace}/deployments/${metadata!['name']}`
      await controlPlane.admin.patch(path, { spec: { template: { spec: { hostIPC: null } } } })
      await eventually(
        'the pods of the old template are gone',
        async () => {
          await scan()
          return resultsIn(await report(scene)).length === 0 || undefined
        },
        30_000,
      )
      await controlPlane.admin.delete(path)
      await podsOf(scene, 0)
      await eventually('the report is gone', async () => {
        await scan()
        return (await report(scene)) === null || undefined
      })
    })

    it('reports access that is held for good beyond what the policy lists', async () => {
      const scene = await Scene.set(controlPlane, { workloads: { standing: [] } })
      const rbac = '/apis/rbac.authorization.k8s.io/v1'
      const subjects = [{ kind: 'ServiceAccount', namespace: scene.namespace, name: 'default' }]
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' }
      const metadata = { name: `legacy-${scene.namespace}` }
      await controlPlane.admin.create(`${rbac}/namespaces/${scene.namespace}/rolebindings`, {
        metadata,
        roleRef,
        subjects,
      })
      await controlPlane.admin.create(`${rbac}/clusterrolebindings`, { metadata, roleRef, subjects })
      await scan()
      expect(resultsIn(await report(scene))).to.deep.equal([`fail standing-access RoleBinding ${metadata.name}`])
      const whole = await getOrNull(controlPlane.admin, '/apis/openreports.io/v1alpha1/clusterreports/lapse')
      expect(resultsIn(whole)).to.deep.equal([`fail standing-access ClusterRoleBinding ${metadata.name}`])
      await controlPlane.admin.delete(`${rbac}/clusterrolebindings/${metadata.name}`)
    })

    it('leaves a report alone that is not its own', async () => {
      const scene = await Scene.set(controlPlane, restricted)
      const path = `/apis/openreports.io/v1alpha1/namespaces/${scene.namespace}/reports`
      const foreign = {
        apiVersion: 'openreports.io/v1alpha1',
        kind: 'Report',
        metadata: { name: 'lapse' },
        source: 'other',
      }
      await controlPlane.admin.create(path, foreign)
      await create(scene, deployment('bad', { ...secure, hostPID: true }))
      await scan()
      expect((await report(scene))?.['source']).to.equal('other')
    })

    it('runs as the chart says, and again when a policy changes', async () => {
      const scene = await Scene.set(controlPlane, { workloads: { podSecurity: { level: 'baseline' } } })
      await create(scene, deployment('app', { securityContext: {} }))
      await podsOf(scene, 1)
      const http = await freePort()
      const pod = await startPod({
        controlPlane,
        namespace: 'lapse-system',
        deployment: 'lapse-scan',
        extraEnv: { LAPSE_HTTP_ADDRESS: `127.0.0.1:${http}` },
        localPorts: { 8080: http },
      })
      try {
        await pod.ready()
        await eventually('the first scan has ended', async () => (await report(scene)) ?? undefined)
        expect(resultsIn(await report(scene))).to.deep.equal([])
        await scene.applyPolicy({ version: '1.0.1', ...restricted })
        await eventually(
          'the policy that changed has been judged by',
          async () => resultsIn(await report(scene)).includes('fail run-as-non-root Deployment app') || undefined,
          30_000,
        )
        // a scan is counted when all its reports are written
        const counted = await eventually('the scan is counted', async () => {
          const metrics = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text()
          const findings = metrics.split('\n').filter((line) => line.includes(`policy="${scene.policy}"`))
          return findings.find((line) => line.includes('check="run-as-non-root"'))
        })
        expect(counted).to.equal(
          `lapse_scan_findings{policy="${scene.policy}",check="run-as-non-root",enforcement="Deny"} 1`,
        )
      } finally {
        expect(await pod.stop(), pod.logs()).to.deep.equal({ code: 0, signal: null })
      }
    }).timeout(150_000)
  })
})
