import { expect } from 'chai'
import { loadConditionEngine } from '../../src/core/cel/engine.ts'
import { reviewGrant } from '../../src/webhook/review-grant.ts'
import { reviewPolicy } from '../../src/webhook/review-policy.ts'
import { reviewWorkloads } from '../../src/webhook/review-workload.ts'
import { account, deployment, grant, namespace, podSpec, policy } from './objects.ts'
import {
  gist,
  judge,
  now,
  operatorUser,
  refusalOf,
  requestOf,
  worldOf,
  type RawObject,
  type RequestOptions,
} from './requests.ts'

interface Condition {
  readonly name: string
  readonly expression: string
  readonly message?: string
}

const payments = [namespace('payments', { team: 'payments', stage: 'production' }), account('payments/api')]
const workloads = (...conditions: readonly Condition[]) => ({ podSecurity: { level: 'restricted' }, conditions })
const grants = (...conditions: readonly Condition[]) => ({
  maxDuration: '1h',
  requesters: [{ kind: 'Self' }, { kind: 'Group', name: 'payments-leads' }],
  conditions,
})
const stamped = (spec: Readonly<Record<string, unknown>>) =>
  policy(spec, { annotations: { 'lapse.dev/applied-by': 'ana@example.com' } })
const registry: Condition = {
  name: 'own-registry',
  expression: 'pod.spec.containers.all(c, c.image.startsWith("registry.example/"))',
  message: 'images come from registry.example only',
}

before(loadConditionEngine)

const reviewOf = (spec: Readonly<Record<string, unknown>>) => judge(reviewPolicy, requestOf(stamped(spec)), worldOf())

describe('a policy with conditions', () => {
  it('is accepted when they compile', () => {
    const whole = { workloads: workloads(registry), grants: grants({ name: 'day', expression: 'now.getHours() > 6' }) }
    expect(gist(reviewOf(whole))).to.equal('allowed')
  })

  it('is refused with line and column of everything that does not compile', () => {
    const broken = {
      workloads: workloads(registry, {
        name: 'typo',
        expression: 'object.metadata.name == nmae &&\n  request.operatoin == ""',
      }),
      grants: grants({ name: 'text', expression: '"yes"' }),
    }
    const refusal = refusalOf(reviewOf(broken))
    expect(refusal)
      .to.contain('[invalid] spec.workloads.conditions[1].expression: line 1, column 25: there is no variable nmae\n')
      .and.contain(
        '[invalid] spec.workloads.conditions[1].expression: line 2, column 10: there is no field operatoin here\n',
      )
      .and.contain('→ known: operation, userInfo, namespace, name, kind')
      .and.contain(
        '[invalid] spec.grants.conditions[0].expression: line 1, column 1: must be true or false, and is string',
      )
  })

  it('is refused when a grant looks at what only workloads have, and the other way round', () => {
    expect(refusalOf(reviewOf({ grants: grants({ name: 'x', expression: 'object.a == 1' }) }))).to.contain(
      'there is no variable object',
    )
    expect(refusalOf(reviewOf({ workloads: workloads({ name: 'x', expression: 'now > timestamp(0)' }) }))).to.contain(
      'there is no variable now',
    )
  })

  it('is refused when two have one name', () => {
    expect(refusalOf(reviewOf({ workloads: workloads(registry, registry) }))).to.contain('spec.workloads.conditions[1]')
  })
})

const underConditions = (
  conditions: readonly Condition[],
  object: RawObject = deployment(),
  options: RequestOptions = {},
  more: readonly RawObject[] = [],
) =>
  judge(
    reviewWorkloads,
    requestOf(object, options),
    worldOf(...payments, ...more, policy({ workloads: workloads(...conditions) })),
  )

