import { expect } from 'chai'
import { liftSuspension, suspend } from '../../src/cli/suspend.ts'
import { Conflict } from '../../src/cluster/errors.ts'
import { sessionOf, written } from './fake-session.ts'
import { storedGrant } from './stored-grant.ts'

const api = { kind: 'ServiceAccount', namespace: 'payments', name: 'api' }
const args = {
  cluster: { kubeconfig: null, namespace: null, impersonate: null, output: 'text' },
  reason: 'its key leaked',
  wait: 0,
} as const

function suspension(name: string, subject: object, metadata: object = {}) {
  return {
    metadata: { name, uid: `uid of ${name}`, resourceVersion: '1', ...metadata },
    spec: { subject, reason: 'r' },
  }
}

/** Has the suspensions that are given, and gives names that are generated the end `x1`. */
function clusterWith(...there: readonly ReturnType<typeof suspension>[]) {
  const created: { readonly metadata: { readonly name: string }; readonly spec: object }[] = []
  const deleted: string[] = []
  const client = {
    list: async ({ plural }: { plural: string }) => (plural === 'nhisuspensions' ? there : []),
    get: async (_: unknown, { name }: { name: string }) => there.find((each) => each.metadata.name === name) ?? null,
    delete: async (_: unknown, { name }: { name: string }) => void deleted.push(name),
    create: async (_: unknown, object: { metadata: { name?: string; generateName?: string }; spec: object }) => {
      const name = object.metadata.name ?? `${object.metadata.generateName}x1`
      if (there.some((each) => each.metadata.name === name))
        throw new Conflict({ method: 'POST', path: '/' }, 'exists', 'AlreadyExists')
      const stored = { ...object, metadata: { name } }
      created.push(stored)
      return stored
    },
  }
  return { session: sessionOf({ client }), created, deleted }
}

const by = (name: string): string => `ServiceAccount payments/api is suspended by NHISuspension ${name}\n`
const already = 'ServiceAccount payments/api was suspended already\n'

describe('lapse revoke --subject', () => {
  const table = [
    ['creates one', [], 'sa.payments.api', by('sa.payments.api')],
    ['F10: believes one that is there and names the same', [suspension('sa.payments.api', api)], null, already],
    [
      'F10: believes one that spells it as a User',
      [suspension('sa.payments.api', { kind: 'User', name: 'system:serviceaccount:payments:api' })],
      null,
      already,
    ],
    [
      'F10: takes no suspension of another identity for success, and creates one under another name',
      [suspension('sa.payments.api', { ...api, name: 'other' })],
      'sa.payments.api-x1',
      by('sa.payments.api-x1'),
    ],
    [
      'F10: takes no suspension that is being lifted for success',
      [suspension('sa.payments.api', api, { deletionTimestamp: '2026-12-01T12:00:00Z' })],
      'sa.payments.api-x1',
      by('sa.payments.api-x1'),
    ],
  ] as const
  for (const [sentence, there, name, said] of table) {
    it(sentence, async () => {
      const { session, created } = clusterWith(...there)
      const io = written()
      await suspend('sa/payments/api', args, session, io)
      expect(created.map(({ metadata }) => metadata.name)).to.deep.equal(name === null ? [] : [name])
      for (const { spec } of created) expect(spec).to.deep.equal({ subject: api, reason: 'its key leaked' })
      expect(io.err).to.include(`lapse revoke: ${said}`)
    })
  }

  it('asks the API server about a grant that is deleted meanwhile', async () => {
    const rules = [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] }]
    for (const [isAllowed, code, said] of [
      [true, 1, 'the API server still allows get deployments.apps\n'],
      [false, 0, 'the API server denies what was granted\n'],
    ] as const) {
      let lists = 0
      const client = {
        list: async ({ plural }: { plural: string }) =>
          plural === 'nhigrants' && lists++ === 0 ? [storedGrant({ status: { rules } })] : [],
        create: async () => ({ metadata: { name: 's' } }),
        isAllowed: async () => isAllowed,
      }
      const io = written()
      expect(await suspend('sa/payments/api', args, sessionOf({ client }), io)).to.equal(code)
      expect(io.err).to.include(`lapse revoke: NHIGrant payments/debug was deleted; ${said}`)
    }
  })

  it('lifts whatever names the subject, and no other', async () => {
    const { session, deleted } = clusterWith(
      suspension('a', api),
      suspension('b', { kind: 'User', name: 'system:serviceaccount:payments:api' }),
      suspension('sa.payments.api', { ...api, name: 'other' }),
    )
    await liftSuspension('sa/payments/api', session, written())
    expect(deleted).to.deep.equal(['a', 'b'])
  })
})
