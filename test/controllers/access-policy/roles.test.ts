import { expect } from 'chai'

import type { AccessPolicyRevision } from '../../../src/api/v1alpha1/objects.ts'
import { Conflict } from '../../../src/cluster/errors.ts'
import type { ClusterClient, KubeObject } from '../../../src/cluster/ports.ts'
import { deleteRoles } from '../../../src/controllers/access-policy/roles.ts'

const name = 'lapse-set-0'
const revision = {
  metadata: { uid: 'r-1' },
  status: { roles: [{ set: 'rollout', clusterRole: name }] },
} as unknown as AccessPolicyRevision

function role(uid: string, owner = 'r-1'): KubeObject {
  const ownerReferences = [
    { apiVersion: 'lapse.dev/v1alpha1', kind: 'AccessPolicyRevision', uid: owner, controller: true },
  ]
  const metadata = { name, uid, resourceVersion: '1', ownerReferences }
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata } as object as KubeObject
}

/** The calls that it takes to take the roles of the revision, when one is known and one is there. */
async function callsFor(known: KubeObject | null, there: KubeObject | null): Promise<readonly string[]> {
  const calls: string[] = []
  const client: Pick<ClusterClient, 'get' | 'delete'> = {
    get: async () => {
      calls.push('get')
      return there
    },
    delete: async (_, __, { uid = '' } = {}) => {
      calls.push(`delete ${uid}`)
      if (there !== null && there.metadata.uid !== uid)
        throw new Conflict({ method: 'DELETE', path: '/' }, 'another one', 'Conflict')
      return there === null ? 'absent' : 'deleted'
    },
  }
  await deleteRoles(client as ClusterClient, revision, () => known)
  return calls
}

describe('the roles of a version that is over', () => {
  const cases: readonly [
    what: string,
    known: KubeObject | null,
    there: KubeObject | null,
    expected: readonly string[],
  ][] = [
    ['go at once when they are known', role('c-1'), role('c-1'), ['delete c-1']],
    ['are not looked for when they are gone', role('c-1'), null, ['delete c-1']],
    ['are looked for when they were made anew', role('c-1'), role('c-2'), ['delete c-1', 'get', 'delete c-2']],
    ['are looked for when none is known', null, role('c-1'), ['get', 'delete c-1']],
    ["are left alone when they are somebody else's", role('c-1', 'r-2'), role('c-1', 'r-2'), ['get']],
  ]
  for (const [what, known, there, expected] of cases) {
    it(what, async () => expect(await callsFor(known, there)).to.deep.equal(expected))
  }
})
