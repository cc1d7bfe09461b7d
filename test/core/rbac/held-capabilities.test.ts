import { expect } from 'chai'
import { capabilityCatalogue } from '../../../src/core/rbac/capability-catalogue.ts'
import { capabilityIds } from '../../../src/core/rbac/capability.ts'
import type { CapabilityId } from '../../../src/core/rbac/capability.ts'
import type { LabelSelector } from '../../../src/core/selector.ts'
import { heldCapabilities } from '../../../src/core/rbac/held-capabilities.ts'
import type { PolicyRule } from '../../../src/core/rbac/rule.ts'
import type { RbacUser } from '../../../src/core/rbac/subject.ts'
import { api, binding, rbacOf, role, rule } from './rbac-of.ts'
import type { RawObject } from './rbac-of.ts'

/** `secrets-read@payments`, `exec@` for the whole cluster, `secrets-read@payments as it should be`. */
function heldBy(user: RbacUser, ...objects: readonly RawObject[]): readonly string[] {
  const held = heldCapabilities(user, capabilityIds, rbacOf(...objects))
  return held.map(
    ({ capability, namespace, isHarmless }) => `${capability}@${namespace}${isHarmless ? ' as it should be' : ''}`,
  )
}

const inPayments = (...rules: readonly PolicyRule[]) =>
  heldBy(api, role('payments/r', ...rules), binding('payments/b', 'Role r', 'ServiceAccount api'))
const everywhere = (...rules: readonly PolicyRule[]) =>
  heldBy(api, role('r', ...rules), binding('b', 'ClusterRole r', 'ServiceAccount payments/api'))

const rbac = 'rbac.authorization.k8s.io'
const csr = 'certificatesigningrequests.certificates.k8s.io'
const admission = 'admissionregistration.k8s.io'

interface Sentence {
  readonly sentence: string
  readonly rules: readonly PolicyRule[]
  /** Capabilities held by a RoleBinding in payments. */
  readonly namespaced: readonly string[]
  /** Capabilities held by a ClusterRoleBinding; absent: the same. */
  readonly clusterWide?: readonly string[]
}

