import { expect } from 'chai'
import { revokeGrant } from '../../src/cli/revoke.ts'
import { Forbidden } from '../../src/cluster/errors.ts'
import type { AccessQuestion, KubeObject } from '../../src/cluster/ports.ts'
import { sessionOf, written } from './fake-session.ts'
import { storedGrant } from './stored-grant.ts'

const args = {
  cluster: { kubeconfig: null, namespace: null, impersonate: null, output: 'text' },
  reason: 'enough',
  wait: 2_000,
} as const

const rules = [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'patch'] }]
const issued = storedGrant({ spec: { revoke: { reason: 'enough' } }, status: { rules } })

/** A cluster in which the grant is there once and then gone; `answers` are given to one question after the other. */
function clusterWithout(grant: KubeObject, answer: (asked: AccessQuestion, nth: number) => boolean) {
  let reads = 0
  const questions: AccessQuestion[] = []
  const client = {
    get: async () => (reads++ === 0 ? grant : null),
    isAllowed: async (question: AccessQuestion) => answer(question, questions.push(question)),
  }
  return { session: sessionOf({ client }), questions }
}

const forbidden = (): never => {
  throw new Forbidden({ method: 'POST', path: '/' }, 'no')
}

describe('lapse revoke GRANT, when the object is deleted meanwhile', () => {
  const table = [
    ['is 0 when the API server denies all that was granted', issued, () => false, 0, 'the API server denies what was'],
    ['waits for that', issued, (_: unknown, nth: number) => nth < 5, 0, 'the API server denies what was granted'],
    [
      'is 1 when it still allows some of it',
      issued,
      ({ verb }: AccessQuestion) => verb === 'patch',
      1,
      'the API server still allows patch deployments.apps\n',
    ],
    [
      'is 6 when it may not be asked',
      issued,
      forbidden,
      6,
      'that its access is gone is not proved: subjectaccessreviews may not be created\n',
    ],
    [
      'is 6 when nothing had been issued',
      storedGrant({ status: { state: 'Pending', issuedAt: undefined } }),
      () => false,
      6,
      'that its access is gone is not proved: it was not issued when it was seen last\n',
    ],
    ['is 0 when it only waived checks', storedGrant({ status: { waive: ['host-path'] } }), forbidden, 0, 'no access\n'],
  ] as const
  for (const [sentence, grant, answer, code, said] of table) {
    it(sentence, async () => {
      const io = written()
      const { session } = clusterWithout(withRevoke(grant), answer)
      expect(await revokeGrant('debug', args, session, io)).to.equal(code)
      expect(io.err)
        .to.match(/^lapse revoke: NHIGrant payments\/debug was deleted; /)
        .and.include(said)
      expect(io.out).to.equal('')
    })
  }

  it('asks for everything that was granted, as the subject, in the namespace', async () => {
    const { session, questions } = clusterWithout(issued, () => false)
    await revokeGrant('debug', args, session, written())
    expect(questions.map(({ verb }) => verb)).to.deep.equal(['get', 'patch'])
    expect(questions[0]).to.deep.include({
      username: 'system:serviceaccount:payments:api',
      namespace: 'payments',
      apiGroup: 'apps',
      resource: 'deployments',
    })
  })
})

/** So that nothing is left to be patched. */
function withRevoke(grant: KubeObject): KubeObject {
  return { ...grant, spec: { ...(grant['spec'] as object), revoke: { reason: 'enough' } } }
}
