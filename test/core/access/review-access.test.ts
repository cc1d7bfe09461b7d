import { expect } from 'chai'
import type { AccessWrite } from '../../../src/core/access/access-write.ts'
import { reviewAccess } from '../../../src/core/access/review-access.ts'
import type { Policy } from '../../../src/core/policy/policy.ts'
import { RbacIndex } from '../../../src/core/rbac/rbac-index.ts'
import type { World } from '../../../src/core/world.ts'
import { policyOf } from '../policy/policy-of.ts'
import { binding, role, rule, type RawObject } from '../rbac/rbac-of.ts'
import { aggregating, bindingWrite, labelled, roleWrite, standingPolicy, worldWith } from './writes.ts'

const deployer = 'ServiceAccount ci/deployer'
const secrets = role('ci/secrets', rule('get,list secrets'))
const config = role('ci/config', rule('get configmaps'))
const toSecrets = (...subjects: readonly string[]): RawObject => binding('ci/mine', 'Role secrets', ...subjects)

/** Check, path and message of each finding. */
const told = (write: AccessWrite, world: World): readonly string[] =>
  reviewAccess(write, world).findings.map(({ check, path, message }) => `[${check}] ${path}: ${message}`)
const verdict = (write: AccessWrite, world: World): string => reviewAccess(write, world).verdict

const under = (...policies: readonly Policy[]): string =>
  verdict(bindingWrite(toSecrets(deployer)), worldWith([secrets], policies))

const throughBoth = (path: string) => [
  `[standing-access] ${path}: ServiceAccount ci/deployer would hold for good in ci (RoleBinding ci/editors → ClusterRole edit): get secrets`,
  `[standing-access] ${path}: ServiceAccount payments/deployer would hold for good in payments (RoleBinding payments/admins → ClusterRole admin): get secrets`,
]

