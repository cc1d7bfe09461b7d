import * as fc from 'fast-check'
import { expect } from 'chai'
import { readAdmissionReview } from '../../src/webhook/admission-review.ts'
import { webhooks } from '../../src/webhook/webhooks.ts'
import { deployment, grant, hostPath, legacyAccess, namespace, payments, pod, policy } from './objects.ts'
import { judge, reviewOf, worldOf, type RawObject } from './requests.ts'

const terms = { podSecurity: { level: 'restricted' }, forbid: ['secrets-read'], standing: [] }
const world = worldOf(...payments, ...legacyAccess, policy({ workloads: terms }))
const volumes = hostPath
const binding: RawObject = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: { namespace: 'payments', name: 'mine' },
  roleRef: { kind: 'ClusterRole', name: 'lapse-set-1' },
  subjects: [{ kind: 'User', name: 'ana' }],
}

const clusterRole: RawObject = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'part', labels: { part: 'yes' } },
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { other: 'yes' } }] },
  rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
}
const tokenSecret: RawObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace: 'payments', name: 't', annotations: { 'kubernetes.io/service-account.name': 'api' } },
  type: 'kubernetes.io/service-account-token',
}

const definition: RawObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'nhigrants.lapse.dev' },
  spec: { group: 'lapse.dev' },
}

/** B20: whatever stands where something else is expected, a review gives an answer and does not throw. */
const samples: readonly (readonly [path: string, object: RawObject, oldObject?: RawObject])[] = [
  ['/v1/admit/workloads', deployment({ volumes })],
  ['/v1/admit/workloads', deployment({ volumes }), deployment()],
  ['/v1/admit/workloads', pod({ annotations: { 'lapse.dev/policy': 'payments-deploy@1.4.0' } })],
  ['/v1/admit/lapse', grant({ rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] }] })],
  ['/v1/admit/lapse', grant({ revoke: { reason: 'x' } }), grant()],
  ['/v1/admit/lapse', policy()],
  ['/v1/admit/lapse', policy({ version: '1.5.0' }), policy()],
  ['/v1/admit/access', binding],
  ['/v1/admit/access', { ...binding, roleRef: { kind: 'Role', name: 'reader' } }, binding],
  ['/v1/admit/access', clusterRole, { ...clusterRole, metadata: { name: 'part' } }],
  ['/v1/admit/access', tokenSecret],
  ['/v1/admit/access', payments[1]!, payments[1]!],
  ['/v1/admit/cluster', namespace('payments'), namespace('payments', { team: 'payments' })],
  ['/v1/admit/cluster', definition, definition],
  ['/v1/mutate', grant()],
  ['/v1/mutate', policy({}, { annotations: { 'lapse.dev/applied-by': 'x' } }), policy()],
]

const anything = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    '',
    '\u0000',
    'constructor',
    '__proto__',
    '💥',
    -1,
    Number.MAX_VALUE,
    0.5,
    '9'.repeat(400),
    [],
    {},
    [[]],
    [null],
    { a: null },
  ),
)

/** The review with a crafted value somewhere in one of its parts. */
function crafted(
  { request, ...review }: ReturnType<typeof reviewOf>,
  part: 'object' | 'oldObject' | 'request',
  way: readonly number[],
  other: unknown,
) {
  if (part === 'request') return { ...review, request: exchange(request, way, other) }
  return { ...review, request: { ...request, [part]: exchange(request[part], way, other) } }
}

/** The object with a value of it, chosen by the numbers on the way down, in exchange for another. */
function exchange(value: unknown, way: readonly number[], other: unknown): unknown {
  const [step, ...rest] = way
  if (step === undefined || typeof value !== 'object' || value === null) return other
  const keys = Object.keys(value)
  if (keys.length === 0) return other
  const key = keys[step % keys.length]!
  const changed = exchange((value as Record<string, unknown>)[key], rest, other)
  if (Array.isArray(value)) return value.with(Number(key), changed)
  return { ...value, [key]: changed }
}

describe('every review', () => {
  for (const [path, object, oldObject] of samples) {
    const kind = `${oldObject === undefined ? 'a new' : 'a changed'} ${object.kind}`
    it(`at ${path} answers about ${kind} with anything in any place`, () => {
      const { review } = webhooks.get(path)!
      const whole = reviewOf(object, { ...(oldObject !== undefined && { oldObject }), groups: ['payments-leads'] })
      const way = fc.array(fc.nat(11), { minLength: 1, maxLength: 9 })
      fc.assert(
        fc.property(fc.constantFrom('object', 'oldObject', 'request'), way, anything, (part, steps, other) => {
          const reading = readAdmissionReview(JSON.parse(JSON.stringify(crafted(whole, part, steps, other))))
          if (reading.ok) expect(judge(review, reading.request, world).allowed).to.be.a('boolean')
          else expect(reading.message).not.to.equal('')
        }),
        { seed: 20_411, numRuns: 2_000 },
      )
    })
  }
})