const table: readonly Sentence[] = [
  {
    sentence: 'reading and writing ordinary things is no capability',
    rules: [rule('get,list,watch,create,update,patch,delete configmaps,services'), rule('get,list,watch pods')],
    namespaced: [],
    clusterWide: ['system-configmap'],
  },
  { sentence: 'secrets-read is held by get', rules: [rule('get secrets')], namespaced: ['secrets-read'] },
  { sentence: 'secrets-read is held by list', rules: [rule('list secrets')], namespaced: ['secrets-read'] },
  { sentence: 'secrets-read is held by watch', rules: [rule('watch secrets')], namespaced: ['secrets-read'] },
  {
    sentence: 'secrets-read is held by an empty list of names',
    rules: [{ ...rule('get secrets'), resourceNames: [] }],
    namespaced: ['secrets-read'],
  },
  {
    sentence: 'secrets-read by the names of some is only on record',
    rules: [rule('get secrets', 'own')],
    namespaced: ['secrets-read@payments as it should be'],
    clusterWide: ['secrets-read@ as it should be'],
  },
  { sentence: 'secrets-read is of the core group only', rules: [rule('get secrets.example.com')], namespaced: [] },
  { sentence: 'secrets-read is not held by delete', rules: [rule('delete secrets')], namespaced: [] },
  {
    sentence: 'secrets-write is held by create',
    rules: [rule('create secrets')],
    namespaced: ['secrets-write'],
    clusterWide: ['secrets-write', 'governance-tamper'],
  },
  {
    sentence: 'secrets-write is held by patch',
    rules: [rule('patch secrets')],
    namespaced: ['secrets-write'],
    clusterWide: ['secrets-write', 'governance-tamper'],
  },
  {
    sentence: 'secrets-write is not held by the names of some',
    rules: [rule('update,patch secrets', 'own')],
    namespaced: [],
  },
  {
    sentence: 'workload-create is held by create pods',
    rules: [rule('create pods')],
    namespaced: ['workload-create'],
    clusterWide: ['workload-create', 'governance-tamper'],
  },
  {
    sentence: 'workload-create is held by patch of Deployments',
    rules: [rule('patch deployments.apps')],
    namespaced: ['workload-create'],
  },
  {
    sentence: 'workload-create is held by patch of one named Deployment, whose template can name any ServiceAccount',
    rules: [rule('patch deployments.apps', 'own')],
    namespaced: ['workload-create'],
  },
  {
    sentence: 'workload-create is held by CronJobs',
    rules: [rule('update cronjobs.batch')],
    namespaced: ['workload-create'],
  },
  {
    sentence: 'workload-create is not held by deployments/scale',
    rules: [rule('patch deployments.apps/scale')],
    namespaced: [],
  },
  {
    sentence: 'workload-create is not held by Deployments of another group',
    rules: [rule('patch deployments')],
    namespaced: [],
  },
  {
    sentence: 'a named create alone is inert, since a POST carries no name',
    rules: [rule('create pods', 'a')],
    namespaced: [],
  },
  {
    sentence: 'a named create is real where an apply of that name is allowed',
    rules: [rule('create pods', 'a', 'b'), rule('patch pods', 'b')],
    namespaced: ['workload-create'],
  },
  {
    sentence: 'a named create is inert where only an apply of another name is allowed',
    rules: [rule('create pods', 'a'), rule('patch pods', 'b')],
    namespaced: [],
  },
  {
    sentence: 'pod-mutate is held by patch',
    rules: [rule('patch pods')],
    namespaced: ['pod-mutate'],
    clusterWide: ['pod-mutate', 'governance-tamper'],
  },
  { sentence: 'pod-mutate is not held by one named Pod', rules: [rule('patch pods', 'a')], namespaced: [] },
  {
    sentence: 'exec is held by create pods/exec',
    rules: [rule('create pods/exec')],
    namespaced: ['exec'],
    clusterWide: ['exec', 'governance-tamper'],
  },
  {
    sentence: 'exec is held by get pods/exec, as before 1.35',
    rules: [rule('get pods/exec')],
    namespaced: ['exec'],
    clusterWide: ['exec', 'governance-tamper'],
  },
  { sentence: 'exec is held by attach', rules: [rule('create pods/attach')], namespaced: ['exec'] },
  {
    sentence: 'exec is held by */exec',
    rules: [rule('create */exec')],
    namespaced: ['wildcard', 'exec'],
    clusterWide: ['wildcard', 'exec', 'governance-tamper'],
  },
  { sentence: 'exec is held in one named Pod', rules: [rule('create pods/exec', 'db-0')], namespaced: ['exec'] },
  {
    sentence: 'exec is held by ephemeral containers',
    rules: [rule('patch pods/ephemeralcontainers')],
    namespaced: ['exec'],
  },
  { sentence: 'exec is held by the proxy to Services', rules: [rule('get services/proxy')], namespaced: ['exec'] },
  { sentence: 'exec is not held by all verbs on pods but only pods', rules: [rule('get,delete pods')], namespaced: [] },
  { sentence: 'exec is not held by pods/*, which matches nothing', rules: [rule('create pods/*')], namespaced: [] },
  { sentence: 'exec is not held by logs', rules: [rule('get pods/log')], namespaced: [] },
  {
    sentence: 'token-request is held by create',
    rules: [rule('create serviceaccounts/token')],
    namespaced: ['token-request'],
  },
  {
    sentence: 'token-request is held for one named ServiceAccount',
    rules: [rule('create serviceaccounts/token', 'admin')],
    namespaced: ['token-request'],
  },
  {
    sentence: 'token-request is not held by create serviceaccounts',
    rules: [rule('create serviceaccounts')],
    namespaced: [],
  },
  {
    sentence: 'impersonate is held by ServiceAccounts',
    rules: [rule('impersonate serviceaccounts')],
    namespaced: ['impersonate'],
  },
  {
    sentence: 'impersonate is held for one name',
    rules: [rule('impersonate serviceaccounts', 'a')],
    namespaced: ['impersonate'],
  },
  {
    sentence: 'impersonation of Users is inert in a RoleBinding, since Users have no namespace',
    rules: [rule('impersonate users')],
    namespaced: [],
    clusterWide: ['impersonate'],
  },
  {
    sentence: 'constrained impersonation of a node counts',
    rules: [rule('impersonate:associated-node nodes.authentication.k8s.io')],
    namespaced: [],
    clusterWide: ['impersonate'],
  },
  {
    sentence: 'bind is held by both halves',
    rules: [rule(`bind clusterroles.${rbac}`), rule(`create rolebindings.${rbac}`)],
    namespaced: ['bind', 'binding-edit'],
  },
  {
    sentence: 'bind is held for one named role',
    rules: [rule(`bind roles.${rbac}`, 'admin'), rule(`patch rolebindings.${rbac}`, 'own')],
    namespaced: ['bind', 'binding-edit'],
  },
  { sentence: 'bind is not held by the verb alone', rules: [rule(`bind clusterroles.${rbac}`)], namespaced: [] },
  {
    sentence: 'bind is not held by the write of bindings alone',
    rules: [rule(`create,update,patch rolebindings.${rbac}`)],
    namespaced: ['binding-edit'],
  },
  {
    sentence: 'bind is not held by bind on bindings, which nothing asks for',
    rules: [rule(`bind,create rolebindings.${rbac}`)],
    namespaced: ['binding-edit'],
  },
  {
    sentence: 'ClusterRoleBindings cannot be written from a namespace',
    rules: [rule(`bind clusterroles.${rbac}`), rule(`create clusterrolebindings.${rbac}`)],
    namespaced: [],
    clusterWide: ['bind', 'binding-edit'],
  },
  {
    sentence: 'bind on Roles is worth nothing to a ClusterRoleBinding',
    rules: [rule(`bind roles.${rbac}`), rule(`create clusterrolebindings.${rbac}`)],
    namespaced: [],
    clusterWide: ['binding-edit'],
  },
  {
    sentence: 'escalate is held by both halves',
    rules: [rule(`escalate,patch roles.${rbac}`)],
    namespaced: ['escalate'],
  },
  { sentence: 'escalate is not held by the verb alone', rules: [rule(`escalate roles.${rbac}`)], namespaced: [] },
  {
    sentence: 'escalate is not held by the write alone',
    rules: [rule(`create,update,patch roles.${rbac}`)],
    namespaced: [],
  },
  {
    sentence: 'escalate on ClusterRoles needs the whole cluster',
    rules: [rule(`escalate,update clusterroles.${rbac}`)],
    namespaced: [],
    clusterWide: ['escalate', 'dangling-aggregation'],
  },
  {
    sentence: 'escalate on Roles does not join with the write of ClusterRoles',
    rules: [rule(`escalate roles.${rbac}`), rule(`update clusterroles.${rbac}`)],
    namespaced: [],
    clusterWide: ['dangling-aggregation'],
  },
  {
    sentence: 'nodes-proxy is held by get',
    rules: [rule('get nodes/proxy')],
    namespaced: [],
    clusterWide: ['nodes-proxy'],
  },
  {
    sentence: 'nodes-proxy is held by delete',
    rules: [rule('delete nodes/proxy')],
    namespaced: [],
    clusterWide: ['nodes-proxy'],
  },
  {
    sentence: 'nodes-proxy is not held by nodes/metrics',
    rules: [rule('get nodes/metrics'), rule('get nodes')],
    namespaced: [],
  },
  {
    sentence: 'csr-sign is held by create, approval and the signer of client certificates',
    rules: [
      rule(`create ${csr}`),
      rule(`update ${csr}/approval`),
      rule('approve signers.certificates.k8s.io', 'kubernetes.io/kube-apiserver-client'),
    ],
    namespaced: [],
    clusterWide: ['csr-sign'],
  },
  {
    sentence: 'csr-sign is held by all signers of kubernetes.io',
    rules: [
      rule(`create ${csr}`),
      rule(`patch ${csr}/approval`),
      rule('approve signers.certificates.k8s.io', 'kubernetes.io/*'),
    ],
    namespaced: [],
    clusterWide: ['csr-sign'],
  },
  {
    sentence: 'csr-sign is not held by a signer of serving certificates',
    rules: [
      rule(`create ${csr}`),
      rule(`update ${csr}/approval`),
      rule('approve signers.certificates.k8s.io', 'kubernetes.io/kubelet-serving'),
    ],
    namespaced: [],
  },
  {
    sentence: 'csr-sign is not held without the approval',
    rules: [rule(`create ${csr}`), rule('approve signers.certificates.k8s.io')],
    namespaced: [],
  },
  {
    sentence: 'admission-control is held by delete, which disables a guard',
    rules: [rule(`delete validatingwebhookconfigurations.${admission}`)],
    namespaced: [],
    clusterWide: ['admission-control', 'governance-tamper'],
  },
  {
    sentence: 'admission-control is held for one named policy binding',
    rules: [rule(`patch validatingadmissionpolicybindings.${admission}`, 'guard')],
    namespaced: [],
    clusterWide: ['admission-control'],
  },
  {
    sentence: 'pv-create is held by create',
    rules: [rule('create persistentvolumes')],
    namespaced: [],
    clusterWide: ['pv-create'],
  },
  {
    sentence: 'pv-create is held where an apply of the same name is allowed',
    rules: [rule('create,patch persistentvolumes', 'root')],
    namespaced: [],
    clusterWide: ['pv-create'],
  },
  { sentence: 'pv-create is not held by claims', rules: [rule('create persistentvolumeclaims')], namespaced: [] },
  {
    sentence: 'namespace-write is held in the namespace itself, where the API server asks for it',
    rules: [rule('patch namespaces')],
    namespaced: ['namespace-write'],
  },
  {
    sentence: 'namespace-write in one namespace is not held by the name of another',
    rules: [rule('patch namespaces', 'ci')],
    namespaced: [],
    clusterWide: ['namespace-write'],
  },
  {
    sentence: 'namespace-write is held by the name of the namespace',
    rules: [rule('patch namespaces', 'payments')],
    namespaced: ['namespace-write'],
  },
  {
    sentence: 'node-write is held by nodes, whose taints evict',
    rules: [rule('patch nodes')],
    namespaced: [],
    clusterWide: ['node-write'],
  },
  { sentence: 'node-write is not held by nodes/status alone', rules: [rule('patch nodes/status')], namespaced: [] },
  {
    sentence: 'node-write is held by nodes/status together with the eviction of Pods',
    rules: [rule('patch nodes/status'), rule('create pods/eviction')],
    namespaced: [],
    clusterWide: ['node-write'],
  },
  {
    sentence: 'node-write is held by nodes/status together with the removal of Pods',
    rules: [rule('update nodes/status'), rule('deletecollection pods')],
    namespaced: [],
    clusterWide: ['node-write'],
  },
  {
    sentence: 'namespace-write is held by the subresources, by which labels change too',
    rules: [rule('update namespaces/finalize')],
    namespaced: ['namespace-write'],
  },
  {
    sentence: 'exec is held by any HTTP method through the proxies',
    rules: [rule('delete services/proxy')],
    namespaced: ['exec'],
  },
  {
    sentence: 'binding-edit is held by the write of one named binding',
    rules: [rule(`patch rolebindings.${rbac}`, 'own')],
    namespaced: ['binding-edit'],
  },
  {
    sentence: 'binding-edit is not held by reading and removing bindings',
    rules: [rule(`get,list,watch,delete rolebindings.${rbac}`)],
    namespaced: [],
  },
  {
    sentence: 'traffic-redirect is held by the status of Services',
    rules: [rule('patch services/status')],
    namespaced: ['traffic-redirect'],
  },
  {
    sentence: 'traffic-redirect is held by new EndpointSlices',
    rules: [rule('create endpointslices.discovery.k8s.io')],
    namespaced: ['traffic-redirect'],
  },
  {
    sentence: 'traffic-redirect is held by the removal of NetworkPolicies',
    rules: [rule('delete networkpolicies.networking.k8s.io', 'default-deny')],
    namespaced: ['traffic-redirect'],
  },
  {
    sentence: 'traffic-redirect is not held by Services themselves',
    rules: [rule('create,update,patch,delete services')],
    namespaced: [],
  },
  {
    sentence: 'system-configmap is held by name',
    rules: [rule('patch configmaps', 'other', 'aws-auth')],
    namespaced: [],
    clusterWide: ['system-configmap'],
  },
  { sentence: 'system-configmap is not held by reading', rules: [rule('get configmaps', 'coredns')], namespaced: [] },
  { sentence: 'destroy is held by Deployments', rules: [rule('delete deployments.apps')], namespaced: ['destroy'] },
  {
    sentence: 'destroy is not held by one named Deployment',
    rules: [rule('delete deployments.apps', 'own')],
    namespaced: [],
  },
  { sentence: 'destroy is held by events', rules: [rule('deletecollection events')], namespaced: ['destroy'] },
  {
    sentence: 'destroy is held in the namespace itself',
    rules: [rule('delete namespaces', 'payments')],
    namespaced: ['destroy'],
    clusterWide: ['destroy'],
  },
  {
    sentence: 'destroy is held by PersistentVolumes, in the whole cluster',
    rules: [rule('delete persistentvolumes')],
    namespaced: [],
    clusterWide: ['destroy'],
  },
  { sentence: 'destroy is not held by Pods, which come back', rules: [rule('delete pods')], namespaced: [] },
  {
    sentence: 'dangling-aggregation is held by the write of ClusterRoles, which labels aggregate',
    rules: [rule(`create clusterroles.${rbac}`)],
    namespaced: [],
    clusterWide: ['dangling-aggregation'],
  },
  {
    sentence: 'governance-tamper is held by the webhook configurations of Lapse',
    rules: [rule(`patch validatingwebhookconfigurations.${admission}`, 'lapse')],
    namespaced: [],
    clusterWide: ['admission-control', 'governance-tamper'],
  },
  {
    sentence: 'api-extension is held by APIServices',
    rules: [rule('create apiservices.apiregistration.k8s.io')],
    namespaced: [],
    clusterWide: ['api-extension'],
  },
  {
    sentence: 'governance-tamper is held by the write of policies',
    rules: [rule('patch accesspolicies.lapse.dev')],
    namespaced: [],
    clusterWide: ['governance-tamper'],
  },
  {
    sentence: 'governance-tamper is held by the status of grants',
    rules: [rule('patch nhigrants.lapse.dev/status')],
    namespaced: ['governance-tamper'],
  },
  {
    sentence: 'governance-tamper is not held by asking for a grant',
    rules: [rule('create,get,delete nhigrants.lapse.dev')],
    namespaced: [],
  },
  { sentence: 'a star among verbs is a wildcard', rules: [rule('* services')], namespaced: ['wildcard'] },
  { sentence: 'a star among groups is a wildcard', rules: [rule('get configmaps.*')], namespaced: ['wildcard'] },
  { sentence: 'a star among resources is a wildcard', rules: [rule('get *.apps')], namespaced: ['wildcard'] },
  {
    sentence: 'a subresource of everything is a wildcard',
    rules: [rule('get *.apps/scale')],
    namespaced: ['wildcard'],
  },
  { sentence: 'a URL prefix is no wildcard', rules: [rule('get /apis/*')], namespaced: [] },
  {
    sentence: 'full-admin is not held by every verb there is',
    rules: [rule('get,list,watch,create,update,patch,delete,deletecollection services')],
    namespaced: [],
  },
  {
    sentence: 'full authority holds everything that its scope has',
    rules: [rule('* *.*')],
    namespaced: [
      'full-admin',
      'wildcard',
      'secrets-read',
      'secrets-write',
      'workload-create',
      'pod-mutate',
      'exec',
      'token-request',
      'impersonate',
      'bind',
      'escalate',
      'binding-edit',
      'namespace-write',
      'traffic-redirect',
      'destroy',
      'governance-tamper',
    ],
    clusterWide: capabilityIds.filter((id) => id !== 'broad-group'),
  },
]

