import { expect } from 'chai'
import { KubeClient } from '../../src/cluster/client.ts'
import { loadConnection } from '../../src/cluster/connection.ts'
import type { TlsOptions } from '../../src/cluster/credentials.ts'
import { Conflict, Forbidden, Invalid, NotFound, Unauthorized, Unreachable } from '../../src/cluster/errors.ts'
import type { Change, KubeObject, ObjectKey } from '../../src/cluster/ports.ts'
import { Reflector } from '../../src/cluster/reflector.ts'
import { type ResourceType, resources } from '../../src/cluster/resources.ts'
import { Transport } from '../../src/cluster/transport.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { eventually } from '../support/eventually.ts'
import { FastClock } from '../support/fast-clock.ts'
import { FaultLink } from '../support/fault-link.ts'
import { controlPlane } from '../support/shared-control-plane.ts'

const configMaps: ResourceType = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true }

async function transportFor(kubeconfig: string): Promise<Transport> {
  const connection = await loadConnection({ kubeconfig, clock: systemClock })
  return new Transport({ connection, clock: systemClock, random: Math.random })
}

async function failureOf(call: Promise<unknown>): Promise<Error> {
  return call.then(
    () => expect.fail('the call succeeded'),
    (error: unknown) => error as Error,
  )
}

function configMap({ namespace, name }: ObjectKey, data: Readonly<Record<string, string>> = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data }
}

