import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'

import { expect } from 'chai'

import { ApiError } from '../support/admin-api.ts'
import { isWrite } from '../support/audit-log.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { startPod, type Pod } from '../support/pod.ts'
import { processesNaming } from '../support/process-table.ts'
import { attachControlPlane } from '../support/running-control-plane.ts'
import { controlPlane } from '../support/shared-control-plane.ts'

const root = join(import.meta.dirname, '../..')

const rejection = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.fail('it succeeded'),
    (error: Error) => error,
  )

const whoami = async (kubeconfig: string): Promise<{ username: string; groups: string[] }> => {
  const { stdout, stderr } = await controlPlane().kubectl(['auth', 'whoami', '-o', 'json'], { kubeconfig })
  expect(stderr).to.equal('')
  return JSON.parse(stdout).status.userInfo
}

const start = (program: string): { owner: ChildProcess; lines: AsyncIterator<string> } => {
  const owner = spawn(process.execPath, [join(root, program)], { stdio: ['ignore', 'pipe', 'inherit'] })
  return { owner, lines: createInterface({ input: owner.stdout })[Symbol.asyncIterator]() }
}

/** Refuses every object with a message that holds the path it was asked at. */
const refuse = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const review = JSON.parse(await text(request))
  const { pathname } = new URL(request.url ?? '/', 'https://webhook')
  const status = { message: `${pathname} refuses ${review.request.name}` }
  response.setHeader('Content-Type', 'application/json')
  const { apiVersion, kind } = review
  response.end(JSON.stringify({ apiVersion, kind, response: { uid: review.request.uid, allowed: false, status } }))
}

