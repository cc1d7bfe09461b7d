import { expect } from 'chai'
import type { Identity } from '../../../src/core/identity.ts'
import { capabilityFindings } from '../../../src/core/rbac/capability-findings.ts'
import type { CapabilityId } from '../../../src/core/rbac/capability.ts'
import { heldCapabilities } from '../../../src/core/rbac/held-capabilities.ts'
import { rbacUserOf } from '../../../src/core/rbac/subject.ts'
import { binding, rbacOf, role, rule } from './rbac-of.ts'
import type { RawObject } from './rbac-of.ts'

const account: Identity = { kind: 'ServiceAccount', namespace: 'payments', name: 'api' }
const path = 'spec.template.spec.serviceAccountName'

function findingsOf(identity: Identity, wanted: CapabilityId, ...objects: readonly RawObject[]) {
  return capabilityFindings(identity, heldCapabilities(rbacUserOf(identity), [wanted], rbacOf(...objects)), path)
}

interface Sentence {
  readonly sentence: string
  readonly wanted: CapabilityId
  readonly objects: readonly RawObject[]
  readonly identity?: Identity
  readonly severity: string
  readonly message: string
}

const rbac = 'rbac.authorization.k8s.io'
const table: readonly Sentence[] = [
  {
    sentence: 'names the namespace, the binding and the role',
    wanted: 'secrets-read',
    objects: [
      role('payments/reader', rule('list secrets')),
      binding('payments/legacy', 'Role reader', 'ServiceAccount payments/api'),
    ],
    severity: 'High',
    message: 'ServiceAccount payments/api can list secrets in payments (RoleBinding payments/legacy → Role reader)',
  },
  {
    sentence: 'says that a ClusterRoleBinding is for every namespace',
    wanted: 'secrets-read',
    objects: [role('y', rule('get secrets')), binding('x', 'ClusterRole y', 'Group system:serviceaccounts')],
    severity: 'Critical',
    message: 'ServiceAccount payments/api can get secrets in every namespace (ClusterRoleBinding x → ClusterRole y)',
  },
  {
    sentence: 'names no namespace for what has none',
    wanted: 'node-write',
    objects: [role('y', rule('patch nodes')), binding('x', 'ClusterRole y', 'ServiceAccount payments/api')],
    severity: 'High',
    message: 'ServiceAccount payments/api can patch nodes (ClusterRoleBinding x → ClusterRole y)',
  },
  {
    sentence: 'names the one object, and keeps the full severity in kube-system',
    wanted: 'token-request',
    objects: [
      role('kube-system/y', rule('create serviceaccounts/token', 'admin')),
      binding('kube-system/x', 'Role y', 'ServiceAccount payments/api'),
    ],
    severity: 'Critical',
    message:
      'ServiceAccount payments/api can create serviceaccounts/token named admin in kube-system (RoleBinding kube-system/x → Role y)',
  },
  {
    sentence: 'names both halves of a conjunction and both ways they come',
    wanted: 'bind',
    objects: [
      role('binder', rule(`bind clusterroles.${rbac}`)),
      role('payments/writer', rule(`create rolebindings.${rbac}`)),
      binding('x', 'ClusterRole binder', 'ServiceAccount payments/api'),
      binding('payments/x', 'Role writer', 'ServiceAccount payments/api'),
    ],
    severity: 'High',
    message: `ServiceAccount payments/api can bind clusterroles.${rbac} and create rolebindings.${rbac} in payments (ClusterRoleBinding x → ClusterRole binder; RoleBinding payments/x → Role writer)`,
  },
  {
    sentence: 'shows the rule that has a wildcard',
    wanted: 'wildcard',
    objects: [role('payments/y', rule('get *.apps')), binding('payments/x', 'Role y', 'ServiceAccount payments/api')],
    severity: 'Low',
    message:
      'ServiceAccount payments/api can use the wildcard rule "get *.apps" in payments (RoleBinding payments/x → Role y)',
  },
  {
    sentence: 'says that everybody has it',
    wanted: 'broad-group',
    objects: [role('y', rule('get pods')), binding('x', 'ClusterRole y', 'Group system:authenticated')],
    severity: 'Critical',
    message:
      'ServiceAccount payments/api can use the rule "get pods", as everybody can, in every namespace (ClusterRoleBinding x → ClusterRole y)',
  },
  {
    sentence: 'says that labels add to the role',
    wanted: 'dangling-aggregation',
    objects: [
      {
        ...role('y', rule('get pods')),
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: { 'example.com/add': 'y' } }] },
      },
      binding('payments/x', 'ClusterRole y', 'ServiceAccount payments/api'),
    ],
    severity: 'Low',
    message:
      'ServiceAccount payments/api can use a role that labels on other ClusterRoles add to in payments (RoleBinding payments/x → ClusterRole y)',
  },
  {
    sentence: 'puts on record what is as it should be',
    wanted: 'secrets-read',
    objects: [
      role('payments/own', rule('get secrets', 'own')),
      binding('payments/x', 'Role own', 'ServiceAccount payments/api'),
    ],
    severity: 'Info',
    message: 'ServiceAccount payments/api can get secrets named own in payments (RoleBinding payments/x → Role own)',
  },
  {
    sentence: 'grades nothing that can be forbidden as what is only put on record',
    wanted: 'binding-edit',
    objects: [
      role('payments/y', rule(`patch rolebindings.${rbac}`)),
      binding('payments/x', 'Role y', 'ServiceAccount payments/api'),
    ],
    severity: 'Low',
    message: `ServiceAccount payments/api can patch rolebindings.${rbac} in payments (RoleBinding payments/x → Role y)`,
  },
  {
    sentence: 'says anything for full authority',
    wanted: 'full-admin',
    objects: [role('y', rule('* *.*')), binding('x', 'ClusterRole y', 'User ci:acme')],
    identity: { kind: 'User', name: 'ci:acme' },
    severity: 'Critical',
    message: 'User ci:acme can do anything in every namespace (ClusterRoleBinding x → ClusterRole y)',
  },
  {
    sentence: 'names the group that stands above RBAC',
    wanted: 'nodes-proxy',
    objects: [],
    identity: { kind: 'Group', name: 'system:masters' },
    severity: 'Critical',
    message: 'Group system:masters can get nodes/proxy (group system:masters)',
  },
  {
    sentence: 'does not repeat the name of a namespace that is changed from within',
    wanted: 'namespace-write',
    objects: [
      role('payments/y', rule('patch namespaces')),
      binding('payments/x', 'Role y', 'ServiceAccount payments/api'),
    ],
    severity: 'Medium',
    message: 'ServiceAccount payments/api can patch namespaces in payments (RoleBinding payments/x → Role y)',
  },
]

describe('capabilityFindings', () => {
  for (const { sentence, wanted, objects, identity = account, severity, message } of table) {
    it(sentence, () => {
      const [finding, ...others] = findingsOf(identity, wanted, ...objects)
      expect(others).to.deep.equal([])
      expect(finding).to.include({ check: wanted, severity, path, message })
      expect(finding?.remedy).to.match(/^[A-Z][^\n]+[^.]$/)
    })
  }
})
