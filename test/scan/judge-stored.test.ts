import { expect } from 'chai'
import type { KubeObject } from '../../src/cluster/ports.ts'
import { judgeStoredBinding, StoredJudge, type StoredVerdict } from '../../src/scan/judge-stored.ts'
import { now } from '../core/policy/policy-of.ts'
import {
  account,
  deployment,
  grant,
  hostPath,
  legacyAccess,
  namespace,
  payments,
  pod,
  policy,
} from '../webhook/objects.ts'
import { worldOf, type RawObject } from '../webhook/requests.ts'
import { stored, type StoredOptions } from './stored.ts'

const noToken = { automountServiceAccountToken: false }
const world = worldOf(...payments, ...legacyAccess, policy())

function replicaSet(options: StoredOptions, spec: object = {}): KubeObject {
  const { metadata, spec: whole } = deployment({ ...noToken, volumes: hostPath }) as RawObject & {
    readonly spec: object
  }
  return stored(
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, spec: { replicas: 1, ...whole, ...spec } },
    options,
  )
}

/** In a word, with the fields that are wrong. */
function gist(verdict: StoredVerdict): string {
  if (verdict.kind !== 'Judged') return verdict.kind
  return verdict.findings.map(({ check, path }) => `${check} ${path}`).join(', ') || 'nothing'
}

describe('a stored object', () => {
  const breaching = { ...noToken, volumes: hostPath }
  const cases: readonly (readonly [sentence: string, objects: readonly KubeObject[], gists: readonly string[]])[] = [
    ['that meets its policy', [stored(pod(noToken), { uid: 'p' })], ['nothing']],
    ['that nobody governs', [stored(pod({ ...breaching, account: 'other' }), { uid: 'p' })], ['Ungoverned']],
    ['that breaks its policy', [stored(pod(breaching), { uid: 'p' })], ['host-path spec.volumes[1]']],
    [
      'that was made from a template which breaks it: told once, of the template',
      [
        stored(deployment(breaching), { uid: 'd' }),
        replicaSet({ uid: 'r', owner: 'd' }),
        stored(pod(breaching), { uid: 'p', owner: 'r' }),
      ],
      ['host-path spec.template.spec.volumes[1]', 'nothing', 'nothing'],
    ],
    [
      'that has more wrong than its template',
      [
        stored(deployment(breaching), { uid: 'd' }),
        replicaSet({ uid: 'r', owner: 'd' }),
        stored(pod({ ...breaching, hostPID: true }), { uid: 'p', owner: 'r' }),
      ],
      ['host-path spec.template.spec.volumes[1]', 'nothing', 'host-namespaces spec.hostPID'],
    ],
    [
      'that was made from another template than the one that breaks it',
      [stored(deployment(breaching), { uid: 'd' }), stored(pod(breaching), { uid: 'p', owner: 'another' })],
      ['host-path spec.template.spec.volumes[1]', 'host-path spec.volumes[1]'],
    ],
    ['that is an old revision of a Deployment', [replicaSet({ uid: 'r', owner: 'd' }, { replicas: 0 })], ['Over']],
    [
      'that is a ReplicaSet of nobody, scaled to nothing',
      [replicaSet({ uid: 'r' }, { replicas: 0 })],
      ['host-path spec.template.spec.volumes[1]'],
    ],
    ['that has run its course', [stored(pod(breaching), { uid: 'p', status: { phase: 'Succeeded' } })], ['Over']],
    ['that runs', [stored(pod(breaching), { uid: 'p', status: { phase: 'Running' } })], ['host-path spec.volumes[1]']],
    ['that cannot be read', [stored({ ...pod(), spec: { containers: 'none' } }, { uid: 'p' })], ['Unreadable']],
  ]
  for (const [sentence, objects, gists] of cases) {
    it(sentence, () => {
      const judge = new StoredJudge(world, now)
      expect(objects.map((object) => gist(judge.judge(object)))).to.deep.equal(gists)
    })
  }

  it('is no breach for as long as a grant waives it', () => {
    const grants = { maxDuration: '1h', requesters: [{ kind: 'Self' }], waivable: ['host-path'] }
    const waiving = worldOf(...payments, policy({ grants }))
    const status = {
      state: 'Active',
      policy: { digest: waiving.policy('payments-deploy')!.digest },
      subject: { uid: 'uid of payments/api' },
      notAfter: new Date(now + 1).toISOString(),
      waive: ['host-path'],
    }
    waiving.put('NHIGrant', { ...grant({ waive: ['host-path'] }), status })
    const found = (at: number): string => gist(new StoredJudge(waiving, at).judge(stored(pod(breaching), { uid: 'p' })))
    expect([found(now), found(now + 1)]).to.deep.equal(['nothing', 'host-path spec.volumes[1]'])
  })
})