describe('reviewAccess', () => {
  describe('of a binding', () => {
    const world = worldWith([secrets, config, role('reader', rule('get,list secrets'), rule('get /metrics'))])

    it('tells whom it would give what, where, and what to do', () => {
      expect(reviewAccess(bindingWrite(toSecrets('User ana', deployer)), world)).to.deep.equal({
        verdict: 'Deny',
        findings: [
          {
            check: 'standing-access',
            severity: 'High',
            path: 'subjects[1]',
            message: 'ServiceAccount ci/deployer would hold for good in ci: get,list secrets',
            remedy: 'leave it out, or have it listed in workloads.standing of policy payments-deploy@1.4.0',
            enforcement: 'Deny',
            policy: {
              name: 'payments-deploy',
              version: '1.4.0',
              owner: { name: 'payments-platform', contact: 'oncall@example.com' },
            },
          },
        ],
        next: [],
        missingAccounts: [],
      })
    })

    it('names the permission by which a grant would give it', () => {
      const rolling = worldWith([role('ci/rollout', rule('get,patch deployments.apps'), rule('get configmaps'))])
      const { findings, next } = reviewAccess(bindingWrite(binding('ci/mine', 'Role rollout', deployer)), rolling)
      expect(findings.map(({ remedy }) => remedy)).to.deep.equal([
        'ask for it with an NHIGrant: permission rollout of policy payments-deploy@1.4.0 covers it',
      ])
      expect(next).to.deep.equal([
        'to ask for time-bound access instead: lapse request -n ci --as-subject sa/deployer --policy payments-deploy --permission rollout --reason TEXT',
      ])
    })

    it('names no grant for what no grant gives: everywhere, outside of the scope, or beyond the permissions', () => {
      const rollout = role('rollout', rule('get,patch deployments.apps'))
      const rolling = worldWith([rollout, role('ci/more', rule('patch deployments.apps'), rule('get pods'))])
      for (const object of [
        binding('mine', 'ClusterRole rollout', deployer),
        binding('search/mine', 'ClusterRole rollout', deployer),
        binding('ci/mine', 'Role more', deployer),
      ]) {
        const { verdict: found, next } = reviewAccess(bindingWrite(object), rolling)
        expect([found, next]).to.deep.equal(['Deny', []])
      }
    })

    const refused: readonly (readonly [sentence: string, object: RawObject, message: string])[] = [
      [
        'one that gives it everywhere, URLs included',
        binding('mine', 'ClusterRole reader', deployer),
        'ServiceAccount ci/deployer would hold for good everywhere: get,list secrets; get /metrics',
      ],
      [
        'a User who is the ServiceAccount',
        toSecrets('User system:serviceaccount:ci:deployer'),
        'ServiceAccount ci/deployer would hold for good in ci: get,list secrets',
      ],
      [
        'a User whom the policy governs',
        toSecrets('User ci:acme/payments'),
        'User ci:acme/payments would hold for good in ci: get,list secrets',
      ],
      [
        'every ServiceAccount',
        toSecrets('Group system:serviceaccounts'),
        'Group system:serviceaccounts (every ServiceAccount) would hold for good in ci: get,list secrets',
      ],
      [
        'every ServiceAccount of a namespace that a policy selects',
        toSecrets('Group system:serviceaccounts:payments'),
        'Group system:serviceaccounts:payments (every ServiceAccount of payments) would hold for good in ci: get,list secrets',
      ],
      [
        'everybody who is authenticated',
        toSecrets('Group system:authenticated'),
        'Group system:authenticated would hold for good in ci: get,list secrets',
      ],
      [
        'everybody who is not, whom anybody can be',
        toSecrets('Group system:unauthenticated'),
        'Group system:unauthenticated (who anybody is without credentials) would hold for good in ci: get,list secrets',
      ],
      [
        'the anonymous user',
        toSecrets('User system:anonymous'),
        'User system:anonymous (who anybody is without credentials) would hold for good in ci: get,list secrets',
      ],
      [
        'a ServiceAccount of another namespace that the policy governs',
        binding('payments/x', 'ClusterRole reader', 'ServiceAccount payments/deployer'),
        'ServiceAccount payments/deployer would hold for good in payments: get,list secrets',
      ],
      [
        'a role that does not exist',
        binding('ci/mine', 'Role ghost', deployer),
        'Role ghost does not exist: what it will give ServiceAccount ci/deployer cannot be judged',
      ],
    ]
    for (const [sentence, object, message] of refused)
      it(`refuses ${sentence}`, () => {
        const { verdict: found, findings } = reviewAccess(bindingWrite(object), world)
        expect(found).to.equal('Deny')
        expect(findings.filter(({ enforcement }) => enforcement === 'Deny').map((each) => each.message)).to.deep.equal([
          message,
        ])
      })

    const allowed: readonly (readonly [sentence: string, object: RawObject, verdict: string])[] = [
      ['what the policy lists', binding('ci/mine', 'Role config', deployer), 'Allow'],
      ['URLs in a namespace, where they give nothing', binding('ci/mine', 'ClusterRole urls', deployer), 'Allow'],
      ['a ServiceAccount that no policy governs', toSecrets('ServiceAccount search/deployer'), 'Ungoverned'],
      [
        'every ServiceAccount of a namespace that no policy selects',
        toSecrets('Group system:serviceaccounts:search'),
        'Ungoverned',
      ],
      ['a Group that nobody is in by his name', toSecrets('Group devs'), 'Ungoverned'],
      [
        'a ServiceAccount without a namespace, who is nobody',
        binding('mine', 'ClusterRole reader', 'ServiceAccount deployer'),
        'Ungoverned',
      ],
      ['a subject of no kind', toSecrets('Robot deployer'), 'Ungoverned'],
      ['nobody', toSecrets(), 'Ungoverned'],
    ]
    for (const [sentence, object, expected] of allowed)
      it(`lets pass ${sentence}`, () => {
        const known = worldWith([
          secrets,
          config,
          role('reader', rule('get secrets')),
          role('urls', rule('get /metrics')),
        ])
        expect(verdict(bindingWrite(object), known)).to.equal(expected)
        expect(reviewAccess(bindingWrite(object), known).findings).to.deep.equal([])
      })

    it('judges nothing under policies that do not speak of standing access', () => {
      const silent = worldWith([secrets], [policyOf()])
      expect(verdict(bindingWrite(toSecrets(deployer)), silent)).to.equal('Ungoverned')
    })

    it('lets nothing be held where nothing is listed', () => {
      const strict = worldWith([config], [standingPolicy({ standing: [] })])
      expect(verdict(bindingWrite(binding('ci/mine', 'Role config', deployer)), strict)).to.equal('Deny')
    })

    it('does what the policy says that breaches do, and the strictest of two', () => {
      const warning = standingPolicy({ enforcement: 'Warn' }, { name: 'a' })
      const auditing = standingPolicy({ enforcement: 'Audit' }, { name: 'b' })
      const denying = standingPolicy({}, { name: 'c' })
      expect([under(auditing), under(auditing, warning), under(auditing, warning, denying)]).to.deep.equal([
        'Audit',
        'Warn',
        'Deny',
      ])
    })

    it('must be covered by each of two policies', () => {
      const wide = standingPolicy({ standing: [rule('get,list secrets')] }, { name: 'wide' })
      expect(verdict(bindingWrite(toSecrets(deployer)), worldWith([secrets], [wide]))).to.equal('Allow')
      expect(verdict(bindingWrite(toSecrets(deployer)), worldWith([secrets], [wide, standingPolicy()]))).to.equal(
        'Deny',
      )
    })

    it('refuses a ServiceAccount that is not there if a policy could come to select it, and says so', () => {
      const selecting = standingPolicy(
        {},
        {
          subjects: [
            {
              kind: 'ServiceAccount',
              namespaceSelector: { matchLabels: { team: 'payments' } },
              selector: { matchLabels: { nhi: 'deployer' } },
              names: [],
            },
          ],
        },
      )
      const ghostly = worldWith([secrets], [selecting])
      expect(told(bindingWrite(toSecrets('ServiceAccount ci/ghost')), ghostly)).to.deep.equal([
        '[standing-access] subjects[0]: ServiceAccount ci/ghost (which does not exist) would hold for good in ci: get,list secrets',
        '[dangling-subject] subjects[0].name: ServiceAccount ci/ghost does not exist: whoever creates it gets the access',
      ])
      expect(reviewAccess(bindingWrite(toSecrets('ServiceAccount ci/ghost')), ghostly).missingAccounts).to.deep.equal([
        { namespace: 'ci', name: 'ghost' },
      ])
      expect(verdict(bindingWrite(toSecrets('ServiceAccount search/ghost')), ghostly)).to.equal('Ungoverned')
      expect(verdict(bindingWrite(toSecrets('ServiceAccount nowhere/ghost')), ghostly)).to.equal('Deny')
      expect(verdict(bindingWrite(toSecrets(deployer)), ghostly)).to.equal('Ungoverned')
    })

    it('remarks on what makes a binding hard to find, and refuses it for nothing of it', () => {
      const crossing = bindingWrite(
        binding('payments/mine', 'ClusterRole config', 'User system:serviceaccount:ci:deployer'),
      )
      const known = worldWith([role('config', rule('get configmaps'))])
      expect(verdict(crossing, known)).to.equal('Warn')
      expect(told(crossing, known)).to.deep.equal([
        '[user-alias] subjects[0].kind: User system:serviceaccount:ci:deployer is ServiceAccount ci/deployer, which inventories by kind do not see',
        '[cross-namespace-subject] subjects[0].namespace: ServiceAccount ci/deployer gets access to another namespace than its own',
      ])
    })

    it('does not spell out what would be millions of permissions, and refuses it', () => {
      const many = Array.from({ length: 400 }, (_, index) => `r${index}`)
      const huge = role('huge', { verbs: many, apiGroups: many, resources: many })
      const started = performance.now()
      expect(told(bindingWrite(binding('ci/mine', 'ClusterRole huge', deployer)), worldWith([huge]))[0]).to.contain(
        '64000000 single permissions, too many to be judged',
      )
      expect(performance.now() - started).to.be.below(1_000)
    })
  })

  describe('of an update', () => {
    it('counts only what it adds to what the subject holds in the same place', () => {
      const held = binding('ci/legacy', 'Role secrets', deployer)
      const world = worldWith([
        secrets,
        held,
        role('reader', rule('get secrets')),
        role('ci/more', rule('get,watch secrets')),
      ])
      const gives = (object: RawObject) => told(bindingWrite(object), world)
      expect(gives(binding('ci/again', 'ClusterRole reader', deployer))).to.deep.equal([])
      expect(gives(binding('ci/again', 'Role more', deployer))).to.deep.equal([
        '[standing-access] subjects[0]: ServiceAccount ci/deployer would hold for good in ci: watch secrets',
      ])
      expect(gives(binding('payments/again', 'ClusterRole reader', deployer))[0]).to.contain('in payments: get secrets')
      expect(gives(binding('again', 'ClusterRole reader', deployer))[0]).to.contain('everywhere: get secrets')
    })

    it('leaves whom the binding names already, and judges who is added', () => {
      const before = toSecrets(deployer)
      const world = worldWith([secrets, before])
      expect(told(bindingWrite(toSecrets(deployer, 'User ana'), before), world)).to.deep.equal([])
      expect(told(bindingWrite(toSecrets(deployer, 'User ci:acme/payments'), before), world)).to.deep.equal([
        '[standing-access] subjects[1]: User ci:acme/payments would hold for good in ci: get,list secrets',
      ])
    })

    it('takes what is stored for what was held, not what a cache still shows', () => {
      const wide = toSecrets(deployer)
      expect(verdict(bindingWrite(wide, toSecrets()), worldWith([secrets, wide]))).to.equal('Deny')
      const bound = worldWith([secrets, wide])
      const shrunk = role('ci/secrets', rule('get secrets'))
      expect(told(roleWrite(secrets, shrunk), bound)[0]).to.contain(': list secrets')
      expect(verdict(roleWrite(secrets), bound)).to.equal('Deny')
    })

    it('does not count what a grant gives for a time', () => {
      const granted = binding('ci/lapse-1', 'ClusterRole reader', deployer)
      const objects = [role('reader', rule('get secrets')), granted]
      const again = bindingWrite(binding('ci/mine', 'ClusterRole reader', deployer))
      expect(verdict(again, worldWith(objects))).to.equal('Allow')
      const world = { ...worldWith(objects), grantBindings: () => new Set([granted.metadata.uid]) }
      expect(verdict(again, world)).to.equal('Deny')
      const pooled = worldWith([
        ...objects.slice(0, 1),
        role('lapse-set-3', rule('get secrets')),
        binding('ci/lapse-2', 'ClusterRole lapse-set-3', deployer),
      ])
      expect(verdict(again, pooled)).to.equal('Deny')
    })

    it('lets a binding to a role that has gone be updated, for it gives nobody more', () => {
      const dangling = binding('ci/mine', 'Role ghost', deployer)
      expect(verdict(bindingWrite(dangling, dangling), worldWith([dangling]))).to.equal('Allow')
    })
  })

  describe('of a role', () => {
    const bound = [binding('ci/a', 'Role config', deployer), binding('ci/b', 'Role config', 'User ana')]

    it('tells through which binding it would give whom what', () => {
      const more = role('ci/config', rule('get configmaps'), rule('get,list secrets'))
      expect(told(roleWrite(more, config), worldWith([config, ...bound]))).to.deep.equal([
        '[standing-access] rules: ServiceAccount ci/deployer would hold for good in ci (RoleBinding ci/a → Role config): get,list secrets',
      ])
    })

    it('judges the bindings that wait for it', () => {
      const waiting = worldWith([binding('ci/mine', 'Role secrets', deployer)])
      expect(verdict(roleWrite(secrets), waiting)).to.equal('Deny')
    })

    it('judges a ClusterRole by its bindings in every namespace and everywhere', () => {
      const before = role('reader')
      const world = worldWith([
        before,
        binding('ci/a', 'ClusterRole reader', deployer),
        binding('all', 'ClusterRole reader', 'Group system:serviceaccounts'),
        binding('ci/b', 'Role reader', deployer),
      ])
      expect(told(roleWrite(role('reader', rule('get secrets')), before), world)).to.deep.equal([
        '[standing-access] rules: ServiceAccount ci/deployer would hold for good in ci (RoleBinding ci/a → ClusterRole reader): get secrets',
        '[standing-access] rules: Group system:serviceaccounts (every ServiceAccount) would hold for good everywhere (ClusterRoleBinding all → ClusterRole reader): get secrets',
      ])
    })

    it('finds the one refusal behind any number of warnings', () => {
      const crowd = Array.from({ length: 300 }, (_, index) =>
        binding(`ci/a${index}`, 'Role config', 'User ci:acme/payments'),
      )
      const warning = standingPolicy(
        { enforcement: 'Warn' },
        { name: 'warning', subjects: [{ kind: 'User', names: ['ci:acme/payments'] }] },
      )
      const denying = standingPolicy({}, { name: 'denying', subjects: [{ kind: 'User', names: ['eve'] }] })
      const world = worldWith([config, ...crowd, binding('ci/last', 'Role config', 'User eve')], [warning, denying])
      expect(verdict(roleWrite(role('ci/config', rule('get secrets')), config), world)).to.equal('Deny')
    })

    it('lets pass what takes away, what is bound to nobody, and what a grant carries', () => {
      const world = worldWith([secrets, binding('ci/a', 'Role secrets', deployer)])
      expect(told(roleWrite(role('ci/secrets', rule('get secrets')), secrets), world)).to.deep.equal([])
      expect(verdict(roleWrite(role('payments/secrets', rule('get secrets'))), world)).to.equal('Ungoverned')
      const granted = { ...world, grantBindings: () => new Set(['uid of ci/a']) }
      expect(verdict(roleWrite(role('ci/secrets', rule('* *')), secrets), granted)).to.equal('Ungoverned')
    })
  })

  describe('of aggregation', () => {
    const edit = aggregating(labelled(role('edit'), { 'to-admin': 'true' }), 'to-edit')
    const admin = aggregating(role('admin'), 'to-admin')
    const part = role('part', rule('get secrets'))
    const toEdit = labelled(part, { 'to-edit': 'true' })
    const world = worldWith([
      edit,
      admin,
      part,
      binding('ci/editors', 'ClusterRole edit', deployer),
      binding('payments/admins', 'ClusterRole admin', 'ServiceAccount payments/deployer'),
    ])

    it('judges a label by the bindings of all the roles into which it brings the rules', () => {
      expect(told(roleWrite(toEdit, part), world)).to.deep.equal(throughBoth('metadata.labels'))
      expect(told(roleWrite(toEdit), world)).to.deep.equal(throughBoth('metadata.labels'))
    })

    it('judges new rules of a role that is aggregated already', () => {
      expect(told(roleWrite(toEdit, { ...toEdit, rules: [] }), world)).to.deep.equal(throughBoth('rules'))
    })

    it('judges a selector by what it selects', () => {
      const fresh = role('fresh')
      const bound = worldWith([toEdit, fresh, binding('ci/mine', 'ClusterRole fresh', deployer)])
      expect(told(roleWrite(aggregating(fresh, 'to-edit'), fresh), bound)).to.deep.equal([
        '[standing-access] rules: ServiceAccount ci/deployer would hold for good in ci (RoleBinding ci/mine → ClusterRole fresh): get secrets',
      ])
    })

    it('judges a binding also by what the controller has yet to write into its role', () => {
      const lagging = worldWith([edit, admin, toEdit])
      expect(told(bindingWrite(binding('ci/mine', 'ClusterRole admin', deployer)), lagging)[0]).to.contain(
        ': get secrets',
      )
    })

    it('ends where roles aggregate each other', () => {
      const one = labelled(aggregating(role('one'), 'to-one'), { 'to-two': 'true' })
      const two = labelled(aggregating(role('two', rule('get secrets')), 'to-two'), { 'to-one': 'true' })
      const round = worldWith([one, two, binding('ci/mine', 'ClusterRole one', deployer)])
      expect(verdict(roleWrite(two), round)).to.equal('Deny')
      expect(verdict(bindingWrite(binding('ci/other', 'ClusterRole one', deployer)), round)).to.equal('Deny')
    })
  })

  it('counts nothing as held where nothing exists yet, as among manifests', () => {
    const objects = [secrets, binding('ci/one', 'Role secrets', deployer), toSecrets(deployer)]
    const world = worldWith(objects)
    expect(verdict(bindingWrite(toSecrets(deployer)), world)).to.equal('Allow')
    expect(reviewAccess(bindingWrite(toSecrets(deployer)), world, new RbacIndex()).verdict).to.equal('Deny')
  })
})

