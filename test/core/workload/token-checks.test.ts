import { expect } from 'chai'
import type { Policy } from '../../../src/core/policy/policy.ts'
import type { PodSpec } from '../../../src/core/workload/pod-spec.ts'
import { readWorkload } from '../../../src/core/workload/workload.ts'
import { reviewTokens } from '../../../src/core/workload/token-checks.ts'
import { tokenCheckIds } from '../../../src/core/workload/token.ts'
import { hour, policyOf, workloads } from '../policy/policy-of.ts'
import { worldOf } from '../policy/world-of.ts'
import { binding, rbacOf, role, rule, type RawObject } from '../rbac/rbac-of.ts'

interface Given {
  readonly pod?: Partial<PodSpec>
  readonly rbac?: readonly RawObject[]
  /** Whether the ServiceAccount opts out of the mounted token. */
  readonly automount?: boolean
  readonly policy?: Policy
  readonly longest?: number
}

const plain = policyOf({ grants: null, permissions: [], workloads })

/** `default-service-account spec.serviceAccountName: …`, of a Pod in namespace payments that runs as deployer. */
function found({ pod = {}, rbac = [], automount, policy = plain, longest }: Given): readonly string[] {
  const reading = readWorkload({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { serviceAccountName: 'deployer', containers: [{ name: 'app' }], ...pod },
  })
  if (!reading.ok || reading.workload === null) throw new Error('not a workload')
  const { workload } = reading
  const account = { uid: 'u', labels: {}, automount: automount ?? null }
  const world = worldOf({
    namespaces: { payments: { team: 'payments' } },
    serviceAccounts: { 'payments/deployer': account, 'payments/default': account },
    policies: [policy],
    rbac: rbacOf(...rbac),
  })
  const identity = { kind: 'ServiceAccount', namespace: 'payments', name: workload.serviceAccountName } as const
  const terms = { checks: tokenCheckIds, maxTokenLifetime: longest ?? null }
  return reviewTokens(workload, identity, terms, world).map(
    ({ check, severity, path, message }) => `${check} ${severity} ${path}: ${message}`,
  )
}

const container = (fields: object): Partial<PodSpec> => ({ containers: [{ name: 'app', ...fields }] })
const needless = (why: string): string =>
  `needless-token Low spec.automountServiceAccountToken: ServiceAccount payments/deployer holds nothing that needs the token: ${why}`
const unset = 'automountServiceAccountToken is not set, so the token is mounted'
const projected = (token: object): Partial<PodSpec> => ({
  automountServiceAccountToken: false,
  volumes: [{ name: 't', projected: { sources: [{ serviceAccountToken: token }] } }],
})

const reader = role('payments/reader', rule('get configmaps'))
const bound = binding('payments/b', 'Role reader', 'ServiceAccount deployer')

const table: Readonly<
  Record<string, readonly (readonly [sentence: string, given: Given, finds: readonly string[]])[]>