describe('a workload under conditions', () => {
  it('passes when all hold', () => expect(gist(underConditions([registry]))).to.equal('allowed'))

  it('is refused with the message of the one that does not, its policy and its owner', () => {
    const strict = { ...registry, expression: 'pod.spec.containers.all(c, c.image.contains("@sha256:"))' }
    expect(refusalOf(underConditions([strict]))).to
      .equal(`denied by lapse: Deployment payments/api asks for more than policy payments-deploy@1.4.0 allows
  [condition] images come from registry.example only
              → see condition own-registry of payments-deploy@1.4.0
owner: payments-platform <payments-oncall@example.com>`)
  })

  it('is refused with the name of a condition that has no message', () => {
    expect(refusalOf(underConditions([{ name: 'never', expression: 'false' }]))).to.contain(
      'condition never does not hold',
    )
  })

  it('is refused when a condition cannot be judged, and is told nothing of the values', () => {
    const refusal = refusalOf(underConditions([{ name: 'odd', expression: 'object.spec.hunter2 == 1' }]))
    expect(refusal).to.contain(
      '[condition] condition odd could not be judged: line 1, column 12: there is no such field or key',
    )
  })

  it('is refused when a condition costs too much, in well under a second', () => {
    const nested =
      Array.from({ length: 8 }, (_, level) => `object.spec.l.all(v${level}, `).join('') + 'true' + ')'.repeat(8)
    const object = deployment({}, { l: Array.from({ length: 100 }, (_, index) => index) })
    const started = performance.now()
    expect(refusalOf(underConditions([{ name: 'n8', expression: nested }], object))).to.contain(
      'costs more than its budget',
    )
    expect(performance.now() - started).to.be.below(1_000)
  })

  it('shares one budget among the conditions of a policy', () => {
    const costly = 'object.spec.l.all(a, object.spec.l.all(b, true))'
    const conditions = Array.from({ length: 16 }, (_, index) => ({ name: `c${index}`, expression: costly }))
    const object = deployment({}, { l: Array.from({ length: 90 }, (_, index) => index) })
    const refusal = refusalOf(underConditions(conditions, object))
    expect(refusal).to.not.contain('condition c0 could')
    expect(refusal).to.contain('condition c15 could not be judged: costs more')
    expect(gist(underConditions(conditions.slice(0, 2), object))).to.equal('allowed')
  })

  describe('has one budget for the whole object', () => {
    const costly = { name: 'c', expression: 'object.spec.l.all(a, object.spec.l.all(b, true))' }
    const l = Array.from({ length: 130 }, (_, index) => index)

    it('whatever Pods it has', () => {
      const template = { spec: podSpec({ automountServiceAccountToken: false }) }
      const podTemplates = [{ group: 'crew.example.com', kind: 'Crew', path: 'spec.tasks[*].template' }]
      const world = worldOf(...payments, policy({ workloads: { conditions: [costly] } }))
      const ask = (pods: number) =>
        reviewWorkloads(
          requestOf({
            apiVersion: 'crew.example.com/v1',
            kind: 'Crew',
            metadata: { namespace: 'payments', name: 'crew' },
            spec: { l, tasks: Array.from({ length: pods }, () => ({ template })) },
          }),
          { world, now, operatorUser, podTemplates },
        )
      expect(gist(ask(2))).to.equal('allowed')
      expect(refusalOf(ask(200))).to.contain('costs more than its budget')
    })

    it('whatever the number of policies', () => {
      const policies = Array.from({ length: 20 }, (_, index) =>
        policy({ workloads: { conditions: [costly] } }, { name: `payments-${index}` }),
      )
      const ask = (count: number) =>
        judge(reviewWorkloads, requestOf(deployment({}, { l })), worldOf(...payments, ...policies.slice(0, count)))
      expect(gist(ask(4))).to.equal('allowed')
      expect(refusalOf(ask(20))).to.contain('costs more than its budget')
    })
  })

  const looksAt: readonly (readonly [what: string, expression: string])[] = [
    ['the object as it was sent', 'object.kind == "Deployment" && object.spec.replicas == 1'],
    ['nothing before it', 'oldObject == null'],
    ['the pods that it makes', 'has(pod.spec.serviceAccountName) && pod.metadata.annotations.size() == 0'],
    ['who asks', 'request.userInfo.username == "ana@example.com" && "system:authenticated" in request.userInfo.groups'],
    ['what is asked', 'request.operation == "CREATE" && request.kind.group == "apps" && request.kind.kind == "Deployment" && request.namespace == "payments" && request.name == "api"'],
    ['the namespace', 'namespaceObject.metadata.name == "payments" && namespaceObject.metadata.labels.stage == "production"'],
    ['the identity', 'identity.username == "system:serviceaccount:payments:api" && "system:serviceaccounts:payments" in identity.groups && identity.namespace == "payments" && identity.name == "api" && identity.kind == "ServiceAccount"'],
    ['its grants', 'grants == []'],
  ] // prettier-ignore
  for (const [what, expression] of looksAt)
    it(`can be judged by ${what}`, () => expect(gist(underConditions([{ name: 'c', expression }]))).to.equal('allowed'))

  describe('can be judged by a grant', () => {
    const governing = policy({
      workloads: workloads({ name: 'c', expression: 'grants.exists(g, g.policy == "payments-deploy")' }),
    })
    const judgedWith = (status: object, spec = {}, metadata = {}) => {
      const world = worldOf(...payments, governing)
      const lasting = {
        state: 'Active',
        policy: { digest: world.policy('payments-deploy')!.digest },
        subject: { uid: 'uid of payments/api' },
        notAfter: '2026-06-01T12:30:00Z',
      }
      world.put('NHIGrant', { ...grant(spec, { uid: 'g', ...metadata }), status: { ...lasting, ...status } })
      return gist(judge(reviewWorkloads, requestOf(deployment()), world)).slice(0, 7)
    }

    it('that lasts', () => expect(judgedWith({})).to.equal('allowed'))
    for (const [sentence, status, spec, metadata] of [
      ['that only waits', { state: 'Pending' }, {}, {}],
      ['whose end has come, whether or not anybody has ended it', { notAfter: '2026-06-01T12:00:00Z' }, {}, {}],
      ['without an end', { notAfter: null }, {}, {}],
      ['that is being revoked', {}, { revoke: { reason: 'leak' } }, {}],
      ['that is being deleted', {}, {}, { deletionTimestamp: '2026-06-01T11:59:59Z' }],
      ['of another version of the policy', { policy: { digest: 'sha256:old' } }, {}, {}],
      ['of an account that was there before under the name', { subject: { uid: 'other' } }, {}, {}],
    ] as const)
      it(`not by one ${sentence}`, () => expect(judgedWith(status, spec, metadata)).to.match(/^403/))
  })

  it('can be judged by what was before', () => {
    const conditions = [
      { name: 'c', expression: 'oldObject == null || oldObject.metadata.name == object.metadata.name' },
    ]
    const oldObject = deployment({ serviceAccountName: 'other' })
    expect(gist(underConditions(conditions, deployment(), { oldObject }))).to.equal('allowed')
  })

  it('stays writable where its pods stay as they are', () => {
    const scaled = deployment({}, { replicas: 5 })
    const conditions = [{ name: 'never', expression: 'false' }]
    expect(gist(underConditions(conditions, scaled, { oldObject: deployment() }))).to.equal('allowed')
  })

  it('is judged alike in a dry run', () => {
    expect(underConditions([registry], deployment(), { dryRun: true })).to.deep.equal(underConditions([registry]))
  })

  it('only warns where the policy only warns', () => {
    const warning = policy({ workloads: { enforcement: 'Warn', conditions: [{ name: 'never', expression: 'false' }] } })
    const answer = judge(reviewWorkloads, requestOf(deployment()), worldOf(...payments, warning))
    expect(gist(answer)).to.equal('allowed')
    expect(answer.warnings.join()).to.contain('condition never does not hold')
  })
})