const aggregated = (selector: LabelSelector): RawObject => ({
  ...role('monitoring', rule('get pods')),
  aggregationRule: { clusterRoleSelectors: [selector] },
})

const inScope = (scope: string) => (id: string) => (id.includes('@') ? id : `${id}@${scope}`)

describe('heldCapabilities', () => {
  for (const { sentence, rules, namespaced, clusterWide = namespaced } of table) {
    it(sentence, () => {
      expect(inPayments(...rules)).to.deep.equal(namespaced.map(inScope('payments')))
      expect(everywhere(...rules)).to.deep.equal(clusterWide.map(inScope('')))
    })
  }

  it('does not take everything on one name for full-admin', () => {
    expect(everywhere(rule('* *.*', 'own')))
      .to.include('exec@')
      .and.not.include('full-admin@')
  })

  it('joins halves of a conjunction from a ClusterRoleBinding and a RoleBinding, in the scope of both', () => {
    const objects = [
      role('binder', rule(`bind clusterroles.${rbac}`)),
      role('payments/writer', rule(`create rolebindings.${rbac}`)),
      binding('everywhere', 'ClusterRole binder', 'ServiceAccount payments/api'),
      binding('payments/here', 'Role writer', 'ServiceAccount api'),
    ]
    expect(heldBy(api, ...objects)).to.deep.equal(['bind@payments', 'binding-edit@payments'])
  })

  it('joins what concerns no namespace with what is held in one', () => {
    const objects = [
      role('labeller', rule('patch nodes/status')),
      role('payments/evictor', rule('create pods/eviction')),
      binding('everywhere', 'ClusterRole labeller', 'ServiceAccount payments/api'),
      binding('payments/here', 'Role evictor', 'ServiceAccount api'),
    ]
    expect(heldBy(api, ...objects)).to.deep.equal(['node-write@payments'])
  })

  it('asks for what concerns no namespace in the whole cluster only', () => {
    const objects = [
      role('payments/both', rule('patch nodes/status'), rule('create pods/eviction')),
      binding('payments/here', 'Role both', 'ServiceAccount api'),
    ]
    expect(heldBy(api, ...objects)).to.deep.equal([])
  })

  it('does not join halves of two namespaces', () => {
    const objects = [
      role('payments/binder', rule(`bind roles.${rbac}`)),
      role('ci/writer', rule(`create rolebindings.${rbac}`)),
      binding('payments/b', 'Role binder', 'ServiceAccount api'),
      binding('ci/b', 'Role writer', 'ServiceAccount payments/api'),
    ]
    expect(heldBy(api, ...objects)).to.deep.equal(['binding-edit@ci'])
  })

  it('reports each namespace in order of name, and the cluster alone where it hides them', () => {
    const reader = role('reader', rule('list secrets'))
    const inCi = binding('ci/b', 'ClusterRole reader', 'ServiceAccount payments/api')
    const inPay = binding('payments/b', 'ClusterRole reader', 'ServiceAccount api')
    expect(heldBy(api, reader, inPay, inCi)).to.deep.equal(['secrets-read@ci', 'secrets-read@payments'])
    const all = binding('all', 'ClusterRole reader', 'Group system:serviceaccounts')
    expect(heldBy(api, reader, inPay, inCi, all)).to.deep.equal(['secrets-read@', 'broad-group@'])
  })

  it('does not let named access in the cluster hide the rest of a namespace', () => {
    const objects = [
      role('own', rule('get secrets', 'own')),
      role('payments/reader', rule('list secrets')),
      binding('everywhere', 'ClusterRole own', 'ServiceAccount payments/api'),
      binding('payments/here', 'Role reader', 'ServiceAccount api'),
    ]
    expect(heldBy(api, ...objects)).to.deep.equal(['secrets-read@ as it should be', 'secrets-read@payments'])
  })

  const throughGroups = ['system:serviceaccounts', 'system:serviceaccounts:payments', 'system:authenticated']
  for (const group of throughGroups) {
    it(`sees what a RoleBinding gives to ${group}`, () => {
      const objects = [role('ci/r', rule('list secrets')), binding('ci/b', 'Role r', `Group ${group}`)]
      const isBroad = group !== 'system:serviceaccounts:payments'
      expect(heldBy(api, ...objects)).to.deep.equal(['secrets-read@ci', ...(isBroad ? ['broad-group@ci'] : [])])
    })
  }

  const ofEverybody = ['Group system:unauthenticated', 'User system:anonymous', 'Group system:authenticated']
  for (const subject of ofEverybody) {
    it(`finds what is given to ${subject} in whatever namespace`, () => {
      const objects = [role('ci/r', rule('get configmaps')), binding('ci/b', 'Role r', subject)]
      expect(heldBy(api, ...objects)).to.deep.equal(['broad-group@ci'])
    })
  }

  it('finds a default role that was widened', () => {
    const widened = role('system:basic-user', rule('create selfsubjectreviews.authentication.k8s.io'), rule('get pods'))
    const bound = binding('system:basic-user', 'ClusterRole system:basic-user', 'Group system:authenticated')
    expect(heldBy(api, widened, bound)).to.deep.equal(['broad-group@'])
  })

  it('takes a rule with very many permissions for more than the defaults, without spelling it out', () => {
    const names = Array.from({ length: 50_000 }, (_, index) => `cm-${index}`)
    const huge = role('huge', { ...rule('get configmaps'), resourceNames: names })
    expect(heldBy(api, huge, binding('b', 'ClusterRole huge', 'Group system:authenticated'))).to.deep.equal([
      'broad-group@',
    ])
  })

  const aggregations: readonly (readonly [sentence: string, selector: LabelSelector, held: readonly string[]])[] = [
    [
      'finds a role that anybody adds to by a label of their own',
      { matchLabels: { 'example.com/monitoring': 'true' } },
      ['dangling-aggregation@payments'],
    ],
    [
      'finds one that selects by the absence of a label',
      { matchExpressions: [{ key: 'x', operator: 'DoesNotExist' }] },
      ['dangling-aggregation@payments'],
    ],
    ['finds one that selects every ClusterRole', {}, ['dangling-aggregation@payments']],
    [
      'leaves the labels of the platform alone',
      { matchLabels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
      [],
    ],
  ]
  for (const [sentence, selector, held] of aggregations) {
    it(sentence, () => {
      const bound = binding('payments/b', 'ClusterRole monitoring', 'ServiceAccount api')
      expect(heldBy(api, aggregated(selector), bound)).to.deep.equal(held)
      const ignoreBindings = new Set(['uid of payments/b'])
      expect(
        heldCapabilities(api, capabilityIds, rbacOf(aggregated(selector), bound), { ignoreBindings }),
      ).to.deep.equal([])
    })
  }

  it('finds in the ClusterRole edit what it amounts to, under whatever name', () => {
    for (const name of ['edit', 'shop-developer']) {
      const objects = [role(name, ...editRules), binding('payments/b', `ClusterRole ${name}`, 'ServiceAccount api')]
      const found = ['secrets-read', 'secrets-write', 'workload-create', 'pod-mutate', 'exec', 'token-request']
      const all = [...found, 'impersonate', 'traffic-redirect', 'destroy']
      expect(heldBy(api, ...objects)).to.deep.equal(all.map((id) => `${id}@payments`))
    }
  })

  it('asks only for what is wanted, in the order of the catalogue', () => {
    const view = rbacOf(role('r', rule('* *.*')), binding('b', 'ClusterRole r', 'ServiceAccount payments/api'))
    const held = heldCapabilities(api, ['exec', 'secrets-read'], view)
    expect(held.map(({ capability }) => capability)).to.deep.equal(['secrets-read', 'exec'])
    expect(heldCapabilities(api, [], view)).to.deep.equal([])
  })

  it('does not count what live grants give', () => {
    const view = rbacOf(role('payments/r', rule('list secrets')), binding('payments/b', 'Role r', 'ServiceAccount api'))
    const ignoreBindings = new Set(['uid of payments/b'])
    expect(heldCapabilities(api, capabilityIds, view, { ignoreBindings })).to.deep.equal([])
  })

  it('finds everything in system:masters, without a binding', () => {
    const held = capabilityIds.filter((id) => id !== 'broad-group').map((id) => `${id}@`)
    expect(heldBy({ username: 'root', groups: ['system:masters'] })).to.deep.equal(held)
  })

  it('is not tripped by what Kubernetes binds to everyone', () => {
    expect(heldBy(api, ...kubernetesDefaults)).to.deep.equal([])
  })

  it('tells which request is allowed by which binding, and the others of a conjunction', () => {
    const view = rbacOf(
      role('payments/r', rule(`bind roles.${rbac}`, 'admin'), rule(`update,patch rolebindings.${rbac}`)),
      binding('payments/b', 'Role r', 'ServiceAccount api'),
    )
    const [held] = heldCapabilities(api, ['bind'], view)
    expect(held?.request).to.include({ verb: 'bind', namespace: 'payments', resource: 'roles', name: 'admin' })
    expect(held?.also.map(({ request }) => request?.verb)).to.deep.equal(['update'])
  })
})

/** Requests each of which is enough; `with`: together with these. `Cluster`: inert in a RoleBinding. */
interface Enough {
  readonly id: CapabilityId
  readonly reach: 'Cluster' | 'Namespace'
  /** Whether one named object is enough. */
  readonly named: boolean
  readonly each: readonly string[]
  readonly with?: readonly PolicyRule[]
}

const writes = 'create,update,patch'
const enough: readonly Enough[] = [
  { id: 'secrets-read', reach: 'Namespace', named: false, each: ['get,list,watch secrets'] },
  { id: 'secrets-write', reach: 'Namespace', named: false, each: [`${writes} secrets`] },
  {
    id: 'workload-create',
    reach: 'Namespace',
    named: true,
    each: [
      'update,patch deployments.apps,daemonsets.apps,statefulsets.apps,replicasets.apps',
      'update,patch jobs.batch,cronjobs.batch',
      'update,patch replicationcontrollers',
    ],
  },
  { id: 'pod-mutate', reach: 'Namespace', named: false, each: ['update,patch pods'] },
  {
    id: 'exec',
    reach: 'Namespace',
    named: true,
    each: [
      'create,get pods/exec,pods/attach,pods/portforward',
      'create,get,update,patch,delete pods/proxy,services/proxy',
      'update,patch pods/ephemeralcontainers',
    ],
  },
  { id: 'token-request', reach: 'Namespace', named: true, each: ['create serviceaccounts/token'] },
  {
    id: 'impersonate',
    reach: 'Namespace',
    named: true,
    each: ['impersonate serviceaccounts', 'impersonate:serviceaccount serviceaccounts.authentication.k8s.io'],
  },
  {
    id: 'impersonate',
    reach: 'Cluster',
    named: true,
    each: [
      'impersonate users,groups',
      'impersonate uids.authentication.k8s.io',
      'impersonate:user-info users.authentication.k8s.io,groups.authentication.k8s.io,uids.authentication.k8s.io',
      'impersonate:arbitrary-node,impersonate:associated-node nodes.authentication.k8s.io',
    ],
  },
  {
    id: 'bind',
    reach: 'Namespace',
    named: true,
    each: [`update,patch rolebindings.${rbac}`],
    with: [rule(`bind roles.${rbac}`, 'x')],
  },
  {
    id: 'bind',
    reach: 'Namespace',
    named: true,
    each: [`bind roles.${rbac},clusterroles.${rbac}`],
    with: [rule(`create rolebindings.${rbac}`)],
  },
  {
    id: 'bind',
    reach: 'Cluster',
    named: true,
    each: [`update,patch clusterrolebindings.${rbac}`],
    with: [rule(`bind clusterroles.${rbac}`, 'x')],
  },
  {
    id: 'escalate',
    reach: 'Namespace',
    named: true,
    each: [`update,patch roles.${rbac}`],
    with: [rule(`escalate roles.${rbac}`, 'x')],
  },
  {
    id: 'escalate',
    reach: 'Cluster',
    named: true,
    each: [`update,patch clusterroles.${rbac}`],
    with: [rule(`escalate clusterroles.${rbac}`, 'x')],
  },
  { id: 'nodes-proxy', reach: 'Cluster', named: true, each: ['get,create,update,patch,delete nodes/proxy'] },
  {
    id: 'csr-sign',
    reach: 'Cluster',
    named: true,
    each: [`update,patch ${csr}/approval`],
    with: [rule(`create ${csr}`), rule('approve signers.certificates.k8s.io')],
  },
  {
    id: 'csr-sign',
    reach: 'Cluster',
    named: true,
    each: [`update,patch ${csr}/status`],
    with: [rule('sign signers.certificates.k8s.io', 'kubernetes.io/kube-apiserver-client-kubelet')],
  },
  {
    id: 'admission-control',
    reach: 'Cluster',
    named: true,
    each: ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations']
      .concat('validatingadmissionpolicies', 'validatingadmissionpolicybindings')
      .concat('mutatingadmissionpolicies', 'mutatingadmissionpolicybindings')
      .map((resource) => `update,patch,delete,deletecollection ${resource}.${admission}`),
  },
  { id: 'namespace-write', reach: 'Namespace', named: false, each: ['update,patch namespaces'] },
  { id: 'node-write', reach: 'Cluster', named: true, each: ['update,patch nodes'] },
  {
    id: 'node-write',
    reach: 'Cluster',
    named: true,
    each: ['update,patch nodes/status'],
    with: [rule('delete pods')],
  },
  {
    id: 'node-write',
    reach: 'Cluster',
    named: true,
    each: ['delete pods', 'create pods/eviction'],
    with: [rule('patch nodes/status')],
  },
  { id: 'binding-edit', reach: 'Namespace', named: true, each: [`update,patch rolebindings.${rbac}`] },
  { id: 'binding-edit', reach: 'Cluster', named: true, each: [`update,patch clusterrolebindings.${rbac}`] },
  { id: 'dangling-aggregation', reach: 'Cluster', named: true, each: [`update,patch clusterroles.${rbac}`] },
  {
    id: 'traffic-redirect',
    reach: 'Namespace',
    named: true,
    each: [
      'update,patch pods/status,services/status,endpoints,endpointslices.discovery.k8s.io',
      'update,patch ingresses.networking.k8s.io',
      'update,patch,delete networkpolicies.networking.k8s.io',
    ],
  },
  {
    id: 'destroy',
    reach: 'Namespace',
    named: false,
    each: [
      'delete,deletecollection deployments.apps,daemonsets.apps,statefulsets.apps,replicasets.apps',
      'delete,deletecollection jobs.batch,cronjobs.batch,replicationcontrollers,events,events.events.k8s.io',
    ],
  },
  { id: 'destroy', reach: 'Cluster', named: false, each: ['delete,deletecollection persistentvolumes'] },
  {
    id: 'api-extension',
    reach: 'Cluster',
    named: true,
    each: [
      'update,patch apiservices.apiregistration.k8s.io',
      'update,patch customresourcedefinitions.apiextensions.k8s.io',
    ],
  },
  {
    id: 'governance-tamper',
    reach: 'Cluster',
    named: true,
    each: [
      'update,patch,delete,deletecollection accesspolicies.lapse.dev,accesspolicyrevisions.lapse.dev',
      'update,patch accesspolicies.lapse.dev/status,accesspolicyrevisions.lapse.dev/status',
      'update,patch,delete,deletecollection clusterpolicies.kyverno.io',
      'update,patch,delete,deletecollection constrainttemplates.templates.gatekeeper.sh',
    ],
  },
  {
    id: 'governance-tamper',
    reach: 'Namespace',
    named: true,
    each: [
      'update,patch,delete,deletecollection enforcementpoints.lapse.dev',
      'update,patch nhigrants.lapse.dev/status,enforcementpoints.lapse.dev/status',
      'update,patch,delete,deletecollection policies.kyverno.io,policyexceptions.kyverno.io',
    ],
  },
]

/** A POST carries no name, so `create` is enough only without. */
const created: readonly Enough[] = [
  {
    id: 'workload-create',
    reach: 'Namespace',
    named: false,
    each: [
      'create pods,replicationcontrollers,deployments.apps,daemonsets.apps,statefulsets.apps,replicasets.apps',
      'create jobs.batch,cronjobs.batch',
    ],
  },
  { id: 'pv-create', reach: 'Cluster', named: false, each: ['create persistentvolumes'] },
  {
    id: 'api-extension',
    reach: 'Cluster',
    named: false,
    each: ['create apiservices.apiregistration.k8s.io', 'create customresourcedefinitions.apiextensions.k8s.io'],
  },
  { id: 'governance-tamper', reach: 'Cluster', named: false, each: ['create accesspolicies.lapse.dev'] },
  { id: 'admission-control', reach: 'Cluster', named: false, each: [`create mutatingadmissionpolicies.${admission}`] },
]

describe('what is enough to hold a capability', () => {
  for (const { id, reach, named, each, with: others = [] } of [...enough, ...created]) {
    for (const { verb, target } of each.flatMap(singles)) {
      it(`${verb} ${target} for ${id}${others.length > 0 ? ', with its other halves' : ''}`, () => {
        const one = rule(`${verb} ${target}`)
        const inNamespace = reach === 'Namespace' ? [`${id}@payments`] : []
        const ofIt = (held: readonly string[]) =>
          held.filter((text) => text.startsWith(`${id}@`) && !text.endsWith('be'))
        expect(ofIt(inPayments(one, ...others))).to.deep.equal(inNamespace)
        expect(ofIt(everywhere(one, ...others))).to.deep.equal([`${id}@`])
        const justOne = { ...one, resourceNames: ['some'] }
        expect(ofIt(inPayments(justOne, ...others))).to.deep.equal(named ? inNamespace : [])
        if (id !== 'namespace-write')
          expect(ofIt(everywhere(justOne, ...others))).to.deep.equal(named ? [`${id}@`] : [])
      })
    }
  }
})

function singles(text: string) {
  const [verbs = '', targets = ''] = text.split(' ')
  return verbs.split(',').flatMap((verb) => targets.split(',').map((target) => ({ verb, target })))
}

describe('capabilityCatalogue', () => {
  it('has every capability under its own id, with a code of its own', () => {
    expect(Object.entries(capabilityCatalogue).map(([id, { id: own }]) => [id, own])).to.deep.equal(
      capabilityIds.map((id) => [id, id]),
    )
    expect(new Set(Object.values(capabilityCatalogue).map(({ code }) => code)).size).to.equal(capabilityIds.length)
  })
})

/** What kube-apiserver binds to system:authenticated when it starts (bootstrappolicy, cluster-roles.yaml). */
const kubernetesDefaults: readonly RawObject[] = [
  role(
    'system:basic-user',
    rule('create selfsubjectaccessreviews.authorization.k8s.io,selfsubjectrulesreviews.authorization.k8s.io'),
    rule('create selfsubjectreviews.authentication.k8s.io'),
  ),
  role(
    'system:discovery',
    rule('get /api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/'),
  ),
  role('system:public-info-viewer', rule('get /healthz,/livez,/readyz,/version,/version/')),
  role('system:service-account-issuer-discovery', rule('get /.well-known/openid-configuration,/openid/v1/jwks')),
  binding('system:basic-user', 'ClusterRole system:basic-user', 'Group system:authenticated'),
  binding('system:discovery', 'ClusterRole system:discovery', 'Group system:authenticated'),
  binding(
    'system:public-info-viewer',
    'ClusterRole system:public-info-viewer',
    'Group system:authenticated',
    'Group system:unauthenticated',
  ),
  binding(
    'system:service-account-issuer-discovery',
    'ClusterRole system:service-account-issuer-discovery',
    'Group system:serviceaccounts',
  ),
]

/** What every cluster aggregates into `edit` beyond reading (bootstrappolicy/testdata/cluster-roles.yaml, 1.36), shortened. */
const editRules: readonly PolicyRule[] = [
  rule('get,list,watch pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy'),
  rule('impersonate serviceaccounts'),
  rule('create,delete,deletecollection,patch,update pods,pods/attach,pods/exec,pods/portforward,pods/proxy'),
  rule('create pods/eviction'),
  rule('create,delete,deletecollection,patch,update configmaps,events,persistentvolumeclaims,secrets,serviceaccounts'),
  rule('create,delete,deletecollection,patch,update replicationcontrollers,services,services/proxy'),
  rule('create serviceaccounts/token'),
  rule('create,delete,deletecollection,patch,update deployments.apps,daemonsets.apps,statefulsets.apps'),
  rule('create,delete,deletecollection,patch,update jobs.batch,cronjobs.batch'),
  rule('create,delete,deletecollection,patch,update ingresses.networking.k8s.io,networkpolicies.networking.k8s.io'),
]
