import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { serviceAccountGroups, serviceAccountUsername } from '../../src/core/identity.ts'
import type { ApiError, KubeObject } from '../support/admin-api.ts'
import { isWrite, type AuditEvent } from '../support/audit-log.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { installLapse, type Installation } from '../support/installation.ts'
import { startPod, type Pod } from '../support/pod.ts'
import { conditionOf, getOrNull, paths, Scene } from '../support/scene.ts'

const namespace = 'lapse-system'
const account = serviceAccountUsername(namespace, 'lapse-reaper')
const rbac = '/apis/rbac.authorization.k8s.io/v1'
const clusterRoleBindings = `${rbac}/clusterrolebindings`
const admission = '/apis/admissionregistration.k8s.io/v1'
const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const managed = { 'lapse.dev/managed-by': 'lapse', 'lapse.dev/grant-uid': 'g-1' }
const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' }
type Labels = Readonly<Record<string, string>>

/** The default of `--grace`. */
const grace = 2_000

const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString()

const ending = (at: string): Labels => ({ 'lapse.dev/not-after': at })

async function metric(pod: Pod, name: string): Promise<string | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${pod.localPort('http')}/metrics`)).text()
  return text.split('\n').find((line) => line.startsWith(name))
}

/** The only one that carries the grant. */
function bindingOf(grant: KubeObject): string {
  return grant['status'].objects[0].name as string
}

describe('the reaper', function () {
  this.timeout(180_000)

  // Its own: nothing of Lapse but the reaper is left alive in it, and its API server is killed.
  let controlPlane: ControlPlane
  let lapse: Installation
  let reaper: Pod
  const pods: Pod[] = []
  before(async () => {
    controlPlane = await startControlPlane()
    lapse = await installLapse(controlPlane)
    reaper = await startReaper()
  })
  after(async () => {
    await Promise.all(pods.map((pod) => pod.kill()))
    await controlPlane?.stop()
  })

  async function startReaper(): Promise<Pod> {
    const http = await freePort()
    const extraEnv = { LAPSE_HTTP_ADDRESS: `127.0.0.1:${http}` }
    const pod = await startPod({
      controlPlane,
      namespace,
      deployment: 'lapse-reaper',
      extraEnv,
      localPorts: { 8080: http },
    })
    pods.push(pod)
    await pod.ready()
    return pod
  }

  function bind(collection: string, name: string, annotations: Labels, labels: Labels = managed): Promise<KubeObject> {
    return controlPlane.admin.create(collection, { metadata: { name, labels, annotations }, roleRef })
  }

  const isThere = async (path: string): Promise<boolean> => (await getOrNull(controlPlane.admin, path)) !== null
  const isGone = (path: string): Promise<true> =>
    eventually(`${path} is gone`, async () => ((await isThere(path)) ? undefined : true))
  /** All of them, when there is one: what it has done is seen before it is in the log. */
  const removed = (name: string): Promise<readonly AuditEvent[]> =>
    eventually(`the removal of ${name} is in the log`, async () => {
      const found = await removals(name)
      return found.length > 0 ? found : undefined
    })
  const removals = (name: string): Promise<readonly AuditEvent[]> =>
    controlPlane.auditEvents(
      (event) => isWrite(event) && event.user.username === account && event.objectRef?.name === name,
    )

  /** Also when there is nothing of it any more. */
  async function removeTheRest(): Promise<void> {
    await Promise.all([lapse.controller.kill(), lapse.webhook.kill()])
    const { admin } = controlPlane
    const found = (await admin.list(crds)).map(({ metadata }) => `${crds}/${metadata!.name}`)
    const ours = ['validating', 'mutating'].map((kind) => `${admission}/${kind}webhookconfigurations/lapse`)
    for (const path of [...ours, ...found.filter((each) => each.endsWith('.lapse.dev'))])
      if (await isThere(path)) await admin.delete(path)
    await isGone(`${crds}/nhigrants.lapse.dev`)
  }

  async function granted(duration: string): Promise<{ readonly scene: Scene; readonly active: KubeObject }> {
    const change = { request: 'CHG-1', reason: 'a test', approvedBy: ['ana'], expiresAt: inSeconds(86_400) }
    const requesters = [{ kind: 'User', name: 'admin' }]
    const scene = await Scene.set(controlPlane, { change, grants: { maxDuration: '1h', requesters } })
    await scene.policyIs('True')
    await scene.ask('short', { duration, requestedBy: undefined })
    const active = await scene.reaches('short', 'Active')
    await scene.whenAllowed()
    return { scene, active }
  }

  it('leaves the proof to the controller, which comes first unless it stands still', async () => {
    const { scene: first, active: inTime } = await granted('3s')
    await first.ends('short', 'Expired')
    const { scene, active } = await granted('3s')
    lapse.controller.pause()
    try {
      expect(await scene.allows(), 'that it has the access when the controller stands still').to.equal(true)
      await eventually('the access has ended', async () => ((await scene.allows()) ? undefined : true))
    } finally {
      lapse.controller.resume()
    }
    const { status } = await scene.ends('short', 'Expired')
    expect(conditionOf({ status }, 'RevocationVerified')).to.include({ status: 'True', reason: 'AccessDenied' })
    expect(await removed(bindingOf(active))).to.have.length(1)
    expect(await removals(bindingOf(inTime))).to.have.length(0)
  })

  it('ends access in time when controller, webhook, garbage collector, CRDs and grants are gone', async () => {
    const { scene, active } = await granted('10s')
    controlPlane.part('kube-controller-manager').pause()
    await removeTheRest()
    expect(await scene.allows(), 'that it has the access when all is gone').to.equal(true)
    const notAfter = Date.parse(active['status'].notAfter as string)
    let lastYes = Date.now()
    const firstNo = await eventually(
      'the access has ended',
      async () => {
        const asked = Date.now()
        const isAllowed = await scene.allows()
        if (isAllowed) lastYes = asked
        return isAllowed ? undefined : Date.now()
      },
      30_000,
    )
    expect(firstNo - notAfter, 'ms beyond the end at the first no').to.be.at.least(grace)
    // before it would be tried a second time, in five seconds
    expect(lastYes - notAfter, 'ms beyond the end at the last yes').to.be.at.most(grace + 3_000)
    expect(await scene.roleBindings()).to.deep.equal([])
    expect(await removed(bindingOf(active))).to.have.length(1)
    const first = 'lapse_reaped_total{kind="RoleBinding",end="Written"} 1'
    const counted = await eventually('both removals are counted', async () => {
      const line = await metric(reaper, 'lapse_reaped_total')
      return line === first ? undefined : line
    })
    expect(counted).to.equal('lapse_reaped_total{kind="RoleBinding",end="Written"} 2')
  })

  describe('alone', () => {
    let tenant: string
    let bindings: string
    before(async () => {
      controlPlane.part('kube-controller-manager').resume()
      await removeTheRest()
    })
    beforeEach(async () => {
      tenant = await controlPlane.namespace()
      bindings = paths.roleBindings(tenant)
    })

    /** How long the API server has had the last change of a binding of the tenant when it is asked to remove it, in ms. */
    async function sinceLastChange(name: string): Promise<number> {
      const [removal] = await removed(name)
      const [change] = await controlPlane.auditEvents(
        ({ verb, objectRef }) => verb === 'patch' && objectRef?.namespace === tenant && objectRef.name === name,
      )
      return Date.parse(removal!.requestReceivedTimestamp) - Date.parse(change!.requestReceivedTimestamp)
    }

    it('removes what carries a grant, and nothing else', async () => {
      const over = ending('2020-01-01T00:00:00Z')
      const foreign: readonly (readonly [name: string, labels: Labels])[] = [
        ['unmarked', {}],
        ['no-grant', { 'lapse.dev/managed-by': 'lapse' }],
        ['no-manager', { 'lapse.dev/grant-uid': 'g-1' }],
        ['other-manager', { ...managed, 'lapse.dev/managed-by': 'other' }],
      ]
      for (const [name, labels] of foreign) {
        await bind(bindings, name, over, labels)
        await bind(clusterRoleBindings, `${tenant}-${name}`, over, labels)
      }
      await controlPlane.admin.create(paths.roles(tenant), {
        metadata: { name: 'role', labels: managed, annotations: over },
      })
      await bind(bindings, 'later', ending(inSeconds(3_600)))
      await bind(bindings, 'over', over)
      await bind(clusterRoleBindings, `${tenant}-over`, over)
      await isGone(`${bindings}/over`)
      await isGone(`${clusterRoleBindings}/${tenant}-over`)
      for (const [name] of foreign) {
        expect(await isThere(`${bindings}/${name}`), name).to.equal(true)
        expect(await isThere(`${clusterRoleBindings}/${tenant}-${name}`), name).to.equal(true)
      }
      expect(await isThere(`${paths.roles(tenant)}/role`)).to.equal(true)
      expect(await isThere(`${bindings}/later`)).to.equal(true)
      await removed('over')
      const writes = await controlPlane.auditEvents((event) => isWrite(event) && event.user.username === account)
      expect(new Set(writes.map(({ verb }) => verb))).to.deep.equal(new Set(['delete']))
      expect(
        writes.flatMap(({ objectRef }) => (objectRef?.namespace === tenant ? [objectRef.name] : [])),
      ).to.deep.equal(['over'])
    })

    it('holds to the earlier end of a binding that is tampered with, and gives none to what has lost its own', async () => {
      await bind(bindings, 'stripped', ending(inSeconds(3_600)))
      await bind(bindings, 'spoilt', ending(inSeconds(3_600)))
      const change = (name: string, end: string | null): Promise<KubeObject> =>
        controlPlane.admin.patch(`${bindings}/${name}`, { metadata: { annotations: { 'lapse.dev/not-after': end } } })
      await bind(bindings, 'prolonged', ending(inSeconds(1)))
      await change('prolonged', inSeconds(3_600))
      await change('stripped', null)
      await change('spoilt', 'never')
      for (const name of ['stripped', 'spoilt']) {
        await isGone(`${bindings}/${name}`)
        expect(await sinceLastChange(name), `ms from the change of ${name} to its removal`).to.be.below(grace)
      }
      await isGone(`${bindings}/prolonged`)
      const told = 'an end was moved later, and holds as it was'
      await eventually(`the reaper says: ${told}`, async () => reaper.logs().includes(told) || undefined)
    })

    it('stands beside another one: each binding is removed once', async () => {
      const second = await startReaper()
      const names = Array.from({ length: 10 }, (_, index) => `shared-${index}`)
      for (const name of names) await bind(bindings, name, ending(inSeconds(-2)))
      for (const name of names) await isGone(`${bindings}/${name}`)
      for (const name of names) {
        const codes = await eventually(`the removal of ${name} is in the log`, async () => {
          const found = (await removals(name)).map(({ responseStatus }) => responseStatus?.code)
          return found.includes(200) ? found : undefined
        })
        expect(codes.filter((code) => code === 200)).to.have.length(1)
        expect(codes.filter((code) => code !== 200 && code !== 404)).to.deep.equal([])
      }
      expect(await second.stop(), second.logs()).to.deep.equal({ code: 0, signal: null })
    })

    it('cannot be made to spare what somebody may not bind: kube-apiserver refuses him the annotation', async () => {
      const binding = await bind(bindings, 'carrying', ending(inSeconds(3_600)))
      const rule = { apiGroups: ['rbac.authorization.k8s.io'], resources: ['rolebindings'], verbs: ['get', 'patch'] }
      await controlPlane.admin.create(paths.roles(tenant), { metadata: { name: 'editor' }, rules: [rule] })
      await controlPlane.admin.create(bindings, {
        metadata: { name: 'editor' },
        roleRef: { ...roleRef, kind: 'Role', name: 'editor' },
        subjects: [{ apiGroup: roleRef.apiGroup, kind: 'User', name: 'eve' }],
      })
      const eve = controlPlane.admin.as({ user: 'eve' })
      await eventually('eve may patch', () => eve.get(`${bindings}/carrying`).catch(() => undefined))
      const metadata = { annotations: { 'lapse.dev/not-after': inSeconds(86_400) } }
      const refusal = await eve.patch(`${bindings}/carrying`, { metadata }).then(
        () => 'done',
        (error: ApiError) => error.message,
      )
      expect(refusal).to.include('attempting to grant RBAC permissions not currently held')
      expect((await controlPlane.admin.get(`${bindings}/carrying`)).metadata).to.deep.equal(binding.metadata)
    })

    it('may do nothing else', async () => {
      const self = controlPlane.admin.as({ user: account, groups: serviceAccountGroups(namespace) })
      await bind(bindings, 'any', {}, {})
      const denied: Readonly<Record<string, () => Promise<unknown>>> = {
        'get a binding': () => self.get(`${bindings}/any`),
        'create a binding': () => self.create(bindings, { metadata: { name: 'own' }, roleRef }),
        'change a binding': () => self.patch(`${bindings}/any`, { metadata: { labels: managed } }),
        'delete many bindings at once': () => self.delete(bindings),
        'list roles': () => self.get(paths.roles(tenant)),
        'delete a role': () => self.delete(`${paths.clusterRoles}/view`),
        'list Secrets': () => self.get(`/api/v1/namespaces/${namespace}/secrets`),
        'list grants': () => self.get('/apis/lapse.dev/v1alpha1/nhigrants'),
        'ask about the access of others': () =>
          self.create('/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec: { user: 'eve' } }),
      }
      for (const [what, act] of Object.entries(denied)) {
        const status = await act().then(
          () => 0,
          (error: ApiError) => error.status,
        )
        expect(status, what).to.equal(403)
      }
    })

    it('is not needed to end everything: the commands of docs/runbooks/operator-gone.md', async () => {
      await bind(bindings, 'first', ending('2099-01-01T00:00:00Z'))
      await bind(bindings, 'foreign', {}, {})
      const text = await readFile(join(import.meta.dirname, '../../docs/runbooks/operator-gone.md'), 'utf8')
      const [list, remove] = [/^kubectl (get rolebindings,.*)$/m, /^kubectl (delete rolebindings,.*)$/m].map(
        (command) => command.exec(text.replaceAll('\\\n', ''))![1]!.replaceAll("'", '').split(/ +/),
      )
      const listed = await controlPlane.kubectl(list!)
      expect(listed.stdout, listed.stderr).to.match(new RegExp(`${tenant} +first +2099-01-01T00:00:00Z`))
      const removal = await controlPlane.kubectl(remove!)
      expect(removal.code, removal.stderr).to.equal(0)
      expect(await isThere(`${bindings}/first`)).to.equal(false)
      expect(await isThere(`${bindings}/foreign`)).to.equal(true)
    })

    it('ends access after the API server was gone over the end', async () => {
      await bind(bindings, 'meanwhile', ending(inSeconds(3)))
      await bind(bindings, 'after-it', {})
      // the watch tells of both in their order
      await isGone(`${bindings}/after-it`)
      await controlPlane.part('kube-apiserver').kill()
      await eventually('it is overdue', async () =>
        (await metric(reaper, 'lapse_reaper_overdue')) === 'lapse_reaper_overdue 1' ? true : undefined,
      )
      await controlPlane.part('kube-apiserver').restart()
      await isGone(`${bindings}/meanwhile`)
      expect(await reaper.stop(), reaper.logs()).to.deep.equal({ code: 0, signal: null })
    })
  })
})