describe('what a grant gives while it is being issued', () => {
  it('is not held for good: its binding is there before the record names it', () => {
    const viewer = role('view-secrets', rule('get,list secrets'))
    const carrying = labelled(binding('ci/lapse-0a1b-read', 'ClusterRole view-secrets', 'ServiceAccount ci/deployer'), {
      'lapse.dev/grant-uid': '0a1b',
    })
    const own = bindingWrite(binding('ci/mine', 'ClusterRole view-secrets', 'ServiceAccount ci/deployer'))
    expect(reviewAccess(own, worldWith([viewer, carrying])).verdict).to.equal('Deny')
  })
})

describe('a binding that gives many subjects much', () => {
  const names = Array.from({ length: 24_000 }, (_, index) => `n${index}`)
  const big = role('ci/big', rule('get,update configmaps', ...names))
  const review = (subjects: readonly string[], policies?: readonly Policy[]) =>
    reviewAccess(bindingWrite(binding('ci/mine', 'Role big', ...subjects)), worldWith([big], policies))
  const governed = standingPolicy(
    { enforcement: 'Warn' },
    { subjects: [{ kind: 'User', names: Array.from({ length: 2_000 }, (_, index) => `u${index}`) }] },
  )

  it('is looked at once for a subject that it names a thousand times', () => {
    const { findings } = review(Array.from({ length: 1_000 }, () => 'User system:anonymous'))
    expect(findings.map(({ path }) => path)).to.deep.equal(['subjects[0]'])
  })

  it('is refused when it is too much to be judged, also where the policy would only warn', () => {
    expect(review(['User u0'], [governed]).verdict).to.equal('Warn')
    const subjects = Array.from({ length: 2_000 }, (_, index) => `User u${index}`)
    const many = review(subjects, [governed])
    expect(many.verdict).to.equal('Deny')
    expect(many.findings.length).to.be.below(subjects.length)
    expect(many.findings.find(({ enforcement }) => enforcement === 'Deny')?.message).to.match(
      /too many subjects too much at once$/,
    )
  })
})