describe('the cluster client against a real API server', () => {
  let transport: Transport
  let client: KubeClient
  let namespace: string

  before(async () => {
    transport = await transportFor(controlPlane().kubeconfigPath)
    client = new KubeClient(transport)
    namespace = await controlPlane().namespace()
  })
  after(() => transport.close())

  it('creates, reads and lists an object', async () => {
    const key = { namespace, name: 'made' }
    const created = await client.create(configMaps, configMap(key, { text: 'naïve ✓' }))
    expect(created.metadata.uid).to.match(/^[0-9a-f-]{36}$/)
    expect((await client.get(configMaps, key))?.['data']).to.deep.equal({ text: 'naïve ✓' })
    const listed = await client.list(configMaps, { namespace })
    const found = listed.find(({ metadata }) => metadata.name === 'made')
    expect(found).to.include({ apiVersion: 'v1', kind: 'ConfigMap' })
    expect(found?.metadata.uid).to.equal(created.metadata.uid)
  })

  it('lists all namespaces, or one, or what a selector names', async () => {
    await client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace, name: 'labelled', labels: { 'lapse.dev/policy': 'p' } },
    })
    const names = async (labelSelector: string): Promise<readonly string[]> =>
      (await client.list(configMaps, { namespace, labelSelector })).map(({ metadata }) => metadata.name)
    expect(await names('lapse.dev/policy=p')).to.deep.equal(['labelled'])
    const everywhere = await client.list(configMaps)
    expect(new Set(everywhere.map(({ metadata }) => metadata.namespace)).size, 'namespaces').to.be.above(1)
  })

  it('lists more objects than fit on one page, each of them once', async () => {
    const crowded = await controlPlane().namespace()
    const names = Array.from({ length: 520 }, (_, n) => `cm-${n}`)
    // not all at once: each has ten seconds from the call on
    for (let from = 0; from < names.length; from += 65) {
      const some = names.slice(from, from + 65)
      await Promise.all(some.map((name) => client.create(configMaps, configMap({ namespace: crowded, name }))))
    }
    const listed = (await client.list(configMaps, { namespace: crowded })).map(({ metadata }) => metadata.name)
    expect(listed.filter((name) => name.startsWith('cm-')).sort()).to.deep.equal([...names].sort())
  })

  it('answers null for an object that does not exist, and fails for a kind that is not served', async () => {
    expect(await client.get(configMaps, { namespace, name: 'nobody' })).to.equal(null)
    const unserved = { ...configMaps, group: 'nobody.example', plural: 'nothings' }
    const failure = await failureOf(client.get(unserved, { namespace, name: 'nobody' }))
    expect(failure).to.be.instanceOf(NotFound)
    expect(await failureOf(client.delete(unserved, { namespace, name: 'nobody' }))).to.be.instanceOf(NotFound)
  })

  it('says AlreadyExists when the name is taken', async () => {
    const object = configMap({ namespace, name: 'twice' })
    await client.create(configMaps, object)
    const failure = (await failureOf(client.create(configMaps, object))) as Conflict
    expect(failure).to.be.instanceOf(Conflict)
    expect(failure.reason).to.equal('AlreadyExists')
    expect(failure.message).to.equal(
      `configmaps "twice" already exists (POST /api/v1/namespaces/${namespace}/configmaps)`,
    )
  })

  it('names the fields of an object that is invalid', async () => {
    const failure = (await failureOf(
      client.create(configMaps, configMap({ namespace, name: 'Not A Name' })),
    )) as Invalid
    expect(failure).to.be.instanceOf(Invalid)
    expect(failure.causes.map(({ field }) => field)).to.deep.equal(['metadata.name'])
  })

  it('replaces the status of the version that was read and of no other', async () => {
    const pods = { ...configMaps, plural: 'pods', kind: 'Pod' }
    const read = await client.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name: 'waiting' },
      spec: { containers: [{ name: 'main', image: 'none' }] },
    })
    const written = await client.replaceStatus(pods, read, { phase: 'Pending', message: 'first' })
    expect(written['status']).to.include({ message: 'first' })
    const failure = (await failureOf(client.replaceStatus(pods, read, { message: 'second' }))) as Conflict
    expect(failure).to.be.instanceOf(Conflict)
    expect(failure.reason).to.equal('Conflict')
    expect((await client.get(pods, { namespace, name: 'waiting' }))?.['status']).to.include({ message: 'first' })
  })

  it('deletes an object of the UID that was named, not its namesake', async () => {
    const key = { namespace, name: 'namesake' }
    const first = await client.create(configMaps, configMap(key))
    expect(await client.delete(configMaps, key, { uid: first.metadata.uid })).to.equal('deleted')
    expect(await client.delete(configMaps, key, { uid: first.metadata.uid })).to.equal('absent')
    await client.create(configMaps, configMap(key))
    const failure = (await failureOf(client.delete(configMaps, key, { uid: first.metadata.uid }))) as Conflict
    expect(failure).to.be.instanceOf(Conflict)
    expect(failure.reason).to.equal('Conflict')
    expect(await client.get(configMaps, key)).not.to.equal(null)
    expect(await client.delete(configMaps, key)).to.equal('deleted')
  })

  it('asks what somebody else may do', async () => {
    const question = {
      username: `system:serviceaccount:${namespace}:default`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
      namespace,
      verb: 'get',
      apiGroup: '',
      resource: 'configmaps',
      subresource: '',
      name: 'settings',
    }
    expect(await client.isAllowed(question)).to.equal(false)
    const bindingKey = { namespace, name: 'reader' }
    await client.create(resources.roleBindings, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: bindingKey,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
      subjects: [{ kind: 'ServiceAccount', namespace, name: 'default' }],
    })
    await eventually('the binding has effect', async () => (await client.isAllowed(question)) || undefined)
    expect(await client.isAllowed({ ...question, verb: 'delete' })).to.equal(false)
    await client.delete(resources.roleBindings, bindingKey)
    await eventually('the binding has no effect', async () => !(await client.isAllowed(question)) || undefined)
  })

  it('comes as the ServiceAccount of a token, which may not do everything', async () => {
    const own = await transportFor(await controlPlane().kubeconfigForServiceAccount(namespace, 'default'))
    try {
      const failure = await failureOf(new KubeClient(own).list(configMaps, { namespace }))
      expect(failure).to.be.instanceOf(Forbidden)
      expect(failure.message).to.contain(`system:serviceaccount:${namespace}:default`)
    } finally {
      await own.close()
    }
  })

  it('verifies the certificate of the server, for the name that the kubeconfig gives', async () => {
    const connection = await loadConnection({ kubeconfig: controlPlane().kubeconfigPath, clock: systemClock })
    const credentials = await connection.credentials()
    const reach = async (tls: TlsOptions): Promise<unknown> => {
      const own = new Transport({
        connection: { ...connection, credentials: () => Promise.resolve({ ...credentials, tls }) },
        clock: systemClock,
        random: Math.random,
      })
      try {
        return await own.call('POST', '/version', {})
      } finally {
        await own.close()
      }
    }
    const wrongName = await failureOf(reach({ ...credentials.tls, servername: 'elsewhere.example' }))
    expect(wrongName).to.be.instanceOf(Unreachable)
    expect(wrongName.message).to.contain('elsewhere.example')
    const { ca: _, ...withoutCa } = credentials.tls
    expect(await failureOf(reach(withoutCa))).to.be.instanceOf(Unreachable)
    const answered = await failureOf(reach({ ...credentials.tls, servername: 'kubernetes.default.svc' }))
    expect(answered, answered.message).not.to.be.instanceOf(Unreachable)
  })

  it('says Unauthorized when the token is not accepted', async () => {
    const connection = await loadConnection({ kubeconfig: controlPlane().kubeconfigPath, clock: systemClock })
    const { ca } = (await connection.credentials()).tls
    const credentials = { tls: ca === undefined ? {} : { ca }, headers: { Authorization: 'Bearer of-nothing' } }
    const stranger = new Transport({
      connection: { ...connection, credentials: () => Promise.resolve(credentials) },
      clock: systemClock,
      random: Math.random,
    })
    const failure = await failureOf(new KubeClient(stranger).list(configMaps))
    await stranger.close()
    expect(failure).to.be.instanceOf(Unauthorized)
    expect(failure.message).not.to.contain('of-nothing')
  })

  it('makes two thousand calls over no more than 64 connections', async () => {
    const link = await FaultLink.to(Number(new URL(controlPlane().url).port))
    const connection = await loadConnection({ kubeconfig: controlPlane().kubeconfigPath, clock: systemClock })
    const own = new Transport({
      connection: { ...connection, url: `https://127.0.0.1:${link.port}` },
      clock: new FastClock(0.1), // the last of so many have waited for the others
      random: Math.random,
    })
    try {
      const many = new KubeClient(own)
      const calls = Array.from({ length: 2_000 }, () =>
        many.get(resources.namespaces, { namespace: '', name: namespace }),
      )
      const answers = await Promise.all(calls)
      expect(answers.filter((answer) => answer?.metadata.name === namespace)).to.have.length(2_000)
      expect(link.connections, 'connections').to.be.within(1, 64)
    } finally {
      await own.close()
      link.close()
    }
  })
})