> = {
  'default-service-account': [
    [
      'finds the account that a Pod gets which names none',
      {
        pod: { serviceAccountName: null },
        rbac: [reader, binding('payments/b', 'Role reader', 'ServiceAccount default')],
      },
      [
        `default-service-account Medium spec.serviceAccountName: runs as ServiceAccount payments/default, and can reach its token: ${unset}`,
      ],
    ],
    [
      'finds nothing without a token',
      { pod: { serviceAccountName: 'default', automountServiceAccountToken: false } },
      [],
    ],
    ['finds nothing where the account opts out', { pod: { serviceAccountName: 'default' }, automount: false }, []],
    ['finds nothing in an account of its own', { rbac: [reader, bound] }, []],
  ],
  'needless-token': [
    ['finds a token of an account that holds nothing', {}, [needless(unset)]],
    [
      'finds one of an account that holds what everybody does',
      {
        rbac: [
          role('discovery', rule('get,list configmaps')),
          binding('all', 'ClusterRole discovery', 'Group system:authenticated'),
          binding('own', 'ClusterRole discovery', 'ServiceAccount payments/deployer'),
        ],
      },
      [needless(unset)],
    ],
    ['finds nothing where the account holds something', { rbac: [reader, bound] }, []],
    [
      'finds nothing where the accounts of its namespace hold something',
      { rbac: [reader, binding('payments/b', 'Role reader', 'Group system:serviceaccounts:payments')] },
      [],
    ],
    [
      'finds nothing where it holds something in another namespace',
      {
        rbac: [
          role('ci/reader', rule('get configmaps')),
          binding('ci/b', 'Role reader', 'ServiceAccount payments/deployer'),
        ],
      },
      [],
    ],
    ['does not know what a role that is not there will give', { rbac: [bound] }, []],
    ['does not count an account that may ask for access', { policy: policyOf() }, []],
    ['counts one that may only ask for waivers', { policy: policyOf({ permissions: [] }) }, [needless(unset)]],
    ['finds nothing without a token', { pod: { automountServiceAccountToken: false } }, []],
    ['finds a projected one', { pod: projected({}) }, [needless('a projected volume holds a token')]],
    ['does not count a token for another audience', { pod: projected({ audience: 'vault' }) }, []],
    [
      'leaves tokens on the node to Pod Security',
      { pod: { automountServiceAccountToken: false, volumes: [{ hostPath: { path: '/var/lib/kubelet' } }] } },
      [],
    ],
  ],
  'legacy-token': [
    [
      'finds a Secret volume with the name of one',
      { rbac: [reader, bound], pod: { volumes: [{ name: 'x', secret: { secretName: 'builder-token-x7k2p' } }] } },
      [
        'legacy-token High spec.volumes[0].secret.secretName: Secret builder-token-x7k2p has the name of a token without end, of ServiceAccount builder',
      ],
    ],
    [
      'finds one in a projected volume',
      {
        rbac: [reader, bound],
        pod: { volumes: [{ projected: { sources: [{}, { secret: { name: 'default-token-abcde' } }] } }] },
      },
      [
        'legacy-token High spec.volumes[0].projected.sources[1].secret.name: Secret default-token-abcde has the name of a token without end, of ServiceAccount default',
      ],
    ],
    [
      'takes other names for other Secrets',
      { rbac: [reader, bound], pod: { volumes: [{ secret: { secretName: 'csrf-token-key' } }, { secret: {} }] } },
      [],
    ],
  ],
  'long-lived-token': [
    [
      'finds a token that lives longer than the policy lets it',
      { pod: { ...projected({ audience: 'vault', expirationSeconds: 86_400 }) }, longest: 2 * hour },
      [
        'long-lived-token Medium spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: a token for 24h is longer than the 2h that the policy allows',
      ],
    ],
    ['takes one that does not say for an hour', { pod: projected({ audience: 'vault' }), longest: hour }, []],
    [
      'finds one that does not say where less is allowed',
      { pod: projected({ audience: 'vault' }), longest: hour / 2 },
      [
        'long-lived-token Medium spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: a token for 1h is longer than the 30m that the policy allows',
      ],
    ],
    [
      'passes what the API server mounts itself',
      { pod: projected({ audience: 'x', expirationSeconds: 3_607 }), longest: 3_607_000 },
      [],
    ],
    ['judges nothing without a bound', { pod: projected({ audience: 'vault', expirationSeconds: 9_999_999 }) }, []],
  ],
  'secret-in-env': [
    [
      'finds a variable from a Secret',
      {
        rbac: [reader, bound],
        pod: container({
          env: [
            { name: 'A', value: 'x' },
            { name: 'URL', valueFrom: { secretKeyRef: { name: 'db', key: 'url' } } },
          ],
        }),
      },
      ['secret-in-env Medium spec.containers[0].env[1].valueFrom.secretKeyRef: "URL" is taken from Secret db'],
    ],
    [
      'finds all of a Secret',
      { rbac: [reader, bound], pod: container({ envFrom: [{ secretRef: { name: 'db' } }] }) },
      ['secret-in-env Medium spec.containers[0].envFrom[0].secretRef: the environment takes every key from Secret db'],
    ],
    [
      'finds one in an init container, and by a legacy token both ways',
      {
        rbac: [reader, bound],
        pod: { initContainers: [{ name: 'i', envFrom: [{ secretRef: { name: 'a-token-12345' } }] }] },
      },
      [
        'legacy-token High spec.initContainers[0].envFrom[0].secretRef: Secret a-token-12345 has the name of a token without end, of ServiceAccount a',
        'secret-in-env Medium spec.initContainers[0].envFrom[0].secretRef: the environment takes every key from Secret a-token-12345',
      ],
    ],
    [
      'finds a credential in the manifest, and does not repeat it',
      { rbac: [reader, bound], pod: container({ env: [{ name: 'DB_PASSWORD', value: 'hunter2' }] }) },
      [
        'secret-in-env High spec.containers[0].env[0].value: "DB_PASSWORD" has the name of a credential, and its value stands in the manifest',
      ],
    ],
    ...['apikey', 'STRIPE_API_KEY', 'AWS_SECRET_ACCESS_KEY', 'token', 'GITHUB_TOKEN', 'CLIENT_SECRET'].map(
      (name) =>
        [
          `takes ${name} for a credential`,
          { rbac: [reader, bound], pod: container({ env: [{ name, value: 'x' }] }) },
          [
            `secret-in-env High spec.containers[0].env[0].value: "${name}" has the name of a credential, and its value stands in the manifest`,
          ],
        ] as const,
    ),
    ...['PASSWORD_FILE', 'TOKEN_URL', 'SECRETARY', 'KEY', 'MONKEY', 'AUTH_TOKEN_TTL'].map(
      (name) =>
        [
          `takes ${name} for none`,
          { rbac: [reader, bound], pod: container({ env: [{ name, value: 'x' }] }) },
          [],
        ] as const,
    ),
    [
      'finds none where the value is empty, or another variable',
      {
        rbac: [reader, bound],
        pod: container({
          env: [{ name: 'PASSWORD', value: '' }, { name: 'TOKEN' }, { name: 'SECRET', value: '$(OTHER)' }],
        }),
      },
      [],
    ],
    [
      'takes a value with a reference in it for a value',
      { rbac: [reader, bound], pod: container({ env: [{ name: 'TOKEN', value: 'x$(OTHER)' }] }) },
      [
        'secret-in-env High spec.containers[0].env[0].value: "TOKEN" has the name of a credential, and its value stands in the manifest',
      ],
    ],
  ],
}

describe('reviewTokens', () => {
  for (const [check, cases] of Object.entries(table)) {
    describe(check, () => {
      for (const [sentence, given, finds] of cases) {
        it(sentence, () => expect(found(given)).to.deep.equal(finds))
      }
    })
  }

  it('judges nothing that the policy does not list', () => {
    const reading = readWorkload({ apiVersion: 'v1', kind: 'Pod', spec: { containers: [{ name: 'app' }] } })
    if (!reading.ok || reading.workload === null) throw new Error('not a workload')
    const identity = { kind: 'ServiceAccount', namespace: 'payments', name: 'default' } as const
    expect(reviewTokens(reading.workload, identity, { checks: [], maxTokenLifetime: null }, worldOf({}))).to.deep.equal(
      [],
    )
  })
})