describe('the control plane', () => {
  describe('its users', () => {
    it('knows a user and his groups by certificate', async () => {
      const info = await whoami(await controlPlane().kubeconfigFor({ user: 'jane', groups: ['dev', 'ops'] }))
      expect(info.username).to.equal('jane')
      expect(info.groups).to.have.members(['dev', 'ops', 'system:authenticated'])
    })

    it('knows a ServiceAccount by token', async () => {
      const namespace = await controlPlane().namespace()
      const info = await whoami(await controlPlane().kubeconfigForServiceAccount(namespace, 'default'))
      expect(info.username).to.equal(`system:serviceaccount:${namespace}:default`)
    })

    it('gives the test the API as the admin and as somebody else', async () => {
      const path = `/api/v1/namespaces/${await controlPlane().namespace()}/configmaps`
      await controlPlane().admin.create(path, { metadata: { name: 'note' }, data: { a: '1' } })
      const changed = await controlPlane().admin.patch(`${path}/note`, { data: { b: '2' } })
      expect(changed['data']).to.deep.equal({ a: '1', b: '2' })

      const error = await rejection(controlPlane().admin.as({ user: 'jane' }).get(`${path}/note`))
      expect(error).to.be.instanceOf(ApiError).and.to.include({ status: 403, reason: 'Forbidden' })
      expect(error.message).to.contain('User "jane" cannot get resource "configmaps"')
    })

    it('runs helm of the same build', async () => {
      const { code, stdout } = await controlPlane().helm(['list', '--output', 'json'])
      expect({ code, stdout: stdout.trim() }).to.deep.equal({ code: 0, stdout: '[]' })
    })

    it('hands a failed kubectl to the test as a result', async () => {
      const { code, stderr } = await controlPlane().kubectl(['apply', '-f', '-'], { input: 'kind: Nothing' })
      expect(code).to.equal(1)
      expect(stderr).to.contain('apiVersion not set')
    })
  })

  describe('the audit log', () => {
    it('has each request whose response was received, with its user', async () => {
      const namespace = await controlPlane().namespace()
      const path = `/api/v1/namespaces/${namespace}/configmaps`
      const masters = controlPlane().admin.as({ user: 'jane', groups: ['system:masters'] })
      await masters.create(path, { metadata: { name: 'note' } })
      await masters.get(`${path}/note`)
      await masters.delete(`${path}/note`)

      const events = await controlPlane().auditEvents((event) => event.impersonatedUser?.username === 'jane')
      const here = events.filter(({ objectRef }) => objectRef?.namespace === namespace)
      expect(here.map((event) => [event.verb, event.responseStatus?.code, isWrite(event)])).to.deep.equal([
        ['create', 201, true],
        ['get', 200, false],
        ['delete', 200, true],
      ])
      expect(new Date(here[0]!.requestReceivedTimestamp).getTime()).to.be.closeTo(Date.now(), 60_000)
    })
  })

  describe('a webhook behind a Service', () => {
    let namespace: string
    let clusterIP: string
    let server: Server

    const serve = async (dnsName: string): Promise<number> => {
      const { certificate, key } = await controlPlane().servingCertificate([dnsName])
      server = createServer({ cert: certificate, key }, (request, response) => void refuse(request, response))
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    }

    const refusal = async (reason: string): Promise<string> =>
      eventually(`a ConfigMap is refused: ${reason}`, async () => {
        const path = `/api/v1/namespaces/${namespace}/configmaps?dryRun=All`
        const error = await rejection(controlPlane().admin.create(path, { metadata: { name: 'note' } }))
        return error.message.includes(reason) ? error.message : undefined
      })

    before(async () => {
      namespace = await controlPlane().namespace()
      const service = await controlPlane().admin.create(`/api/v1/namespaces/${namespace}/services`, {
        metadata: { name: 'gate' },
        spec: { ports: [{ port: 443, targetPort: 8443 }] },
      })
      clusterIP = service['spec'].clusterIP
      await controlPlane().admin.create('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', {
        metadata: { name: namespace },
        webhooks: [
          {
            name: 'gate.example.com',
            clientConfig: { service: { namespace, name: 'gate', path: '/admit' }, caBundle: controlPlane().caData },
            rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] }],
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
            matchConditions: [{ name: 'ours', expression: "request.name == 'note'" }],
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
          },
        ],
      })
    })

    after(async () => {
      const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${namespace}`
      await controlPlane().admin.delete(path)
    })

    afterEach(async () => {
      await controlPlane().serviceProxy.unroute(clusterIP, 443)
      server?.close()
      server?.closeAllConnections()
    })

    it('is refused a connection while the Service has no route', async () => {
      expect(await refusal('failed calling webhook')).to.contain(`No route to ${clusterIP}:443`)
    })

    it('is reached through its cluster address, at the path of the configuration', async () => {
      await controlPlane().serviceProxy.route(clusterIP, 443, await serve(`gate.${namespace}.svc`))
      expect(await refusal('denied the request')).to.contain('/admit refuses note')
    })

    it('is not trusted with a certificate for another name', async () => {
      await controlPlane().serviceProxy.route(clusterIP, 443, await serve(`other.${namespace}.svc`))
      expect(await refusal('x509')).to.contain(`not gate.${namespace}.svc`)
    })
  })

  describe('a pod', () => {
    let namespace: string
    let port: number
    let pod: Pod

    // Answers with what it sees.
    const program = `
      const { readFileSync } = require('node:fs')
      const mounts = '/var/run/secrets/'
      const read = (name) => readFileSync(mounts + name, 'utf8')
      const account = 'kubernetes.io/serviceaccount/'
      require('node:http').createServer((request, response) => response.end(JSON.stringify({
        pid: process.pid, cwd: process.cwd(), argv: process.argv.slice(1), env: process.env,
        password: read('db/password'), token: read(account + 'token'), namespace: read(account + 'namespace'),
        trusts: read(account + 'ca.crt'),
      }))).listen(process.env.PORT, '127.0.0.1')
      process.on('SIGTERM', () => { console.log('goodbye'); process.exit(7) })`

    const view = async (): Promise<Record<string, never>> =>
      JSON.parse(await (await fetch(`http://127.0.0.1:${port}/`)).text())

    before(async function () {
      if (process.platform !== 'linux') this.skip()
      namespace = await controlPlane().namespace()
      port = await freePort()
      const labels = { app: 'mirror' }
      await controlPlane().admin.create(`/api/v1/namespaces/${namespace}/secrets`, {
        metadata: { name: 'db' },
        stringData: { password: 'first' },
      })
      await controlPlane().admin.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
        metadata: { name: 'mirror' },
        spec: {
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              volumes: [{ name: 'db', secret: { secretName: 'db' } }],
              containers: [
                {
                  name: 'mirror',
                  image: 'none',
                  command: ['node', '-e', program],
                  args: ['of-$(POD)'],
                  env: [
                    { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
                    { name: 'PORT', value: '8080' },
                  ],
                  ports: [{ name: 'http', containerPort: 8080 }],
                  volumeMounts: [{ name: 'db', mountPath: '/var/run/secrets/db' }],
                  readinessProbe: { httpGet: { port: 'http', path: '/' } },
                },
              ],
            },
          },
        },
      })
      const extraEnv = { PORT: String(port) }
      pod = await startPod({
        controlPlane: controlPlane(),
        namespace,
        deployment: 'mirror',
        extraEnv,
        localPorts: { 8080: port },
      })
      await pod.ready()
    })

    it('runs the command of the Deployment in the root of the repository', async () => {
      const { cwd, argv, env, pid } = await view()
      expect({ cwd, argv, pid }).to.deep.equal({ cwd: root, argv: [`of-${pod.name}`], pid: 1 })
      expect(env).to.have.all.keys('PATH', 'POD', 'PORT', 'KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT')
    })

    it('has the token of its ServiceAccount, the CA and its namespace', async () => {
      const { token, trusts, namespace: seen } = await view()
      const review = await controlPlane().admin.create('/apis/authentication.k8s.io/v1/tokenreviews', {
        spec: { token },
      })
      expect(review['status'].user.username).to.equal(`system:serviceaccount:${namespace}:default`)
      expect(Buffer.from(trusts!).toString('base64')).to.equal(controlPlane().caData)
      expect(seen).to.equal(namespace)
    })

    it('sees a mounted Secret, and its later change', async () => {
      expect(await view()).to.include({ password: 'first' })
      const path = `/api/v1/namespaces/${namespace}/secrets/db`
      await controlPlane().admin.patch(path, { stringData: { password: 'second' } })
      await pod.syncVolumes()
      expect(await view()).to.include({ password: 'second' })
    })

    it('ends on SIGTERM as the program decides', async () => {
      expect(await pod.stop()).to.deep.equal({ code: 7, signal: null })
      expect(pod.logs()).to.equal('goodbye\n')
    })

    it('says why it does not become ready', async () => {
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments/mirror`
      const command = ['node', '-e', 'console.error("no luck"); process.exit(3)']
      const change = { op: 'replace', path: '/spec/template/spec/containers/0/command', value: command }
      await controlPlane().admin.patch(path, [change], 'json')
      const failing = await startPod({
        controlPlane: controlPlane(),
        namespace,
        deployment: 'mirror',
        localPorts: { 8080: await freePort() }, // on which nobody answers in its place
      })
      const error = await rejection(failing.ready())
      expect(error.message).to.contain('"code":3').and.to.contain('no luck')
      expect(await failing.exited).to.deep.equal({ code: 3, signal: null })
    })
  })

  describe('broken on purpose', function () {
    this.timeout(120_000)
    let own: ControlPlane

    before(async () => {
      own = await startControlPlane()
    })
    after(() => own.stop())

    it('keeps its objects when etcd is killed and comes back', async () => {
      const namespace = await own.namespace()
      const { pid } = own.part('etcd')
      await own.part('etcd').kill()
      await own.part('etcd').restart()
      expect(own.part('etcd').pid).not.to.equal(pid)
      await eventually('the API server reads again', () => own.admin.get(`/api/v1/namespaces/${namespace}`))
    })

    it('answers late, not never, when the API server was paused', async () => {
      own.part('kube-apiserver').pause()
      const answer = own.admin.get('/version')
      const early = await Promise.race([answer, delay(200, 'none yet')])
      own.part('kube-apiserver').resume()
      expect(early).to.equal('none yet')
      expect(await answer).to.have.property('gitVersion')
    })

    it('catches up when the controller-manager comes back', async () => {
      await own.part('kube-controller-manager').kill()
      await own.admin.create('/api/v1/namespaces', { metadata: { name: 'orphaned' } })
      const account = '/api/v1/namespaces/orphaned/serviceaccounts/default'
      expect(await rejection(own.admin.get(account))).to.include({ status: 404 })
      await own.part('kube-controller-manager').restart()
      await eventually('the ServiceAccount is made', () => own.admin.get(account))
    })

    it('ends a start that fails with the log of the part that failed', async () => {
      const error = await rejection(startControlPlane({ flags: { 'kube-apiserver': ['--no-such-flag'] } }))
      expect(error.message).to.contain('kube-apiserver ended (1)').and.to.contain('unknown flag: --no-such-flag')
    })

    it('leaves nothing behind when it is stopped, also twice', async function () {
      if (process.platform !== 'linux') this.skip()
      expect(processesNaming(own.directory)).to.have.length(3)
      await Promise.all([own.stop(), own.stop()])
      expect(processesNaming(own.directory)).to.deep.equal([])
      expect(existsSync(own.directory)).to.equal(false)
    })
  })

  describe('when its owner', function () {
    this.timeout(180_000) // each starts a control plane
    before(function () {
      if (process.platform !== 'linux') this.skip()
    })

    it('is killed by SIGKILL: no part, paused or not, and no process of a pod is left', async () => {
      const { owner, lines } = start('test/support/abandoned-harness.ts')
      const { directory, namespace } = JSON.parse((await lines.next()).value)
      try {
        // A pod is its runtime, its shell and two programs; the runtime names the directory too.
        await eventually('the pod runs', async () => (processesNaming(namespace).length === 4 ? true : undefined))
        expect(processesNaming(directory)).to.have.length(4)
        owner.kill('SIGKILL')
        await eventually('all of them are gone', async () =>
          processesNaming(directory).length + processesNaming(namespace).length === 0 ? true : undefined,
        )
      } finally {
        await rm(directory, { recursive: true, force: true })
      }
    })

    it('is `make cluster`: others attach to it, and SIGINT ends and removes it', async () => {
      const { owner, lines } = start('scripts/cluster.ts')
      let statePath: string | undefined
      while (statePath === undefined) {
        statePath = /LAPSE_TEST_CLUSTER=(.*)/.exec((await lines.next()).value)?.[1]
      }
      const attached = await attachControlPlane(statePath)
      const namespace = await attached.namespace()
      expect((await attached.auditEvents(({ objectRef }) => objectRef?.name === namespace)).length).to.be.greaterThan(0)
      expect(() => attached.part('etcd')).to.throw('starts a control plane of its own')
      await attached.stop()
      expect(processesNaming(attached.directory)).to.have.length(3)

      owner.kill('SIGINT')
      const [code] = await once(owner, 'exit')
      expect(code).to.equal(130)
      await eventually('its parts are gone', async () =>
        processesNaming(attached.directory).length === 0 ? true : undefined,
      )
      expect(existsSync(attached.directory)).to.equal(false)
    })
  })
})
