import { expect } from 'chai'
import { KubeClient } from '../../src/cluster/client.ts'
import { Gone, NotFound } from '../../src/cluster/errors.ts'
import { resources } from '../../src/cluster/resources.ts'
import type { CallOptions, Transport } from '../../src/cluster/transport.ts'

const request = { method: 'GET', path: '/x' }
const key = { namespace: 'payments', name: 'g1' }

type Answer = Error | object | null

/** Answers the calls one after the other, and keeps them. */
class ScriptedCalls implements Pick<Transport, 'call'> {
  readonly calls: { readonly line: string; readonly body: unknown; readonly options: CallOptions | undefined }[] = []
  readonly #answers: Answer[]

  constructor(...answers: Answer[]) {
    this.#answers = answers
  }

  call(method: string, path: string, body?: object, options?: CallOptions): Promise<unknown> {
    this.calls.push({ line: `${method} ${path}`, body, options })
    const answer = this.#answers.shift()
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
  }

  get lines(): readonly string[] {
    return this.calls.map(({ line }) => line)
  }
}

function page(names: readonly string[], next?: string): object {
  const metadata = { resourceVersion: '7', ...(next === undefined ? {} : { continue: next }) }
  return { metadata, items: names.map((name) => ({ metadata: { name } })) }
}

async function namesOf(calls: ScriptedCalls): Promise<readonly string[]> {
  const listed = await new KubeClient(calls).list(resources.nhiGrants)
  return listed.map(({ metadata }) => metadata.name)
}

