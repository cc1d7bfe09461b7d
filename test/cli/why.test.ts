import { expect } from 'chai'
import { accessPaths, allowedNames } from '../../src/cli/access-paths.ts'
import type { AccessExplanation } from '../../src/cli/explain-access.ts'
import { explanationDocument, explanationText } from '../../src/cli/explanation-text.ts'
import { findResource } from '../../src/cli/find-resource.ts'
import { grantRow, type GrantRow } from '../../src/cli/grant-row.ts'
import { Forbidden } from '../../src/cluster/errors.ts'
import type { Identity } from '../../src/core/identity.ts'
import { RbacIndex } from '../../src/core/rbac/rbac-index.ts'
import { rbacUserOf } from '../../src/core/rbac/subject.ts'
import { getSecrets as get } from './secrets-request.ts'
import { storedGrant } from './stored-grant.ts'
import { lapse, now } from './fake-io.ts'

const api: Identity = { kind: 'ServiceAccount', namespace: 'payments', name: 'api' }

const rule = (verbs: readonly string[], resourceNames?: readonly string[]) => ({
  apiGroups: [''],
  resources: ['secrets'],
  verbs,
  ...(resourceNames !== undefined && { resourceNames }),
})

function view(): RbacIndex {
  const index = new RbacIndex()
  const subjects = [{ kind: 'ServiceAccount', namespace: 'payments', name: 'api' }]
  const bind = (namespace: string, name: string, uid: string, kind: string, role: string, to: object[] = subjects) => ({
    metadata: { namespace, name, uid },
    roleRef: { kind, name: role },
    subjects: to,
  })
  index.upsert('ClusterRole', { metadata: { name: 'reader' }, rules: [rule(['list']), rule(['get', 'list'])] })
  index.upsert('Role', {
    metadata: { namespace: 'payments', name: 'one' },
    rules: [rule(['get', 'watch'], ['a', 'b'])],
  })
  index.upsert('RoleBinding', bind('payments', 'carried', 'u1', 'ClusterRole', 'reader'))
  index.upsert('RoleBinding', bind('payments', 'legacy', 'u2', 'ClusterRole', 'reader'))
  index.upsert('RoleBinding', bind('payments', 'named', 'u3', 'Role', 'one'))
  index.upsert('RoleBinding', bind('other', 'elsewhere', 'u4', 'ClusterRole', 'reader'))
  index.upsert(
    'RoleBinding',
    bind('payments', 'others', 'u5', 'ClusterRole', 'reader', [{ kind: 'User', name: 'ana' }]),
  )
  return index
}

const grant = grantRow(storedGrant({ status: { objects: [{ kind: 'RoleBinding', name: 'carried', uid: 'u1' }] } }))
const carriedBy: ReadonlyMap<string, GrantRow> = new Map(grant.bindings.map((uid) => [uid, grant]))

function explain(request = get, changed: Partial<AccessExplanation> = {}): AccessExplanation {
  const paths = accessPaths(rbacUserOf(api), request, view(), carriedBy)
  const allowed = paths.length > 0
  const names = allowedNames(rbacUserOf(api), request, view())
  return { subject: api, request, allowed, authorizer: allowed, paths, names, notes: [], ...changed }
}

