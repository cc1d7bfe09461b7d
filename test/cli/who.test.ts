import { expect } from 'chai'
import { grantRow, type GrantRow } from '../../src/cli/grant-row.ts'
import { holdersDocument, holdersText } from '../../src/cli/holders-text.ts'
import { RbacIndex } from '../../src/core/rbac/rbac-index.ts'
import { whoCan } from '../../src/core/rbac/who-can.ts'
import { lapse, now } from './fake-io.ts'
import { getSecrets } from './secrets-request.ts'
import { storedGrant } from './stored-grant.ts'

const api = { kind: 'ServiceAccount', namespace: 'payments', name: 'api' }
const leads = { kind: 'Group', name: 'leads' }

function view(): RbacIndex {
  const index = new RbacIndex()
  const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list'] }]
  index.upsert('ClusterRole', { metadata: { name: 'reader' }, rules })
  const bind = (name: string, subjects: readonly object[]) =>
    index.upsert('RoleBinding', {
      metadata: { namespace: 'payments', name, uid: `uid of ${name}` },
      roleRef: { kind: 'ClusterRole', name: 'reader' },
      subjects,
    })
  bind('carried', [api])
  bind('legacy', [{ kind: 'ServiceAccount', name: 'batch' }, leads])
  return index
}

const grant = grantRow(
  storedGrant({ status: { objects: [{ kind: 'RoleBinding', name: 'carried', uid: 'uid of carried' }] } }),
)
const carriedBy: ReadonlyMap<string, GrantRow> = new Map(grant.bindings.map((uid) => [uid, grant]))

const found = { request: getSecrets, holders: whoCan(getSecrets, view()), carriedBy }

describe('lapse who', () => {
  it('names everybody who may, by what, and until when', () => {
    expect(holdersText(found, now)).to.equal(`these may get secrets in payments:
  Group system:masters
    group system:masters: * *.*
    for good: no grant carries it
  ServiceAccount payments/api
    RoleBinding payments/carried → ClusterRole reader: get,list secrets
    NHIGrant payments/debug under deploy@1.4.0, until 2026-12-01T12:30:00.000Z (30m left)
  ServiceAccount payments/batch
    RoleBinding payments/legacy → ClusterRole reader: get,list secrets
    for good: no grant carries it
  Group leads
    RoleBinding payments/legacy → ClusterRole reader: get,list secrets
    for good: no grant carries it
`)
  })

  it('says when nobody may', () => {
    expect(holdersText({ ...found, holders: [] }, now)).to.equal('nobody may get secrets in payments\n')
  })

  it('gives the same as a document', () => {
    const { kind, holders } = holdersDocument(found) as {
      readonly kind: string
      readonly holders: readonly {
        readonly subject: object
        readonly binding: object | null
        readonly grant: object | null
      }[]
    }
    expect(kind).to.equal('AccessHolders')
    expect(holders.map(({ subject, binding, grant: by }) => [subject, binding !== null, by !== null])).to.deep.equal([
      [{ kind: 'Group', name: 'system:masters' }, false, false],
      [api, true, true],
      [{ kind: 'ServiceAccount', name: 'batch' }, true, false],
      [leads, true, false],
    ])
  })

  const wrong: readonly (readonly [sentence: string, argv: readonly string[], told: string])[] = [
    ['no resource', ['get'], 'RESOURCE'],
    ['two namespaces', ['get', 'pods', '-n', 'a', '-A'], 'give --namespace or --all-namespaces'],
    ['too many words', ['get', 'pods', 'now'], 'now'],
  ]
  for (const [sentence, argv, told] of wrong)
    it(`refuses ${sentence}`, async () => {
      const { code, stderr } = await lapse(['who', ...argv])
      expect(code).to.equal(2)
      expect(stderr).to.include(told)
    })
})
