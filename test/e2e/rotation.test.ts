import { expect } from 'chai'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { type Connection, loadConnection } from '../../src/cluster/connection.ts'
import { Forbidden, Unauthorized, Unreachable } from '../../src/cluster/errors.ts'
import { Reflector } from '../../src/cluster/reflector.ts'
import type { ResourceType } from '../../src/cluster/resources.ts'
import { Transport } from '../../src/cluster/transport.ts'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { AdminApi } from '../support/admin-api.ts'
import type { AuditEvent } from '../support/audit-log.ts'
import { output } from '../support/command.ts'
import { controlPlaneBinary } from '../support/control-plane-binary.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { installLapse } from '../support/installation.ts'
import { Scene } from '../support/scene.ts'

const configMaps: ResourceType = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true }
const account = 'rotating'

/** For a connection that reads its files again only when it is told to. */
const stoppedClock: Clock = { ...systemClock, monotonic: () => 0 }

interface Call {
  /** Of the ConfigMap that it creates; null: it reads one. */
  readonly creates: string | null
  readonly failure: Error | null
}

/** A process that works: it reads and creates ConfigMaps in turn, a call every 50 ms, and mirrors them by a watch. */
class Traffic {
  /** In the order of their ends. */
  readonly calls: Call[] = []
  /** How often each name was told as new. */
  readonly told = new Map<string, number>()
  readonly userAgent: string
  readonly transport: Transport
  readonly #reflector: Reflector
  readonly #path: string
  readonly #running = new Set<Promise<void>>()
  #begun = 0
  #timer: NodeJS.Timeout | null = null