const underCondition = (condition: Condition, groups: readonly string[] = ['payments-leads']) =>
  judge(reviewGrant, requestOf(grant(), { groups }), worldOf(...payments, policy({ grants: grants(condition) })))

describe('a grant under conditions', () => {
  const looksAt: readonly (readonly [what: string, expression: string])[] = [
    ['what is asked for', 'grant.spec.permissions == ["rollout"] && duration(grant.spec.duration) <= duration("30m") && grant.metadata.namespace == "payments"'],
    ['who asks', 'request.userInfo.username == "ana@example.com" && "payments-leads" in request.userInfo.groups'],
    ['the subject', 'subject.kind == "ServiceAccount" && subject.username == "system:serviceaccount:payments:api"'],
    ['the namespace', 'namespaceObject.metadata.labels.stage == "production"'],
    ['the time', 'now == timestamp("2026-06-01T12:00:00Z") && now.getHours("Europe/Berlin") == 14'],
    ['the policy', 'policy.name == "payments-deploy" && policy.version == "1.4.0"'],
  ] // prettier-ignore
  for (const [what, expression] of looksAt)
    it(`can be judged by ${what}`, () => expect(gist(underCondition({ name: 'c', expression }))).to.equal('allowed'))

  it('is refused with the message of one that does not hold', () => {
    const night = { name: 'night', expression: 'now.getHours() < 6', message: 'only at night' }
    expect(refusalOf(underCondition(night))).to.contain('[condition] only at night\n')
  })

  it('is refused when one cannot be judged', () => {
    const odd = { name: 'odd', expression: 'grant.spec.ticket.startsWith("CHG-")' }
    expect(refusalOf(underCondition(odd))).to.contain(
      'condition odd could not be judged: line 1, column 11: there is no such field',
    )
  })
})