function sentenceOf({ key, before, after }: Change<KubeObject>): string {
  const what = before === null ? 'created' : after === null ? 'deleted' : 'changed'
  return `${key.name} ${what}`
}

/** Those of one object: the cluster keeps some of its own in every namespace. */
function about(name: string, seen: readonly string[]): readonly string[] {
  return seen.filter((sentence) => sentence.startsWith(`${name} `))
}

function seenEventually(seen: readonly string[], name: string, sentences: readonly string[]): Promise<true> {
  return eventually(`${sentences.join(', ')}; saw ${about(name, seen).join(', ')}`, async () =>
    about(name, seen).length >= sentences.length ? true : undefined,
  ).then((found) => {
    expect(about(name, seen)).to.deep.equal(sentences)
    return found
  })
}

describe('the reflector against a real API server', () => {
  let transport: Transport
  let client: KubeClient
  let namespace: string

  before(async () => {
    transport = await transportFor(controlPlane().kubeconfigPath)
    client = new KubeClient(transport)
    namespace = await controlPlane().namespace()
  })
  after(() => transport.close())

  function reflect(): { readonly reflector: Reflector; readonly seen: string[] } {
    const reflector = new Reflector({
      type: configMaps,
      namespace,
      transport,
      clock: systemClock,
      log: silentLog,
      random: Math.random,
    })
    const seen: string[] = []
    reflector.subscribe((change) => seen.push(sentenceOf(change)))
    reflector.start()
    return { reflector, seen }
  }

  it('lists what is there, then tells of every create, change and delete', async () => {
    await client.create(configMaps, configMap({ namespace, name: 'early' }))
    const { reflector, seen } = reflect()
    await reflector.whenSynced()
    expect(reflector.hasSynced).to.equal(true)
    const key = { namespace, name: 'early' }
    expect(reflector.get(key)?.metadata.uid).to.be.a('string')
    expect(reflector.get(key)?.metadata).not.to.have.property('managedFields')
    await controlPlane().admin.patch(`/api/v1/namespaces/${namespace}/configmaps/early`, { data: { a: 'b' } })
    await client.delete(configMaps, key)
    await seenEventually(seen, 'early', ['early created', 'early changed', 'early deleted'])
    expect(reflector.get(key)).to.equal(null)
    await reflector.stop()
  })

  it('has an object milliseconds after its creation for whoever waits for it', async () => {
    const { reflector } = reflect()
    await reflector.whenSynced()
    const key = { namespace, name: 'awaited' }
    const found = reflector.waitFor(key, 20_000)
    await client.create(configMaps, configMap(key))
    const began = performance.now()
    expect(await found).to.equal(true)
    expect(performance.now() - began, 'ms').to.be.below(1_000)
    await reflector.stop()
  })

  it('is silent after stop', async () => {
    const { reflector, seen } = reflect()
    await reflector.whenSynced()
    await reflector.stop()
    const before = seen.length
    await client.create(configMaps, configMap({ namespace, name: 'unseen' }))
    const later = reflect()
    expect(await later.reflector.waitFor({ namespace, name: 'unseen' }, 20_000)).to.equal(true)
    expect(seen).to.have.length(before)
    await later.reflector.stop()
  })
})