  constructor(connection: Connection, namespace: string) {
    this.userAgent = `traffic-of-${namespace}`
    this.#path = `/api/v1/namespaces/${namespace}/configmaps`
    const options = { clock: systemClock, random: Math.random }
    this.transport = new Transport({ ...options, connection, userAgent: this.userAgent })
    this.#reflector = new Reflector({
      ...options,
      type: configMaps,
      namespace,
      transport: this.transport,
      log: silentLog,
    })
    this.#reflector.subscribe(({ key: { name }, before }) => {
      if (before === null) this.told.set(name, (this.told.get(name) ?? 0) + 1)
    })
  }

  async start(): Promise<void> {
    this.#reflector.start()
    await this.#reflector.whenSynced()
    this.#timer = setInterval(() => {
      const call = this.#call().finally(() => this.#running.delete(call))
      this.#running.add(call)
    }, 50)
  }

  get failures(): readonly Error[] {
    return this.calls.map(({ failure }) => failure).filter((failure) => failure !== null)
  }

  /** Resolves when `count` calls more have ended, with those. */
  async next(count: number): Promise<readonly Call[]> {
    const from = this.calls.length
    await eventually(
      `${count} calls more`,
      () => Promise.resolve(this.calls.length >= from + count || undefined),
      30_000,
    )
    return this.calls.slice(from)
  }

  /** Ends the calls and waits until the watch has told of all that exists. */
  async settle(admin: AdminApi): Promise<void> {
    clearInterval(this.#timer ?? undefined)
    await Promise.all(this.#running)
    const existing = (await admin.list(this.#path)).map(({ metadata }) => metadata!.name!)
    await eventually('the watch has told of everything', () => {
      const missing = existing.filter((name) => !this.told.has(name))
      return missing.length === 0 ? Promise.resolve(true) : Promise.reject(new Error(`not of ${missing.join()}`))
    })
    const created = this.calls.filter(({ failure }) => failure === null).flatMap(({ creates }) => creates ?? [])
    expect(existing, 'what was created').to.include.members(created)
    expect(
      [...this.told.values()].filter((times) => times !== 1),
      'names told twice',
    ).to.deep.equal([])
    expect([...this.told.keys()], 'what was told').to.have.members(existing)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer ?? undefined)
    await this.#reflector.stop()
    await this.transport.close()
    await Promise.all(this.#running)
  }

  async #call(): Promise<void> {
    this.#begun += 1
    const creates = this.#begun % 2 === 0 ? null : `cm-${this.#begun}`
    const call =
      creates === null
        ? this.transport.call('GET', `${this.#path}/kube-root-ca.crt`)
        : this.transport.call('POST', this.#path, { metadata: { name: creates } })
    const failure = await call.then(
      () => null,
      (error: unknown) => error as Error,
    )
    this.calls.push({ creates, failure })
  }
}

async function whoAmI(transport: Transport): Promise<string> {
  const review = await transport.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {})
  return (review as { readonly status: { readonly userInfo: { readonly username: string } } }).status.userInfo.username
}

function isRefusedController({ userAgent, responseStatus }: AuditEvent): boolean {
  return userAgent?.startsWith('lapse-controller') === true && responseStatus?.code === 401
}

/** Resolves when it has read that CA: sooner than in ten seconds, by renewals. */
function trusts(connection: Connection, ca: string): Promise<true> {
  return eventually('the CA was read', async () => {
    connection.renew()
    return String((await connection.credentials()).tls.ca) === ca || undefined
  })
}

/** An API server that has just been started forbids what it has not learnt the rules of yet. */
function isOfRestart(failure: Error): boolean {
  return failure instanceof Unreachable || failure instanceof Forbidden
}

function isUntrusted({ failure }: Call): boolean {
  return failure instanceof Unreachable && failure.message.includes('certificate')
}

describe('credentials that change while a process runs', function () {
  this.timeout(120_000)
  // Its own: certificates of the API server are replaced.
  let controlPlane: ControlPlane
  let admin: AdminApi
  let namespace: string
  let directory: string
  let traffic: Traffic | null

  before(async () => {
    controlPlane = await startControlPlane()
    admin = controlPlane.admin
  })
  after(() => controlPlane?.stop())

  beforeEach(async () => {
    traffic = null
    directory = await mkdtemp(join(tmpdir(), 'lapse-rotation-'))
    namespace = await controlPlane.namespace()
    await admin.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: account } })
    await admin.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
      metadata: { name: account },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
    })
  })
  afterEach(async () => {
    await traffic?.stop()
    await rm(directory, { recursive: true })
  })

  /** In one step, as a kubelet does. */
  async function replace(name: string, content: string): Promise<string> {
    const path = join(directory, name)
    await writeFile(`${path}.new`, content)
    await rename(`${path}.new`, path)
    return path
  }

  /** Everything beside the kubeconfig in files: `ca.crt`, and what the user names. */
  async function connect(user: object, clock: Clock = systemClock): Promise<Connection> {
    await replace('ca.crt', Buffer.from(controlPlane.caData, 'base64').toString())
    return loadConnection({ kubeconfig: await replace('config', kubeconfigOf(controlPlane.url, user)), clock })
  }

  async function begin(connection: Connection): Promise<Traffic> {
    traffic = new Traffic(connection, namespace)
    await traffic.start()
    await traffic.next(10)
    return traffic
  }

  interface BoundToken {
    readonly token: string
    /** Resolves when the API server refuses it. */
    revoke(): Promise<void>
  }

  async function issueToken(): Promise<BoundToken> {
    const secrets = `/api/v1/namespaces/${namespace}/secrets`
    const { metadata } = await admin.create(secrets, { metadata: { generateName: 'token-' } })
    const boundObjectRef = { apiVersion: 'v1', kind: 'Secret', name: metadata!.name, uid: metadata!.uid }
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`
    const answer = await admin.create(path, { spec: { expirationSeconds: 3600, boundObjectRef } })
    const token = answer['status'].token as string
    return {
      token,
      async revoke() {
        await admin.delete(`${secrets}/${metadata!.name}`)
        await eventually('the API server refuses the token', () => refuses(token), 20_000)
      },
    }
  }

  async function refuses(token: string): Promise<true | undefined> {
    const review = await admin.create('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token } })
    return review['status'].authenticated === true ? undefined : true
  }

  const runs = async (): Promise<number> => (await readFile(join(directory, 'runs'), 'utf8')).length

  /** Prints the token of the file `token`, good for `lifetime` ms. */
  async function plugin(lifetime: number): Promise<object> {
    const script = `
      import { appendFileSync, readFileSync } from 'node:fs'
      const file = (name) => import.meta.dirname + '/' + name
      appendFileSync(file('runs'), '.')
      const token = readFileSync(file('token'), 'utf8')
      const expirationTimestamp = new Date(Date.now() + ${lifetime}).toISOString()
      const apiVersion = 'client.authentication.k8s.io/v1'
      console.log(JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { token, expirationTimestamp } }))`
    const args = [await replace('plugin.mjs', script)]
    return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args } }
  }

  /** Lets the API server serve with that certificate and key. */
  async function serve([certificate, key]: readonly [string, string]): Promise<void> {
    await writeFile(join(controlPlane.directory, 'kube-apiserver.crt'), certificate)
    await writeFile(join(controlPlane.directory, 'kube-apiserver.key'), key)
    await controlPlane.part('kube-apiserver').restart()
  }

  const refusals = ({ userAgent }: Traffic): Promise<readonly AuditEvent[]> =>
    controlPlane.auditEvents((event) => event.userAgent === userAgent && event.responseStatus?.code === 401)

  const anyEvent = async (filter: (event: AuditEvent) => boolean): Promise<true | undefined> =>
    (await controlPlane.auditEvents(filter)).length > 0 || undefined

  describe('a token in a file', () => {
    it('is read again when the API server refuses the old one: no call fails', async () => {
      const [first, second] = [await issueToken(), await issueToken()]
      await replace('token', first.token)
      const running = await begin(await connect({ tokenFile: 'token' }, stoppedClock))
      await replace('token', second.token)
      await first.revoke()
      await running.next(20)
      await running.settle(admin)
      expect(running.failures).to.deep.equal([])
      expect((await refusals(running)).length, 'refused').to.be.within(1, 20)
    })

    it('is read again in time when both hold for a while: no call is even refused', async () => {
      const [first, second] = [await issueToken(), await issueToken()]
      await replace('token', first.token)
      const connection = await connect({ tokenFile: 'token' })
      const running = await begin(connection)
      await replace('token', second.token)
      await eventually(
        'the new token is in use',
        async () => (await connection.credentials()).headers['Authorization'] === `Bearer ${second.token}` || undefined,
        15_000,
      )
      await first.revoke()
      await running.next(20)
      await running.settle(admin)
      expect(running.failures).to.deep.equal([])
      expect(await refusals(running)).to.deep.equal([])
    })

    it('that comes late makes calls fail as Unauthorized until it is there, and no longer', async () => {
      const [first, second] = [await issueToken(), await issueToken()]
      await replace('token', first.token)
      const running = await begin(await connect({ tokenFile: 'token' }))
      await first.revoke()
      const refused = await running.next(20)
      expect(refused.filter(({ failure }) => failure === null)).to.deep.equal([])
      await replace('token', second.token)
      await eventually('a call succeeds', async () => (await running.next(1))[0]?.failure === null || undefined)
      const after = await running.next(40)
      expect(after.filter(({ failure }) => failure !== null)).to.deep.equal([])
      await running.settle(admin)
      expect(running.failures.filter((failure) => !(failure instanceof Unauthorized))).to.deep.equal([])
    })
  })

  describe('an exec plugin', () => {
    it('runs again when its credential is over, and not for each call', async () => {
      await replace('token', (await issueToken()).token)
      const running = await begin(await connect(await plugin(2_000)))
      const started = performance.now()
      const before = await runs()
      await eventually('it has run three times more', async () => (await runs()) >= before + 3 || undefined, 30_000)
      const most = (performance.now() - started) / 2_000 + 1
      expect(await runs()).to.be.within(before + 3, before + most)
      await running.next(5)
      await running.settle(admin)
      expect(running.failures).to.deep.equal([])
    })

    it('runs again when its credential is refused before that: no call fails', async () => {
      const [first, second] = [await issueToken(), await issueToken()]
      await replace('token', first.token)
      const running = await begin(await connect(await plugin(3_600_000)))
      await replace('token', second.token)
      expect(await runs()).to.equal(1)
      await first.revoke()
      await running.next(20)
      await running.settle(admin)
      expect(running.failures).to.deep.equal([])
      expect((await refusals(running)).length, 'refused').to.be.within(1, 20)
      expect(await runs()).to.equal(2)
    })
  })

  describe('the token of a pod', () => {
    const accounts = '/api/v1/namespaces/lapse-system/serviceaccounts'

    it('is read again when its ServiceAccount is made anew: the controller goes on', async function () {
      if (process.platform !== 'linux') this.skip()
      const lapse = await installLapse(controlPlane)
      try {
        const expiresAt = new Date(Date.now() + 86_400_000).toISOString()
        const change = { request: 'CHG-1', reason: 'a test', approvedBy: ['ana'], expiresAt }
        const scene = await Scene.set(controlPlane, { change })
        await scene.policyIs('True')
        const before = await admin.get(`${accounts}/lapse-controller`)
        await admin.delete(`${accounts}/lapse-controller`)
        const after = await admin.create(accounts, { metadata: { name: 'lapse-controller' } })
        await eventually('the old token is refused', () => anyEvent(isRefusedController), 30_000)
        await lapse.controller.syncVolumes()
        const byTheNew = ({ user, responseStatus }: AuditEvent): boolean =>
          (user as { readonly uid?: string }).uid === after.metadata!['uid'] && responseStatus?.code === 200
        await eventually('the controller is known by its new token', () => anyEvent(byTheNew), 30_000)
        await scene.applyPolicy({ change, version: '1.1.0' })
        await scene.policyIs('True')
        expect(after.metadata!['uid']).not.to.equal(before.metadata!['uid'])
        expect(lapse.controller.logs()).not.to.contain('lease lost')
      } finally {
        await lapse.stop()
      }
    })
  })

  describe('a client certificate', () => {
    it('in the kubeconfig itself is read again when the API server refuses the old one: no call fails', async () => {
      const [first, second] = [await Authority.make(directory, 'first'), await Authority.make(directory, 'second')]
      const own = Buffer.from(controlPlane.caData, 'base64').toString()
      const trust = (...others: readonly string[]): Promise<void> =>
        writeFile(join(controlPlane.directory, 'ca.crt'), [own, ...others].join(''))
      await trust(first.certificate)
      const connection = await connect(await first.user('the-first'))
      const probe = new Transport({ connection, clock: systemClock, random: Math.random })
      await eventually('the API server accepts the certificate', () => whoAmI(probe), 90_000)
      await probe.close()

      const running = await begin(connection)
      expect(await whoAmI(running.transport)).to.equal('the-first')
      await replace('config', kubeconfigOf(controlPlane.url, await second.user('the-second')))
      expect(await whoAmI(running.transport)).to.equal('the-first')
      await trust(second.certificate)
      await eventually(
        'the new certificate is in use',
        async () => (await whoAmI(running.transport)) === 'the-second' || undefined,
        90_000,
      )
      await running.next(20)
      await running.settle(admin)
      expect(running.failures).to.deep.equal([])
      expect((await refusals(running)).length, 'refused').to.be.within(1, 20)
    })
  })

  describe('the certificate of the API server', () => {
    let old: { readonly ca: string; readonly serving: readonly [certificate: string, key: string] }
    let next: Authority
    let patient: AdminApi

    beforeEach(async () => {
      const read = (name: string): Promise<string> => readFile(join(controlPlane.directory, name), 'utf8')
      old = {
        ca: Buffer.from(controlPlane.caData, 'base64').toString(),
        serving: [await read('kube-apiserver.crt'), await read('kube-apiserver.key')],
      }
      next = await Authority.make(directory, 'next')
      const [certificate, key] = [await read('admin.crt'), await read('admin.key')]
      patient = AdminApi.connect({ url: controlPlane.url, ca: old.ca + next.certificate, certificate, key })
    })
    afterEach(async () => {
      await patient.close()
      await serve(old.serving)
    })

    it('is not trusted until its CA is in the file, and then at once', async () => {
      await replace('token', (await issueToken()).token)
      const connection = await connect({ tokenFile: 'token' })
      const running = await begin(connection)
      await serve(await next.serving())
      await running.next(20) // what was begun before
      const refused = await running.next(20)
      expect(refused.filter((call) => !isUntrusted(call))).to.deep.equal([])
      await replace('ca.crt', old.ca + next.certificate)
      await eventually('a call succeeds', async () => (await running.next(1))[0]?.failure === null || undefined)
      const started = running.calls.length
      await replace('ca.crt', next.certificate)
      await trusts(connection, next.certificate)
      await running.next(20)
      expect(running.calls.slice(started).filter(({ failure }) => failure !== null)).to.deep.equal([])
      await running.settle(patient)
      expect(running.failures.filter((failure) => !isOfRestart(failure))).to.deep.equal([])
    })

    it('is trusted all along when its CA was in the file before', async () => {
      await replace('token', (await issueToken()).token)
      const connection = await connect({ tokenFile: 'token' })
      const running = await begin(connection)
      await replace('ca.crt', old.ca + next.certificate)
      await trusts(connection, old.ca + next.certificate)
      await serve(await next.serving())
      await eventually('a call succeeds', async () => (await running.next(1))[0]?.failure === null || undefined)
      expect((await running.next(20)).filter(({ failure }) => failure !== null)).to.deep.equal([])
      await running.settle(patient)
      expect(running.calls.filter(isUntrusted)).to.deep.equal([])
      expect(running.failures.filter((failure) => !isOfRestart(failure))).to.deep.equal([])
    })
  })
})

function kubeconfigOf(server: string, user: object): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': 'ca.crt' } }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  })
}

/** A CA of its own. */
class Authority {
  readonly #directory: string
  /** PEM */
  readonly certificate: string

  private constructor(directory: string, certificate: string) {
    this.#directory = directory
    this.certificate = certificate
  }

  static async make(parent: string, name: string): Promise<Authority> {
    const directory = join(parent, name)
    await mkdir(directory)
    await output((await controlPlaneBinary()).controlplane, ['certs', 'init', directory])
    return new Authority(directory, await readFile(join(directory, 'ca.crt'), 'utf8'))
  }

  /** The user of a kubeconfig that may do everything, by a client certificate for that name. */
  async user(name: string): Promise<object> {
    const { controlplane } = await controlPlaneBinary()
    await output(controlplane, ['certs', 'client', this.#directory, name, name, 'system:masters'])
    const read = (extension: string): Promise<string> => readFile(join(this.#directory, name + extension), 'base64')
    return { 'client-certificate-data': await read('.crt'), 'client-key-data': await read('.key') }
  }

  /** Certificate and key of the API server. */
  async serving(): Promise<readonly [certificate: string, key: string]> {
    const read = (extension: string): Promise<string> =>
      readFile(join(this.#directory, `kube-apiserver${extension}`), 'utf8')
    return [await read('.crt'), await read('.key')]
  }
}