describe('a stored binding', () => {
  const kubernetes = [namespace('kube-system'), account('kube-system/kube-dns')]
  const standing = worldOf(...payments, ...kubernetes, ...legacyAccess, policy({ workloads: { standing: [] } }))
  const api = { kind: 'ServiceAccount', namespace: 'payments', name: 'api' }
  const everybody = { kind: 'Group', name: 'system:authenticated' }
  const dns = { kind: 'ServiceAccount', namespace: 'kube-system', name: 'kube-dns' }
  const proxy = { kind: 'User', name: 'system:kube-proxy' }
  const bootstrapped = { 'kubernetes.io/bootstrapping': 'rbac-defaults' }
  const cases: readonly (readonly [
    sentence: string,
    name: string,
    labels: Readonly<Record<string, string>>,
    subjects: readonly object[],
    gist: string,
  ])[] = [
    ['that nobody lists', 'legacy', {}, [api], 'standing-access subjects[0]'],
    ['that Kubernetes keeps for its components', 'system:dns', bootstrapped, [everybody, dns, proxy], 'Over'],
    ['that Kubernetes keeps for nobody', 'system:node', bootstrapped, [], 'Over'],
    ['that is named as if Kubernetes kept it', 'system:dns', {}, [dns, api], 'standing-access subjects[1]'],
    ['that is labelled as if Kubernetes kept it', 'legacy', bootstrapped, [api], 'standing-access subjects[0]'],
    [
      'that is named and labelled so, and names an account of somebody',
      'system:dns',
      bootstrapped,
      [dns, api],
      'standing-access subjects[1]',
    ],
    [
      'that names it by its user name',
      'system:dns',
      bootstrapped,
      [proxy, { kind: 'User', name: 'system:serviceaccount:payments:api' }],
      'standing-access subjects[1], user-alias subjects[1].kind',
    ],
    [
      'that names it, and its own namespace goes without saying',
      'system:dns',
      bootstrapped,
      [{ kind: 'ServiceAccount', name: 'api' }],
      'standing-access subjects[0]',
    ],
    [
      'that names the accounts of a namespace',
      'system:dns',
      bootstrapped,
      [{ kind: 'Group', name: 'system:serviceaccounts:payments' }],
      'standing-access subjects[0]',
    ],
    [
      'that names a user beside everybody',
      'system:dns',
      bootstrapped,
      [everybody, { kind: 'User', name: 'ana' }],
      'standing-access subjects[0]',
    ],
    [
      'that names a group beside everybody',
      'system:dns',
      bootstrapped,
      [everybody, { kind: 'Group', name: 'leads' }],
      'standing-access subjects[0]',
    ],
  ]
  for (const [sentence, name, labels, subjects, told] of cases) {
    it(sentence, () => {
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' }
      const object = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', roleRef, subjects }
      const binding = stored({ ...object, metadata: { namespace: 'payments', name, labels } }, { uid: 'b' })
      expect(gist(judgeStoredBinding(binding, standing))).to.equal(told)
    })
  }
})