describe('the client', () => {
  describe('asked for an access review', () => {
    const question = {
      username: 'ci',
      groups: ['builders'],
      namespace: 'payments',
      verb: 'get',
      apiGroup: 'apps',
      resource: 'deployments',
      subresource: 'scale',
      name: 'api',
    }
    const answers: readonly (readonly [string, Answer, boolean])[] = [
      ['allowed', { status: { allowed: true } }, true],
      ['not allowed', { status: { allowed: false } }, false],
      ['denied', { status: { allowed: false, denied: true } }, false],
      ['no status', {}, false],
      ['a text instead of a truth value', { status: { allowed: 'true' } }, false],
      ['nothing', { status: null }, false],
    ]
    for (const [what, answer, allowed] of answers) {
      it(`says ${allowed ? 'yes' : 'no'} when the answer is ${what}`, async () => {
        expect(await new KubeClient(new ScriptedCalls(answer)).isAllowed(question)).to.equal(allowed)
      })
    }

    it('puts the whole question, and as a read that may be repeated', async () => {
      const calls = new ScriptedCalls({ status: { allowed: true } })
      await new KubeClient(calls).isAllowed(question)
      const resourceAttributes = {
        namespace: 'payments',
        verb: 'get',
        group: 'apps',
        resource: 'deployments',
        subresource: 'scale',
        name: 'api',
      }
      expect(calls.calls[0]?.body).to.deep.include({ spec: { user: 'ci', groups: ['builders'], resourceAttributes } })
      expect(calls.calls[0]?.options?.effect).to.equal('read')
    })
  })

  it('takes an object that is absent for deleted, but not a kind that is not served', async () => {
    const absent = new KubeClient(new ScriptedCalls(new NotFound(request, 'no', 'object')))
    expect(await absent.delete(resources.nhiGrants, key)).to.equal('absent')
    const failure = new NotFound(request, 'no such kind', 'resource')
    const unserved = new KubeClient(new ScriptedCalls(failure, failure))
    for (const call of [unserved.delete(resources.nhiGrants, key), unserved.get(resources.nhiGrants, key)]) {
      expect(await call.catch((error: unknown) => error)).to.equal(failure)
    }
  })

  it('says whether finalizers keep what it has deleted', async () => {
    const gone = { kind: 'Status', status: 'Success' }
    const kept = { metadata: { deletionTimestamp: '2027-01-01T00:00:00Z', finalizers: ['example.com/kept'] } }
    const asItWas = { metadata: { name: 'g1', finalizers: [] } }
    for (const [answer, outcome] of [
      [gone, 'deleted'],
      [asItWas, 'deleted'],
      [kept, 'held'],
    ] as const)
      expect(await new KubeClient(new ScriptedCalls(answer)).delete(resources.roleBindings, key)).to.equal(outcome)
  })

  it('names the UID that it means to delete', async () => {
    const calls = new ScriptedCalls({})
    expect(await new KubeClient(calls).delete(resources.roleBindings, key, { uid: 'u1' })).to.equal('deleted')
    expect(calls.lines).to.deep.equal(['DELETE /apis/rbac.authorization.k8s.io/v1/namespaces/payments/rolebindings/g1'])
    expect(calls.calls[0]?.body).to.deep.include({ preconditions: { uid: 'u1' }, propagationPolicy: 'Background' })
  })

  describe('told how long it may take', () => {
    const object = { metadata: { ...key, uid: 'u1', resourceVersion: '1' } }
    const limit = { timeout: 700 }
    const limited: Readonly<Record<string, (client: KubeClient) => Promise<unknown>>> = {
      get: (client) => client.get(resources.nhiGrants, key, limit),
      create: (client) => client.create(resources.nhiGrants, object, limit),
      replaceStatus: (client) => client.replaceStatus(resources.nhiGrants, object, {}, limit),
      delete: (client) => client.delete(resources.nhiGrants, key, { uid: 'u1', ...limit }),
    }
    for (const [verb, call] of Object.entries(limited))
      it(`makes ${verb} with that limit`, async () => {
        const calls = new ScriptedCalls(object)
        await call(new KubeClient(calls))
        expect(calls.calls.map(({ options }) => options)).to.deep.equal([limit])
      })
  })

  describe('listing', () => {
    const list = '/apis/lapse.dev/v1alpha1/nhigrants'

    it('follows the pages to the end', async () => {
      const calls = new ScriptedCalls(page(['a', 'b'], 'p2'), page(['c'], 'p3'), page([]))
      expect(await namesOf(calls)).to.deep.equal(['a', 'b', 'c'])
      expect(calls.lines).to.deep.equal([
        `GET ${list}?limit=500`,
        `GET ${list}?limit=500&continue=p2`,
        `GET ${list}?limit=500&continue=p3`,
      ])
    })

    it('begins again, with nothing kept, when the list is forgotten on page two', async () => {
      const calls = new ScriptedCalls(page(['old'], 'p2'), new Gone(request, 'expired'), page(['a'], 'p2'), page(['b']))
      expect(await namesOf(calls)).to.deep.equal(['a', 'b'])
    })

    it('gives up when it is forgotten a second time', async () => {
      const gone = new Gone(request, 'expired')
      const calls = new ScriptedCalls(page(['a'], 'p2'), gone, page(['a'], 'p2'), gone, page(['a']))
      expect(await namesOf(calls).catch((error: unknown) => error)).to.equal(gone)
    })

    it('takes a list of null for an empty one, and anything else for a failure', async () => {
      expect(await namesOf(new ScriptedCalls({ metadata: { resourceVersion: '7' }, items: null }))).to.deep.equal([])
      for (const answer of [null, {}, { items: [] }, { metadata: { resourceVersion: '7' } }]) {
        const failure = (await namesOf(new ScriptedCalls(answer)).catch((error: unknown) => error)) as Error
        expect(failure.message).to.equal(`the answer is no list (GET ${list})`)
      }
    })

    it('asks for one namespace and a selector', async () => {
      const calls = new ScriptedCalls(page([]))
      await new KubeClient(calls).list(resources.nhiGrants, { namespace: 'payments', labelSelector: 'a=b,!c' })
      expect(calls.lines).to.deep.equal([
        'GET /apis/lapse.dev/v1alpha1/namespaces/payments/nhigrants?limit=500&labelSelector=a%3Db%2C%21c',
      ])
    })
  })
})