describe('lapse why', () => {
  it('names every path, and the grant that carries it', () => {
    expect(explanationText(explain(), now)).to.equal(`yes: ServiceAccount payments/api may get secrets in payments
  RoleBinding payments/carried → ClusterRole reader: get,list secrets
    NHIGrant payments/debug under deploy@1.4.0, until 2026-12-01T12:30:00.000Z (30m left)
  RoleBinding payments/legacy → ClusterRole reader: get,list secrets
    for good: no grant carries it
`)
  })

  it('counts what is allowed by name for that name', () => {
    const sources = explain({ ...get, name: 'b' }).paths.map(({ binding }) => binding?.name)
    expect(sources).to.deep.equal(['carried', 'legacy', 'named'])
  })

  it('says when nothing gives it', () => {
    expect(explanationText(explain({ ...get, verb: 'delete' }), now)).to.equal(
      'no: ServiceAccount payments/api may not delete secrets in payments\n  nothing gives it\n',
    )
  })

  it('says when it is given by name only', () => {
    expect(explanationText(explain({ ...get, verb: 'watch' }), now)).to.include('\n  only by name: a, b\n')
  })

  it('knows that what holds in one namespace does not hold in all', () => {
    expect(explain({ ...get, namespace: '' }).paths).to.deep.equal([])
  })

  it('says when another authorizer allows it', () => {
    const text = explanationText(explain({ ...get, verb: 'delete' }, { allowed: true, authorizer: true }), now)
    expect(text).to.match(/^yes: .*\n {2}no binding gives it: another authorizer of the API server allows it/)
  })

  it('says when the API server denies what RBAC gives', () => {
    const text = explanationText(explain(get, { allowed: false, authorizer: false }), now)
    expect(text).to.match(/^no: [\s\S]*\n {2}the API server denies it all the same/)
  })

  it('knows what system:masters amounts to', () => {
    const user = { username: 'root', groups: ['system:masters'] }
    const [path] = accessPaths(user, get, new RbacIndex(), new Map())
    expect(path).to.deep.include({ binding: null, grant: null })
  })

  it('gives the same as a document', () => {
    expect(explanationDocument(explain())).to.deep.include({
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'AccessExplanation',
      subject: api,
      allowed: true,
      authorizer: 'Allowed',
    })
    const { paths } = explanationDocument(explain()) as { readonly paths: readonly { readonly grant: unknown }[] }
    expect(paths.map((path) => path.grant)).to.deep.equal([
      {
        kind: 'NHIGrant',
        namespace: 'payments',
        name: 'debug',
        policy: { name: 'deploy', version: '1.4.0' },
        notAfter: '2026-12-01T12:30:00.000Z',
      },
      null,
    ])
  })

  describe('takes a resource', () => {
    const discovery: Readonly<Record<string, object>> = {
      '/api': group('', { resource: 'pods', singularResource: 'pod', shortNames: ['po'], scope: 'Namespaced' }),
      '/apis': {
        items: [
          ...group('apps', { resource: 'deployments', shortNames: ['deploy'], scope: 'Namespaced' }).items,
          ...group('other.io', { resource: 'pods', scope: 'Namespaced' }, { resource: 'nodes', scope: 'Cluster' })
            .items,
        ],
      },
    }
    const transport = { call: async (_: string, path: string) => discovery[path] }
    for (const [text, expected] of [
      ['pods', { group: '', plural: 'pods', scope: 'Namespaced', served: true }],
      ['po', { group: '', plural: 'pods', scope: 'Namespaced', served: true }],
      ['Pod', { group: '', plural: 'pods', scope: 'Namespaced', served: true }],
      ['pods.other.io', { group: 'other.io', plural: 'pods', scope: 'Namespaced', served: true }],
      ['deploy', { group: 'apps', plural: 'deployments', scope: 'Namespaced', served: true }],
      ['nodes', { group: 'other.io', plural: 'nodes', scope: 'Cluster', served: true }],
      ['gadgets.example.com', { group: 'example.com', plural: 'gadgets', scope: 'Namespaced', served: false }],
      ['*', { group: '', plural: '*', scope: 'Namespaced', served: false }],
    ] as const) {
      it(`${text} for ${expected.served ? 'what the cluster serves' : 'what it says'}`, async () => {
        expect(await findResource(transport, text)).to.deep.equal(expected)
      })
    }

    it('as it is written where nobody may look', async () => {
      const closed = { call: () => Promise.reject(new Forbidden({ method: 'GET', path: '/api' }, 'no')) }
      expect(await findResource(closed, 'pods')).to.deep.include({ plural: 'pods', served: false })
    })
  })

  for (const [sentence, argv, stderr] of [
    ['too few words', ['sa/api', 'get'], /^lapse why: RESOURCE is missing; see lapse why --help/],
    ['too many', ['sa/api', 'get', 'pods', 'x'], /unexpected argument "x"/],
    ['a name of nothing', ['sa/api', 'get', ''], /RESOURCE must be a resource, such as pods, or a path/],
    ['two places', ['sa/api', 'get', 'pods', '-A', '-n', 'x'], /give --namespace or --all-namespaces/],
  ] as const) {
    it(`refuses ${sentence}`, async () => {
      const outcome = await lapse(['why', ...argv])
      expect(outcome.stderr).to.match(stderr)
      expect(outcome.code).to.equal(2)
    })
  }
})

function group(name: string, ...resources: readonly object[]): { readonly items: readonly object[] } {
  return { items: [{ metadata: { name }, versions: [{ version: 'v1', resources }] }] }
}
