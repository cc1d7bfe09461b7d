import { expect } from 'chai'

import { lapse, type CommandOutcome, type Given } from '../cli/fake-io.ts'
import type { ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { guardedCluster } from '../support/guarded-cluster.ts'
import { getOrNull, paths, rules } from '../support/scene.ts'

const dev = ['--as', 'dan@example.com', '--as-group', 'cli-devs']
const lead = ['--as', 'lea@example.com', '--as-group', 'cli-leads']

const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString()

const isOfLapse = ({ message }: Error): true | undefined => message.includes('denied by lapse') || undefined

describe('the life of a grant from a shell', () => {
  let controlPlane: ControlPlane
  let namespace: string
  let subject: string

  before(async function () {
    this.timeout(180_000)
    controlPlane = (await guardedCluster()).controlPlane
    const { admin } = controlPlane
    namespace = await controlPlane.namespace({ cli: 'yes' })
    subject = `sa/${namespace}/default`
    await admin.create('/apis/rbac.authorization.k8s.io/v1/clusterroles', {
      metadata: { name: 'cli-people' },
      rules: [
        {
          apiGroups: ['lapse.dev'],
          resources: ['nhigrants', 'clusternhigrants', 'nhigrantapprovals', 'nhisuspensions', 'accesspolicies'],
          verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
        },
        { apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'], verbs: ['get', 'list'] },
        { apiGroups: [''], resources: ['namespaces', 'serviceaccounts', 'secrets'], verbs: ['get'] },
        { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
      ],
    })
    await admin.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name: 'cli-people' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cli-people' },
      subjects: ['cli-devs', 'cli-leads'].map((name) => ({
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'Group',
        name,
      })),
    })
    await Promise.all([policy('cli-free', 'rollout', 0), policy('cli-asks', 'read-pods', 1)])
    await eventually('RBAC has heard of it', () => asDan({ policy: { name: 'any' } }).then(() => true, isOfLapse))
    for (const name of ['cli-free', 'cli-asks'])
      await eventually(`the webhook knows ${name}`, () =>
        asDan({ policy: { name } }).then(
          () => true,
          ({ message }: Error) => (message.includes('[policy-missing]') ? undefined : true),
        ),
      )
  })

  /** Asks for a grant in a dry run, as who uses the shell. */
  function asDan(changed: object): Promise<unknown> {
    const dan = { user: 'dan@example.com', groups: ['cli-devs'] }
    return controlPlane.admin.as(dan).create(`${paths.grants(namespace)}?dryRun=All`, {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'NHIGrant',
      metadata: { name: 'probe' },
      spec: {
        policy: { name: 'cli-free' },
        subject: { kind: 'ServiceAccount', namespace, name: 'default' },
        permissions: ['rollout'],
        duration: '10m',
        reason: 'a test',
        ...changed,
      },
    })
  }

  /** Lets cli-devs ask for one permission set, and cli-leads approve. */
  async function policy(name: string, set: string, required: number): Promise<void> {
    const namespaceSelector = { matchLabels: { cli: 'yes' } }
    const leads = [{ kind: 'Group', name: 'cli-leads' }]
    const requesters = [{ kind: 'Group', name: 'cli-devs' }]
    await controlPlane.admin.create(paths.policies, {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'AccessPolicy',
      metadata: { name },
      spec: {
        version: '1.0.0',
        owner: { name: 'platform' },
        change: { request: 'CHG-1', reason: 'a test', approvedBy: ['ana'], expiresAt: inDays(90) },
        subjects: [{ kind: 'ServiceAccount', namespaceSelector, names: ['default'] }],
        scope: { namespaceSelector },
        permissions: [{ name: set, rules: set === 'rollout' ? rules.rollout : rules.readPods }],
        grants: {
          maxDuration: '1h',
          maxActivePerSubject: 20,
          requesters,
          approval: { required, by: leads },
          breakGlass: { requesters, maxDuration: '10m', reviewWithin: '1h', reviewers: leads },
        },
      },
    })
    await eventually(
      `${name} is recorded`,
      async () => (await getOrNull(controlPlane.admin, `${paths.revisions}/${name}-1.0.0`)) ?? undefined,
    )
  }

  function run(argv: readonly string[], who: readonly string[] = dev, given: Given = {}): Promise<CommandOutcome> {
    const where = ['--kubeconfig', controlPlane.kubeconfigPath, ...(argv.includes('-A') ? [] : ['-n', namespace])]
    return lapse([...argv, ...where, ...who], { now: () => Date.now(), ...given })
  }

  function ask(...argv: readonly string[]): Promise<CommandOutcome> {
    return run(['request', '--as-subject', 'sa/default', '--reason', 'Release 41', '--for', '10m', ...argv])
  }

  const why = (): Promise<CommandOutcome> => run(['why', subject, 'patch', 'deploy/api'])

  it('goes from a request to a proved end', async () => {
    expect((await why()).code).to.equal(1)
    const asked = await ask('--permission', 'rollout', '--name', 'first')
    expect(asked.stdout, asked.stderr).to.match(
      new RegExp(
        `^NHIGrant ${namespace}/first under cli-free@1\\.0\\.0 is Active until \\S+Z \\((10m|9m5\\ds) left\\)\\n$`,
      ),
    )
    expect(asked.code).to.equal(0)

    const given = await eventually('RBAC has heard of the binding', async () => {
      const answer = await why()
      return answer.code === 0 ? answer : undefined
    })
    expect(given.stdout).to.match(
      /^yes: ServiceAccount \S+ may patch deployments\.apps named api in \S+\n {2}RoleBinding \S+ → ClusterRole lapse-set-\d+: get,list,patch deployments\.apps\n {4}NHIGrant \S+\/first under cli-free@1\.0\.0, until \S+ \(\S+ left\)\n$/,
    )
    expect({ code: given.code, stderr: given.stderr }).to.deep.equal({ code: 0, stderr: '' })

    const holders = await run(['who', 'patch', 'deploy/api'])
    expect(holders.stdout).to.match(
      / {2}ServiceAccount \S+\n {4}RoleBinding \S+ → ClusterRole lapse-set-\d+: get,list,patch deployments\.apps\n {4}NHIGrant \S+\/first under cli-free@1\.0\.0, until /,
    )
    expect(holders.code, holders.stderr).to.equal(0)

    const listed = await run(['grants', '--subject', subject])
    expect(listed.stdout).to.match(
      new RegExp(`^NAMESPACE .*\\n${namespace} +first +${subject} +cli-free@1\\.0\\.0 +Active +\\S+ +Release 41\\n$`),
    )

    const revoked = await run(['revoke', 'first', '--reason', 'enough'])
    expect(revoked.stdout, revoked.stderr).to.match(/first under \S+ is Revoked: .*enough[\s\S]*, over-stay \d+ms\n/)
    expect(revoked.code).to.equal(0)
    expect(await why()).to.deep.include({ code: 1, stderr: '' })
    expect((await run(['grants'])).stdout).to.equal('')
    expect((await run(['grants', '--all'])).stdout).to.match(/ first .* Revoked +- +Release 41\n/)
  })

  it('prints what the webhook says against a request, as it is', async () => {
    const { code, stdout, stderr } = await ask('--permission', 'nothing', '--policy', 'cli-free')
    expect(stderr).to.match(/^admission webhook "\S+" denied the request: denied by lapse: NHIGrant \S+ asks for more/)
    expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' })
  })

  it('says which policies it could mean', async () => {
    const none = await ask('--permission', 'nothing')
    expect(none.stderr).to.match(
      /^lapse request: no policy governs ServiceAccount \S+ and offers that in \S+; name one/,
    )
    expect(none.code).to.equal(2)
  })

  it('gives the grant as a document', async () => {
    const { code, stdout } = await ask('--permission', 'rollout', '--policy', 'cli-free', '-o', 'json')
    const grant = JSON.parse(stdout) as { readonly kind: string; readonly status: { readonly state: string } }
    expect({ code, kind: grant.kind, state: grant.status.state }).to.deep.equal({
      code: 0,
      kind: 'NHIGrant',
      state: 'Active',
    })
  })

  it('waits for an approval, and says who can give it', async () => {
    const asked = await ask('--permission', 'read-pods', '--name', 'second', '--wait', '3s')
    expect(asked.stderr).to.include(`  to approve: lapse approve second -n ${namespace} --reason …\n`)
    expect(asked.stdout).to.match(/^NHIGrant \S+\/second under cli-asks\S* is still AwaitingApproval\n/)
    expect(asked.code).to.equal(6)

    const approve = ['approve', 'second', '--reason', 'looks right']
    expect(await run(approve, dev, { answer: 'y' }), 'for oneself').to.deep.include({ code: 1, stdout: '' })
    expect((await run(approve, lead)).stderr).to.include('lapse approve: nobody is there to be asked: give --yes')
    const doubted = await run(approve, lead, { answer: '' })
    expect(doubted.stderr).to.include('  asked by:  dan@example.com\n').and.include('get,list pods\n')
    expect(doubted.stderr).to.match(/Approve it\? \[y\/N\] lapse approve: nothing was written\n$/)
    expect(doubted.code).to.equal(1)

    const approved = await run(approve, lead, { answer: 'yes' })
    expect(approved.stdout, approved.stderr).to.match(/^Approve: NHIGrantApproval \S+\/second-\S+\n$/)
    await eventually('it is Active', async () =>
      (await run(['grants'])).stdout.includes(' second ') ? isActive('second') : undefined,
    )

    await eventually('the webhook knows what was said', async () =>
      (await run([...approve, '--yes'], lead)).stderr.includes('nothing is written') ? true : undefined,
    )
    const again = await run([...approve, '--yes'], lead)
    expect(again.stdout, again.stderr).to.match(/^Approve: NHIGrantApproval \S+\/second-\S+\n$/)
    const [, name] = /\/(\S+)\n$/.exec(again.stdout)!
    expect(again.stderr).to.include(
      `\nlapse approve: lea@example.com has already approved this grant as it is: ${name}; nothing is written\n`,
    )
    expect(again.code).to.equal(0)
    const printed = await run([...approve, '--yes', '-o', 'json'], lead)
    expect(JSON.parse(printed.stdout)).to.deep.include({ kind: 'NHIGrantApproval' })
    expect(JSON.parse(printed.stdout).metadata.name).to.equal(name)
    expect((await run(['revoke', 'second', '--reason', 'seen enough'])).code).to.equal(0)
  })

  it('ends a request that is denied', async () => {
    await ask('--permission', 'read-pods', '--name', 'third', '--no-wait')
    await eventually('it waits', async () => ((await stateOf('third')) === 'AwaitingApproval' ? true : undefined))
    const denied = await run(['deny', 'third', '--reason', 'not today', '--yes'], lead)
    expect(denied.code, denied.stderr).to.equal(0)
    await eventually('it is denied', async () => ((await stateOf('third')) === 'Denied' ? true : undefined))
  })

  it('shows what broke the glass until it is reviewed', async () => {
    const asked = await ask('--permission', 'read-pods', '--name', 'urgent', '--break-glass', 'INC-7')
    expect(asked.code, asked.stderr).to.equal(0)
    expect((await run(['revoke', 'urgent', '--reason', 'mended'])).code).to.equal(0)
    expect((await run(['grants', '--unreviewed'])).stdout).to.match(/ urgent .* Revoked /)
    await eventually('the webhook knows that it is over', async () => {
      const reviewed = await run(['review', 'urgent', '--reason', 'was needed', '--yes'], lead)
      expect(reviewed.code, reviewed.stderr).to.equal(0)
      return reviewed
    })
    await eventually('nothing is left to review', async () =>
      (await run(['grants', '--unreviewed'])).stdout === '' ? true : undefined,
    )
  })

  it('suspends an identity, until that is lifted', async () => {
    expect((await ask('--permission', 'rollout', '--name', 'fourth')).code).to.equal(0)
    const suspended = await run(['revoke', '--subject', 'sa/default', '--reason', 'key leaked'], lead)
    expect(suspended.stderr).to.include(`is suspended by NHISuspension sa.${namespace}.default\n`)
    expect(suspended.stdout).to.match(/\/fourth under \S+ is Revoked: .*\n {2}ended at \S+, over-stay \d+ms\n/)
    expect(suspended.code).to.equal(0)
    expect(await why()).to.deep.include({ code: 1 })
    await eventually('the webhook knows it', () => asDan({}).then(() => undefined, isOfLapse))
    const refused = await ask('--permission', 'rollout')
    expect(refused.stderr).to.include('denied the request: denied by lapse:').and.include('key leaked')
    expect(refused.code).to.equal(1)

    const lifted = await run(['revoke', '--subject', subject, '--lift'], lead)
    expect(lifted.stderr).to.equal(`lapse revoke: NHISuspension sa.${namespace}.default is lifted\n`)
    await eventually('it may ask again', async () =>
      (await ask('--permission', 'rollout')).code === 0 ? true : undefined,
    )
  })

  describe('ends with code', () => {
    it('3 where there is no such grant', async () => {
      for (const argv of [
        ['revoke', 'missing'],
        ['approve', 'missing', '--yes'],
      ])
        expect(await run([...argv, '--reason', 'r'])).to.deep.equal({
          code: 3,
          stdout: '',
          stderr: `lapse ${argv[0]}: there is no NHIGrant ${namespace}/missing\n`,
        })
    })

    it('4 where it may not look, and says at what', async () => {
      const { code, stderr } = await run(['grants', '-A'], ['--as', 'nobody'])
      expect(stderr).to.match(
        /^lapse grants: the cluster does not permit it: nhigrants\.lapse\.dev is forbidden: User "nobody"/,
      )
      expect(code).to.equal(4)
    })
  })

  async function stateOf(name: string): Promise<string> {
    return (await controlPlane.admin.get(`${paths.grants(namespace)}/${name}`))['status']?.state ?? 'Pending'
  }

  async function isActive(name: string): Promise<true | undefined> {
    return (await stateOf(name)) === 'Active' ? true : undefined
  }
})
