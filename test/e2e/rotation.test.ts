import { expect } from 'chai'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { type Connection, loadConnection } from '../../src/cluster/connection.ts'
import { Forbidden, Unauthorized, Unreachable } from '../../src/cluster/errors.ts'
import { Reflector } from '../../src/cluster/reflector.ts'
import { Transport } from '../../src/cluster/transport.ts'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { AdminApi } from '../support/admin-api.ts'
import type { AuditEvent } from '../support/audit-log.ts'
import { output } from '../support/command.ts'
import { controlPlaneBinary } from '../support/control-plane-binary.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { configMaps } from '../support/fault-scene.ts'
import { installLapse } from '../support/installation.ts'
import { Scene } from '../support/scene.ts'

const account = 'rotating'

/** For a connection that reads its files again only when it is told to. */
const stoppedClock: Clock = { ...systemClock, monotonic: () => 0 }

/** One that has ended. */
interface Call {
  /** Of the ConfigMap that it creates; null: it reads one. */
  readonly creates: string | null
  readonly failure: Error | null
}

/** A process that works: it reads and creates ConfigMaps in turn, a call every 50 ms, and mirrors them by a watch. */
class Traffic {
  readonly userAgent: string
  readonly transport: Transport
  readonly #reflector: Reflector
  readonly #path: string
  /** In the order of their beginnings. */
  readonly #calls: Promise<Call>[] = []
  /** How often each name was told as new. */
  readonly #told = new Map<string, number>()
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
      if (before === null) this.#told.set(name, (this.#told.get(name) ?? 0) + 1)
    })
  }

  async start(): Promise<void> {
    this.#reflector.start()
    await this.#reflector.whenSynced()
    this.#timer = setInterval(() => this.#calls.push(this.#call(this.#calls.length + 1)), 50)
  }

  /** The calls that begin from now until the event, when they have ended. */
  async until(event: Promise<unknown>): Promise<readonly Call[]> {
    const from = this.#calls.length
    await event
    return Promise.all(this.#calls.slice(from))
  }

  /** The next calls to begin, at least `count`, when they have ended. */
  next(count: number): Promise<readonly Call[]> {
    const enough = this.#calls.length + count
    return this.until(
      eventually(`${count} calls more`, () => Promise.resolve(this.#calls.length >= enough || undefined), 30_000),
    )
  }

  succeeds(): Promise<true> {
    return eventually('a call succeeds', async () => failuresOf(await this.next(1)).length === 0 || undefined)
  }

  /** Ends the calls and waits until the watch has told of all that exists; resolves with every call. */
  async settle(admin: AdminApi): Promise<readonly Call[]> {
    clearInterval(this.#timer ?? undefined)
    const calls = await Promise.all(this.#calls)
    const existing = (await admin.list(this.#path)).map(({ metadata }) => metadata!.name!)
    const tellsAll = (): Promise<true> => {
      const missing = existing.filter((name) => !this.#told.has(name))
      return missing.length === 0 ? Promise.resolve(true) : Promise.reject(new Error(`not of ${missing.join()}`))
    }
    await eventually('the watch has told of everything', tellsAll, 30_000)
    const created = calls.filter(({ failure }) => failure === null).flatMap(({ creates }) => creates ?? [])
    expect(existing, 'what was created').to.include.members(created)
    expect(
      [...this.#told.values()].filter((times) => times !== 1),
      'names told twice',
    ).to.deep.equal([])
    expect([...this.#told.keys()], 'what was told').to.have.members(existing)
    return calls
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer ?? undefined)
    await this.#reflector.stop()
    await this.transport.close()
    await Promise.all(this.#calls)
  }

  async #call(number: number): Promise<Call> {
    const creates = number % 2 === 0 ? null : `cm-${number}`
    const call =
      creates === null
        ? this.transport.call('GET', `${this.#path}/kube-root-ca.crt`)
        : this.transport.call('POST', this.#path, { metadata: { name: creates } })
    const failure = await call.then(
      () => null,
      (error: unknown) => error as Error,
    )
    return { creates, failure }
  }
}

interface BoundToken {
  readonly token: string
  /** Resolves when the API server refuses it, which remembers for 10 s that it was good. */
  revoke(): Promise<void>
}

/** Where one process works: a namespace, a ServiceAccount that may edit there, and a directory for what it reads. */
class Workplace {
  readonly directory: string
  readonly #controlPlane: ControlPlane
  readonly #namespace: string
  readonly #running: Traffic[] = []

  private constructor(controlPlane: ControlPlane, namespace: string, directory: string) {
    this.#controlPlane = controlPlane
    this.#namespace = namespace
    this.directory = directory
  }

  static async set(controlPlane: ControlPlane): Promise<Workplace> {
    const { admin } = controlPlane
    const namespace = await controlPlane.namespace()
    await admin.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: account } })
    const read = `/api/v1/namespaces/${namespace}/configmaps/kube-root-ca.crt`
    await eventually('there is the ConfigMap that the calls read', () => admin.get(read))
    await admin.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`, {
      metadata: { name: account },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
    })
    return new Workplace(controlPlane, namespace, await mkdtemp(join(tmpdir(), 'lapse-rotation-')))
  }

  async clear(): Promise<void> {
    await Promise.all(this.#running.map((traffic) => traffic.stop()))
    await rm(this.directory, { recursive: true })
  }

  /** In one step, as a kubelet does. */
  async replace(name: string, content: string): Promise<string> {
    const path = join(this.directory, name)
    await writeFile(`${path}.new`, content)
    await rename(`${path}.new`, path)
    return path
  }

  /** Everything beside the kubeconfig in files: `ca.crt`, and what the user names. */
  async connect(user: object, clock: Clock = systemClock): Promise<Connection> {
    await this.replace('ca.crt', caOf(this.#controlPlane))
    return loadConnection({ kubeconfig: await this.replaceConfig(user), clock })
  }

  replaceConfig(user: object): Promise<string> {
    return this.replace('config', kubeconfigOf(this.#controlPlane.url, user))
  }

  async begin(connection: Connection): Promise<Traffic> {
    const traffic = new Traffic(connection, this.#namespace)
    this.#running.push(traffic)
    await traffic.start()
    await traffic.next(10)
    return traffic
  }

  async issueToken(): Promise<BoundToken> {
    const { admin } = this.#controlPlane
    const secrets = `/api/v1/namespaces/${this.#namespace}/secrets`
    const { metadata } = await admin.create(secrets, { metadata: { generateName: 'token-' } })
    const boundObjectRef = { apiVersion: 'v1', kind: 'Secret', name: metadata!.name, uid: metadata!.uid }
    const path = `/api/v1/namespaces/${this.#namespace}/serviceaccounts/${account}/token`
    const answer = await admin.create(path, { spec: { expirationSeconds: 3600, boundObjectRef } })
    const token = answer['status'].token as string
    return {
      token,
      async revoke() {
        await admin.delete(`${secrets}/${metadata!.name}`)
        await eventually('the API server refuses the token', () => refuses(admin, token), 30_000)
      },
    }
  }

  /** Two tokens, the first of them in the file `token`. */
  async issueTokens(): Promise<readonly [BoundToken, BoundToken]> {
    const tokens = [await this.issueToken(), await this.issueToken()] as const
    await this.replace('token', tokens[0].token)
    return tokens
  }

  /** Prints the token of the file `token`, good for `lifetime` ms. */
  async plugin(lifetime: number): Promise<object> {
    const script = `
      import { appendFileSync, readFileSync } from 'node:fs'
      const file = (name) => import.meta.dirname + '/' + name
      appendFileSync(file('runs'), '.')
      const token = readFileSync(file('token'), 'utf8')
      const expirationTimestamp = new Date(Date.now() + ${lifetime}).toISOString()
      const apiVersion = 'client.authentication.k8s.io/v1'
      console.log(JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { token, expirationTimestamp } }))`
    const args = [await this.replace('plugin.mjs', script)]
    return { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args } }
  }

  /** How often the plugin was run. */
  async runs(): Promise<number> {
    return (await readFile(join(this.directory, 'runs'), 'utf8')).length
  }
}

function caOf(controlPlane: ControlPlane): string {
  return Buffer.from(controlPlane.caData, 'base64').toString()
}

async function refuses(admin: AdminApi, token: string): Promise<true | undefined> {
  const review = await admin.create('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token } })
  return review['status'].authenticated === true ? undefined : true
}

async function whoAmI(transport: Transport): Promise<string> {
  const review = await transport.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {})
  return (review as { readonly status: { readonly userInfo: { readonly username: string } } }).status.userInfo.username
}

/** Resolves when it has read that CA: sooner than in ten seconds, by renewals. */
function trusts(connection: Connection, ca: string): Promise<true> {
  return eventually('the CA was read', async () => {
    connection.renew()
    return String((await connection.credentials()).tls.ca) === ca || undefined
  })
}

interface Worker {
  readonly place: Workplace
  readonly connection: Connection
  readonly running: Traffic
}

/** With a token in a file. */
async function employ(controlPlane: ControlPlane): Promise<Worker> {
  const place = await Workplace.set(controlPlane)
  await place.replace('token', (await place.issueToken()).token)
  const connection = await place.connect({ tokenFile: 'token' })
  return { place, connection, running: await place.begin(connection) }
}

/** Client certificates of that CA are accepted, and of no other but the control plane's own. */
async function admitClientsOf({ certificate }: Authority, controlPlane: ControlPlane): Promise<void> {
  await writeFile(join(controlPlane.directory, 'ca.crt'), caOf(controlPlane) + certificate)
}

/** Restarts the API server, with a certificate of that CA. */
async function serveAs(authority: Authority, controlPlane: ControlPlane): Promise<void> {
  const [certificate, key] = await authority.serving()
  await writeFile(join(controlPlane.directory, 'kube-apiserver.crt'), certificate)
  await writeFile(join(controlPlane.directory, 'kube-apiserver.key'), key)
  await controlPlane.part('kube-apiserver').restart()
}

async function adminTrusting(ca: string, controlPlane: ControlPlane): Promise<AdminApi> {
  const read = (name: string): Promise<string> => readFile(join(controlPlane.directory, name), 'utf8')
  const [certificate, key] = await Promise.all([read('admin.crt'), read('admin.key')])
  return AdminApi.connect({ url: controlPlane.url, ca, certificate, key })
}

function failuresOf(calls: readonly Call[]): readonly Error[] {
  return calls.map(({ failure }) => failure).filter((failure) => failure !== null)
}

function isRefusedController({ userAgent, responseStatus }: AuditEvent): boolean {
  return userAgent?.startsWith('lapse-controller') === true && responseStatus?.code === 401
}

/** An API server that has just been started forbids what it has not learnt the rules of yet. */
function isOfRestart(failure: Error): boolean {
  return failure instanceof Unreachable || failure instanceof Forbidden
}

function isUntrusted({ failure }: Call): boolean {
  return failure instanceof Unreachable && failure.message.includes('certificate')
}

describe('credentials that change while a process runs', function () {
  this.timeout(240_000)
  // Its own: certificates of the API server are replaced.
  let controlPlane: ControlPlane
  let admin: AdminApi
  const scenarios: (() => Promise<void>)[] = []
  let outcomes: readonly Promise<void>[] = []
  let lastRead: Promise<unknown> = Promise.resolve()

  before(async () => {
    controlPlane = await startControlPlane()
    admin = controlPlane.admin
    outcomes = scenarios.map((begin) => begin())
    for (const outcome of outcomes) outcome.catch(() => {}) // a failure waits for its test to tell
  })
  after(async () => {
    await Promise.allSettled(outcomes)
    await controlPlane?.stop()
  })

  /** A test of a scenario that is mostly waiting: all of these begin together, and each test tells how its own went. */
  function sideBySide(title: string, scenario: (place: Workplace) => Promise<void>): void {
    const number = scenarios.push(async () => {
      const place = await Workplace.set(controlPlane)
      try {
        await scenario(place)
      } finally {
        await place.clear()
      }
    })
    it(title, () => outcomes[number - 1])
  }

  /** One reads after the other: each goes on in the log where the one before ended. */
  function auditEvents(filter: (event: AuditEvent) => boolean): Promise<readonly AuditEvent[]> {
    const events = lastRead.then(() => controlPlane.auditEvents(filter))
    lastRead = events.catch(() => {})
    return events
  }

  const refusals = ({ userAgent }: Traffic): Promise<readonly AuditEvent[]> =>
    auditEvents((event) => event.userAgent === userAgent && event.responseStatus?.code === 401)

  const anyEvent = async (filter: (event: AuditEvent) => boolean): Promise<true | undefined> =>
    (await auditEvents(filter)).length > 0 || undefined

  describe('a token in a file', () => {
    sideBySide('is read again when the API server refuses the old one: no call fails', async (place) => {
      const [first, second] = await place.issueTokens()
      const running = await place.begin(await place.connect({ tokenFile: 'token' }, stoppedClock))
      await place.replace('token', second.token)
      await first.revoke()
      await running.next(20)
      expect(failuresOf(await running.settle(admin))).to.deep.equal([])
      expect((await refusals(running)).length, 'refused').to.be.within(1, 20)
    })

    sideBySide('is read again in time when both hold for a while: no call is even refused', async (place) => {
      const [first, second] = await place.issueTokens()
      const connection = await place.connect({ tokenFile: 'token' })
      const running = await place.begin(connection)
      await place.replace('token', second.token)
      await eventually(
        'the new token is in use',
        async () => (await connection.credentials()).headers['Authorization'] === `Bearer ${second.token}` || undefined,
        30_000,
      )
      await first.revoke()
      await running.next(20)
      expect(failuresOf(await running.settle(admin))).to.deep.equal([])
      expect(await refusals(running)).to.deep.equal([])
    })

    sideBySide('that comes late makes calls fail as Unauthorized until it is there, and no longer', async (place) => {
      const [first, second] = await place.issueTokens()
      const running = await place.begin(await place.connect({ tokenFile: 'token' }))
      await first.revoke()
      const refused = await running.next(20)
      expect(refused.filter(({ failure }) => failure === null)).to.deep.equal([])
      await place.replace('token', second.token)
      await running.succeeds()
      expect(failuresOf(await running.next(40))).to.deep.equal([])
      const failures = failuresOf(await running.settle(admin))
      expect(failures.filter((failure) => !(failure instanceof Unauthorized))).to.deep.equal([])
    })
  })

  describe('an exec plugin', () => {
    sideBySide('runs again when its credential is over, and not for each call', async (place) => {
      await place.replace('token', (await place.issueToken()).token)
      const running = await place.begin(await place.connect(await place.plugin(2_000)))
      const started = performance.now()
      const before = await place.runs()
      await eventually(
        'it has run three times more',
        async () => (await place.runs()) >= before + 3 || undefined,
        30_000,
      )
      const runs = await place.runs()
      const most = (performance.now() - started) / 2_000 + 1
      expect(runs).to.be.within(before + 3, before + most)
      await running.next(5)
      expect(failuresOf(await running.settle(admin))).to.deep.equal([])
    })

    sideBySide('runs again when its credential is refused before that: no call fails', async (place) => {
      const [first, second] = await place.issueTokens()
      const running = await place.begin(await place.connect(await place.plugin(3_600_000)))
      await place.replace('token', second.token)
      expect(await place.runs()).to.equal(1)
      await first.revoke()
      await running.next(20)
      expect(failuresOf(await running.settle(admin))).to.deep.equal([])
      expect((await refusals(running)).length, 'refused').to.be.within(1, 20)
      expect(await place.runs()).to.equal(2)
    })
  })

  describe('the token of a pod', () => {
    const accounts = '/api/v1/namespaces/lapse-system/serviceaccounts'
    const onLinux: typeof sideBySide = process.platform === 'linux' ? sideBySide : (title) => void it.skip(title)

    onLinux('is read again when its ServiceAccount is made anew: the controller goes on', async () => {
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
    const title = 'in the kubeconfig itself is read again when the API server refuses the old one: no call fails'

    sideBySide(title, async (place) => {
      const authority = (name: string): Promise<Authority> => Authority.make(place.directory, name)
      const [first, second] = [await authority('first'), await authority('second')]
      await admitClientsOf(first, controlPlane)
      const connection = await place.connect(await first.user('the-first'))
      const probe = new Transport({ connection, clock: systemClock, random: Math.random })
      await eventually('the API server accepts the certificate', () => whoAmI(probe), 90_000)
      await probe.close()

      const running = await place.begin(connection)
      expect(await whoAmI(running.transport)).to.equal('the-first')
      await place.replaceConfig(await second.user('the-second'))
      expect(await whoAmI(running.transport)).to.equal('the-first')
      const { tls } = await connection.credentials()
      await admitClientsOf(second, controlPlane)
      // what asks for it must be a call that counts
      await eventually(
        'the new certificate is in use',
        async () => (await connection.credentials()).tls !== tls || undefined,
        90_000,
      )
      expect(await whoAmI(running.transport)).to.equal('the-second')
      await running.next(20)
      expect(failuresOf(await running.settle(admin))).to.deep.equal([])
      expect((await refusals(running)).length, 'refused').to.be.within(1, 20)
    })
  })

  describe('the certificate of the API server', () => {
    /** The CA of the next certificate was in its file before that was served. */
    let prepared: Worker
    /** It was not. */
    let surprised: Worker
    let next: Authority
    /** The CAs of both. */
    let bundle: string
    /** Trusts both. */
    let patient: AdminApi

    before(async () => {
      await Promise.allSettled(outcomes) // they cannot do without the API server
      ;[prepared, surprised] = await Promise.all([employ(controlPlane), employ(controlPlane)])
      next = await Authority.make(surprised.place.directory, 'next')
      bundle = caOf(controlPlane) + next.certificate
      patient = await adminTrusting(bundle, controlPlane)
      await prepared.place.replace('ca.crt', bundle)
      await trusts(prepared.connection, bundle)
      await serveAs(next, controlPlane)
    })
    after(async () => {
      await patient?.close()
      await Promise.all([prepared, surprised].map((worker) => worker?.place.clear()))
    })

    it('is not trusted until its CA is in the file, and then at once', async () => {
      const { place, connection, running } = surprised
      const refused = await running.next(20)
      expect(refused.filter((call) => !isUntrusted(call))).to.deep.equal([])
      await place.replace('ca.crt', bundle)
      await running.succeeds()
      await place.replace('ca.crt', next.certificate)
      expect(failuresOf(await running.until(trusts(connection, next.certificate)))).to.deep.equal([])
      expect(failuresOf(await running.next(20))).to.deep.equal([])
      const failures = failuresOf(await running.settle(patient))
      expect(failures.filter((failure) => !isOfRestart(failure))).to.deep.equal([])
    })

    it('is trusted all along when its CA was in the file before', async () => {
      const { running } = prepared
      await running.succeeds()
      expect(failuresOf(await running.next(20))).to.deep.equal([])
      const calls = await running.settle(patient)
      expect(calls.filter(isUntrusted)).to.deep.equal([])
      expect(failuresOf(calls).filter((failure) => !isOfRestart(failure))).to.deep.equal([])
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
