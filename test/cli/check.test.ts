import { expect } from 'chai'
import { lapse, now, type CommandOutcome, type Given } from './fake-io.ts'
import { deployment, documents, grant, grantTerms, namespace, policy, serviceAccount } from './manifests.ts'

const world = documents(namespace, serviceAccount)
const hostNetwork = '      hostNetwork: yes\n'

interface Report {
  readonly summary: Readonly<Record<string, number>>
  readonly results: readonly {
    readonly source: { readonly file: string; readonly document: number; readonly line: number }
    readonly object: { readonly kind: string; readonly name: string }
    readonly verdict: string
    readonly findings: readonly { readonly check: string; readonly enforcement: string; readonly message: string }[]
  }[]
}

describe('lapse check', () => {
  describe('judges a workload', () => {
    for (const [sentence, files, code, verdict, findings] of [
      ['allows what meets the policy', [policy(), deployment()], 0, 'Allow', []],
      [
        'denies what does not, read as kubectl reads it',
        [policy(), deployment({ pod: hostNetwork })],
        1,
        'Deny',
        ['host-namespaces Deny'],
      ],
      [
        'warns where the policy only warns',
        [
          policy({ workloads: '{enforcement: Warn, podSecurity: {level: baseline}}' }),
          deployment({ pod: hostNetwork }),
        ],
        0,
        'Warn',
        ['host-namespaces Warn'],
      ],
      [
        'records where the policy only audits',
        [
          policy({ workloads: '{enforcement: Audit, podSecurity: {level: baseline}}' }),
          deployment({ pod: hostNetwork }),
        ],
        0,
        'Audit',
        ['host-namespaces Audit'],
      ],
      ['leaves alone what no policy governs', [deployment({ pod: hostNetwork })], 0, 'Ungoverned', []],
      [
        'refuses a pin to a version that is not on record',
        [policy({ workloads: '{pin: {required: true}}' }), deployment()],
        1,
        'Deny',
        ['pin-missing Deny'],
      ],
    ] as const) {
      it(sentence, async () => {
        const outcome = await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml', '-o', 'json'], {
          files: { 'w.yaml': files.at(-1)!, 'p.yaml': documents(world, ...files.slice(0, -1)) },
        })
        expect(outcome.code).to.equal(code)
        const [result] = reportOf(outcome).results
        expect(result!.verdict).to.equal(verdict)
        expect(result!.findings.map(({ check, enforcement }) => `${check} ${enforcement}`)).to.deep.equal(findings)
      })
    }

    it('says in full why it is denied', async () => {
      const files = {
        'w.yaml': documents(deployment({ pod: hostNetwork })),
        'p.yaml': documents(
          world,
          policy({ workloads: '{podSecurity: {level: baseline}, forbid: [exec]}' }),
          execAccess,
        ),
      }
      const { code, stdout, stderr } = await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml'], { files })
      expect(stdout).to.equal(`w.yaml:1
denied by lapse: Deployment payments/api asks for more than policy deploy@1.4.0 allows
  [host-namespaces] spec.template.spec.hostNetwork: hostNetwork: true is not allowed at level baseline
                    → Remove hostNetwork, hostPID and hostIPC
  [exec]            spec.template.spec.serviceAccountName: ServiceAccount payments/api can create pods/exec in payments (RoleBinding payments/legacy → Role shell)
                    → Ask for a time-bound grant for the investigation
owner: platform <oncall@example.com>

1 object: 1 denied, 0 warned, 0 allowed, 0 ungoverned
`)
      expect(stderr).to.equal('')
      expect(code).to.equal(1)
    })

    it('says what is warned of, and what was judged by its name only', async () => {
      const files = { 'w.yaml': deployment({ pod: hostNetwork }), 'p.yaml': documents(namespace, namedPolicy) }
      const { stdout } = await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml'], { files })
      expect(stdout).to.equal(`w.yaml:1
warning: Deployment payments/api [host-namespaces] spec.template.spec.hostNetwork: hostNetwork: true is not allowed at level baseline (policy deploy@1.4.0)
  → Remove hostNetwork, hostPID and hostIPC
note: ServiceAccount payments/api is not among the files: it was judged by its name only, not by its labels

1 object: 0 denied, 1 warned, 0 allowed, 0 ungoverned
`)
    })

    it('names the template that Helm made it from', async () => {
      const files = {
        'w.yaml': documents('', `# Source: web/templates/api.yaml\n${deployment({ pod: hostNetwork })}`),
        'p.yaml': documents(world, policy()),
      }
      const { stdout } = await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml'], { files })
      expect(stdout).to.match(/^w\.yaml:3 \(web\/templates\/api\.yaml\)\ndenied by lapse/)
      const json = reportOf(await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml', '-o', 'json'], { files }))
      expect(json.results[0]!.source).to.deep.equal({
        file: 'w.yaml',
        document: 1,
        line: 3,
        origin: 'web/templates/api.yaml',
      })
    })

    it('puts what names no namespace into the one that was given', async () => {
      const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {hostNetwork: true, containers: [{name: a}]}\n'
      const given = { files: { 'w.yaml': pod, 'p.yaml': documents(namespace, policy()) } }
      const inDefault = reportOf(await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml', '-o', 'json'], given))
      const inPayments = reportOf(
        await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml', '-n', 'payments', '-o', 'json'], given),
      )
      expect(inDefault.results[0]).to.deep.include({
        verdict: 'Ungoverned',
        object: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'p' },
      })
      expect(inPayments.results[0]!.verdict, 'runs as default, which every namespace has').to.equal('Deny')
    })

    it('knows the name of a namespace that is not among the files, and nothing else of it', async () => {
      const byName = policy().replace('{team: payments}', '{kubernetes.io/metadata.name: payments}')
      const byLabel = policy({ name: 'other' })
      const files = { 'w.yaml': deployment({ pod: hostNetwork }), 'p.yaml': documents(serviceAccount, byName, byLabel) }
      const { results } = reportOf(
        await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml', '-o', 'json'], { files }),
      )
      expect(
        results[0]!.findings.map((finding) => (finding as unknown as { policy: { name: string } }).policy.name),
      ).to.deep.equal(['deploy'])
    })

    it('counts what cluster-admin gives, though no file says it', async () => {
      const files = {
        'w.yaml': deployment(),
        'p.yaml': documents(
          world,
          policy({ workloads: '{forbid: [secrets-read]}' }),
          bindingTo('ClusterRole', 'cluster-admin'),
        ),
      }
      const outcome = await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml', '-o', 'json'], { files })
      expect(reportOf(outcome).results[0]!.findings.map(({ check }) => check)).to.deep.equal(['secrets-read'])
    })

    it('warns of a role that is not among the files, since nobody looked into it', async () => {
      const files = {
        'w.yaml': deployment(),
        'p.yaml': documents(world, policy({ workloads: '{forbid: [secrets-read]}' }), bindingTo('ClusterRole', 'edit')),
      }
      const outcome = await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml', '-o', 'json'], { files })
      expect(outcome.code).to.equal(0)
      const { verdict, findings } = reportOf(outcome).results[0]!
      expect(verdict).to.equal('Warn')
      expect(findings.map(({ check, message }) => [check, message])).to.deep.equal([
        [
          'role-unknown',
          'RoleBinding payments/legacy → ClusterRole edit is not among the files, so that what it gives was not judged',
        ],
      ])
    })

    it('does not ask for roles when the workload has no token', async () => {
      const files = {
        'w.yaml': deployment({ pod: '      automountServiceAccountToken: false\n' }),
        'p.yaml': documents(world, policy({ workloads: '{forbid: [secrets-read]}' }), bindingTo('ClusterRole', 'edit')),
      }
      const outcome = await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml', '-o', 'json'], { files })
      expect(reportOf(outcome).results[0]!.verdict).to.equal('Allow')
    })

    it('adds up aggregated ClusterRoles, which no controller has filled in', async () => {
      const parts = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: part, labels: {to: whole}}
rules: [{apiGroups: [""], resources: [secrets], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: whole}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: whole}}]}
`
      const files = {
        'w.yaml': deployment(),
        'p.yaml': documents(
          world,
          policy({ workloads: '{forbid: [secrets-read]}' }),
          parts,
          bindingTo('ClusterRole', 'whole'),
        ),
      }
      const outcome = await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml', '-o', 'json'], { files })
      expect(reportOf(outcome).results[0]!.findings.map(({ check }) => check)).to.deep.equal(['secrets-read'])
    })
  })

  describe('judges a policy', () => {
    for (const [sentence, argument, checks] of [
      ['allows one that may be applied', [], []],
      ['denies one whose review is overdue', ['--now', '2027-03-01T00:00:00Z'], ['policy-expired']],
      ['denies one whose review is too far off', ['--now', '2026-01-01T00:00:00Z'], ['review-too-late']],
    ] as const) {
      it(sentence, async () => {
        const outcome = await lapse(['check', '-f', 'p.yaml', '-o', 'json', ...argument], {
          files: { 'p.yaml': policy() },
        })
        const [result] = reportOf(outcome).results
        expect(result!.findings.map(({ check }) => check)).to.deep.equal(checks)
        expect(result!.object).to.deep.equal({ apiVersion: 'lapse.dev/v1alpha1', kind: 'AccessPolicy', name: 'deploy' })
        expect(outcome.code).to.equal(checks.length === 0 ? 0 : 1)
      })
    }

    it('denies one that is not newer than what is on record', async () => {
      const files = { 'p.yaml': policy({ version: '1.4.0' }), 'r.yaml': revision('1.5.0') }
      const { code, stdout } = await lapse(['check', '-f', 'p.yaml', '--policy', 'r.yaml'], { files })
      expect(stdout).to.contain(
        'denied by lapse: AccessPolicy deploy cannot be accepted\n  [version-not-rising] spec.version: version 1.5.0 of policy deploy was accepted before; deploy@1.4.0 is not newer',
      )
      expect(code).to.equal(1)
    })

    it('takes one from --policy as it is', async () => {
      const files = { 'p.yaml': policy(), 'w.yaml': documents(world, deployment()) }
      const outcome = await lapse(
        ['check', '-f', 'w.yaml', '--policy', 'p.yaml', '-o', 'json', '--now', '2028-01-01T00:00:00Z'],
        { files },
      )
      expect(reportOf(outcome).results.map(({ object }) => object.kind)).to.deep.equal(['Deployment'])
    })
  })

  describe('judges a grant', () => {
    const leads = '[{kind: Group, name: leads}]'
    const deployer = 'system:serviceaccount:payments:api'
    for (const [sentence, requesters, requestedBy, argv, code, checks] of [
      ['allows the subject to ask for itself', '[{kind: Self}]', deployer, [], 0, []],
      ['denies another one', '[{kind: Self}]', 'ana', [], 1, ['requester-not-allowed Deny']],
      ['takes --as over requestedBy', '[{kind: Self}]', 'ana', ['--as', deployer], 0, []],
      [
        'gives a ServiceAccount that is named by --as its groups',
        '[{kind: Group, name: "system:serviceaccounts:payments"}]',
        '',
        ['--as', deployer],
        0,
        [],
      ],
      ['allows a member of a group', leads, '', ['--as', 'ana', '--as-group', 'leads'], 0, []],
      [
        'denies a member of another group',
        leads,
        '',
        ['--as', 'ana', '--as-group', 'ops', 'dev'],
        1,
        ['requester-not-allowed Deny'],
      ],
      ['denies one who is in no group', leads, '', ['--as', 'ana'], 1, ['requester-not-allowed Deny']],
      ['warns where groups are not known', leads, 'ana', [], 0, ['requester-unknown Warn']],
      ['warns where nobody asks', leads, '', [], 0, ['requester-unknown Warn']],
      ['warns where nobody asks and the subject may', '[{kind: Self}]', '', [], 0, ['requester-unknown Warn']],
      ['warns where nobody asks and a user may', '[{kind: User, name: ci}]', '', [], 0, ['requester-unknown Warn']],
    ] as const) {
      it(sentence, async () => {
        const files = {
          'g.yaml': grant({ requestedBy }),
          'p.yaml': documents(world, policy({ grants: grantTerms({ requesters }) })),
        }
        const outcome = await lapse(['check', '-f', 'g.yaml', '--policy', 'p.yaml', '-o', 'json', ...argv], { files })
        const [result] = reportOf(outcome).results
        expect(result!.findings.map(({ check, enforcement }) => `${check} ${enforcement}`)).to.deep.equal(checks)
        expect(outcome.code).to.equal(code)
      })
    }

    it('warns of a credential, for how the operator is set up stands nowhere', async () => {
      const files = {
        'g.yaml': `${grant({ requestedBy: deployer })}  credential: {secretName: token}\n`,
        'p.yaml': documents(world, policy({ grants: grantTerms() })),
      }
      const outcome = await lapse(['check', '-f', 'g.yaml', '--policy', 'p.yaml', '-o', 'json'], { files })
      const [result] = reportOf(outcome).results
      expect(result!.findings.map(({ check, enforcement }) => `${check} ${enforcement}`)).to.deep.equal([
        'credential-namespace Warn',
      ])
      expect(outcome.code).to.equal(0)
    })

    it('tells what is wrong with it even when nobody asks', async () => {
      const files = {
        'g.yaml': grant({ duration: '2h' }),
        'p.yaml': documents(world, policy({ grants: grantTerms() })),
      }
      const { code, stdout } = await lapse(['check', '-f', 'g.yaml', '--policy', 'p.yaml'], { files })
      expect(code).to.equal(1)
      expect(stdout).to.equal(`g.yaml:1
denied by lapse: NHIGrant payments/rollout asks for more than policy deploy@1.4.0 allows
  [duration-too-long] spec.duration: 2h is longer than the 1h that the policy allows
                      → ask for at most 1h
owner: platform <oncall@example.com>
warning: NHIGrant payments/rollout [requester-unknown] spec.requestedBy: who asks is not known here, so that it is open whether the policy lets them (policy deploy@1.4.0)
  → pass --as USER --as-group GROUP; allowed to ask: Self

1 object: 1 denied, 0 warned, 0 allowed, 0 ungoverned
`)
    })

    it('denies one that asks a policy that is not there', async () => {
      const outcome = await lapse(['check', '-f', 'g.yaml', '-o', 'json'], { files: { 'g.yaml': grant() } })
      expect(JSON.parse(outcome.stdout).results[0].findings).to.deep.equal([
        {
          check: 'policy-missing',
          severity: 'High',
          enforcement: 'Deny',
          path: 'spec.policy.name',
          message: 'there is no policy deploy',
          remedy: 'name an AccessPolicy that exists: kubectl get nhip',
          policy: null,
        },
      ])
    })

    it('counts those before it, as if they were applied one after the other', async () => {
      const terms = grantTerms({ maxActivePerSubject: 2 })
      const files = {
        'g.yaml': documents(...['a', 'b', 'c'].map((name) => grant({ name }))),
        'p.yaml': documents(world, policy({ grants: terms })),
      }
      const outcome = await lapse(
        ['check', '-f', 'g.yaml', '--policy', 'p.yaml', '--as', 'system:serviceaccount:payments:api', '-o', 'json'],
        { files },
      )
      expect(
        reportOf(outcome).results.map(({ verdict, findings }) => [verdict, ...findings.map(({ message }) => message)]),
      ).to.deep.equal([
        ['Allow'],
        ['Allow'],
        ['Deny', 'ServiceAccount payments/api already has 2 of at most 2 grants: payments/a, payments/b'],
      ])
    })

    it('counts those of a cluster, but not the grant itself', async () => {
      const files = {
        'g.yaml': storedGrant('a'),
        'p.yaml': documents(world, policy({ grants: grantTerms() })),
        'more.yaml': storedGrant('b'),
      }
      const as = ['--as', 'system:serviceaccount:payments:api', '-o', 'json']
      const alone = reportOf(await lapse(['check', '-f', 'g.yaml', '--policy', 'p.yaml', ...as], { files }))
      const beside = reportOf(
        await lapse(['check', '-f', 'g.yaml', '--policy', 'p.yaml', 'more.yaml', ...as], { files }),
      )
      expect([alone, beside].map(({ results }) => results[0]!.verdict)).to.deep.equal(['Allow', 'Deny'])
    })
  })

  describe('takes', () => {
    const tree = {
      'd/b.yaml': podNamed('b'),
      'd/a/z.json': JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'z' },
        spec: { containers: [{}] },
      }),
      'd/a.yml': podNamed('a'),
      'd/c.txt': 'x: [',
      'd/.hidden.yaml': 'x: [',
      'd/.git/x.yaml': 'x: [',
    }
    for (const [sentence, argv, given, sources] of [
      [
        'a directory with all below it, in order',
        ['-f', 'd'],
        { files: tree },
        ['d/a/z.json:1 z', 'd/a.yml:1 a', 'd/b.yaml:1 b'],
      ],
      [
        'files in the order given, each once',
        ['-f', 'd/b.yaml', 'd', './d/b.yaml'],
        { files: tree },
        ['d/b.yaml:1 b', 'd/a/z.json:1 z', 'd/a.yml:1 a'],
      ],
      ['a file of any name', ['-f', 'x'], { files: { x: podNamed('x') } }, ['x:1 x']],
      ['stdin', ['-f', '-'], { stdin: documents('# Source: a\n', podNamed('s')) }, ['stdin:3 s']],
      ['paths without an option', ['d/b.yaml', '-n', 'x'], { files: tree }, ['d/b.yaml:1 b']],
      [
        'kinds that are judged, and no others',
        ['-f', 'x'],
        { files: { x: documents(world, podNamed('x'), 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n') } },
        ['x:9 x'],
      ],
    ] as const satisfies readonly (readonly [string, readonly string[], Given, readonly string[]])[]) {
      it(sentence, async () => {
        const { results } = reportOf(await lapse(['check', ...argv, '-o', 'json'], given))
        expect(results.map(({ source, object }) => `${source.file}:${source.line} ${object.name}`)).to.deep.equal(
          sources,
        )
      })
    }
  })

  it('prints one JSON document whose fields stay as they are', async () => {
    const unsafe = deployment({ name: 'bad', pod: hostNetwork })
    const other =
      'apiVersion: batch/v1\nkind: Job\nmetadata: {name: j, namespace: elsewhere}\nspec: {template: {spec: {containers: [{name: a}]}}}\n'
    const files = { 'app/w.yaml': documents(deployment(), unsafe, other), 'p.yaml': documents(world, policy()) }
    const { stdout, stderr, code } = await lapse(['check', '-f', 'app', '--policy', 'p.yaml', '--output', 'json'], {
      files,
    })
    expect(code).to.equal(1)
    expect(stderr).to.equal(
      'app/w.yaml:20: ungoverned: no policy governs ServiceAccount elsewhere/default, as which Job elsewhere/j runs\n',
    )
    expect(stdout).to.equal(`{
  "apiVersion": "lapse.dev/v1alpha1",
  "kind": "CheckReport",
  "summary": {
    "objects": 3,
    "denied": 1,
    "warned": 0,
    "allowed": 1,
    "ungoverned": 1
  },
  "results": [
    {
      "source": {
        "file": "app/w.yaml",
        "document": 1,
        "line": 1
      },
      "object": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "payments",
        "name": "api"
      },
      "verdict": "Allow",
      "findings": []
    },
    {
      "source": {
        "file": "app/w.yaml",
        "document": 2,
        "line": 10
      },
      "object": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "payments",
        "name": "bad"
      },
      "verdict": "Deny",
      "findings": [
        {
          "check": "host-namespaces",
          "severity": "High",
          "enforcement": "Deny",
          "path": "spec.template.spec.hostNetwork",
          "message": "hostNetwork: true is not allowed at level baseline",
          "remedy": "Remove hostNetwork, hostPID and hostIPC",
          "policy": {
            "name": "deploy",
            "version": "1.4.0"
          }
        }
      ]
    },
    {
      "source": {
        "file": "app/w.yaml",
        "document": 3,
        "line": 20
      },
      "object": {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "namespace": "elsewhere",
        "name": "j"
      },
      "verdict": "Ungoverned",
      "findings": []
    }
  ]
}
`)
  })

  describe('colors', () => {
    const files = { 'w.yaml': deployment({ pod: hostNetwork }), 'p.yaml': documents(world, policy()) }
    for (const [sentence, argv, given, colored] of [
      ['a terminal', [], { isTerminal: true }, true],
      ['no pipe', [], {}, false],
      ['no terminal with NO_COLOR', [], { isTerminal: true, env: { NO_COLOR: '1' } }, false],
      ['a pipe with --color', ['--color'], { env: { NO_COLOR: '1' } }, true],
      ['no terminal with --no-color', ['--no-color'], { isTerminal: true }, false],
    ] as const satisfies readonly (readonly [string, readonly string[], Given, boolean])[]) {
      it(sentence, async () => {
        const { stdout } = await lapse(['check', '-f', 'w.yaml', '--policy', 'p.yaml', ...argv], { files, ...given })
        expect(stdout.includes('\u001B[31mdenied by lapse')).to.equal(colored)
        expect(stdout.includes('\u001B')).to.equal(colored)
      })
    }
  })

  describe('says how far it is', () => {
    const files = { 'a.yaml': documents(podNamed('a'), podNamed('b')) }
    const line = '\r\u001B[K'
    it('on a terminal, and takes the line away', async () => {
      const { stderr } = await lapse(['check', '-f', 'a.yaml', '-o', 'json'], {
        files,
        isTerminal: true,
        now: slowly(),
      })
      expect(stderr.split('\n')[0]).to.equal(
        `${line}read 0 of 1 files${line}judged 0 of 2 objects${line}judged 1 of 2 objects${line}a.yaml:1: ungoverned: no policy governs ServiceAccount default/default, as which Pod default/a runs`,
      )
    })
    it('and takes the line away before it complains', async () => {
      const given = { files: { 'a.yaml': 'x: [' }, isTerminal: true, now: slowly() }
      const { stderr } = await lapse(['check', '-f', 'a.yaml'], given)
      expect(stderr.startsWith(`${line}read 0 of 1 files${line}a.yaml:1: `), stderr).to.equal(true)
    })
    it('and nowhere else', async () => {
      const { stderr } = await lapse(['check', '-f', 'a.yaml'], { files, now: slowly() })
      expect(stderr).to.equal('')
    })
  })

  describe('refuses to be called with', () => {
    for (const [argv, message] of [
      [[], 'say what to check: -f PATH'],
      [['-f'], "Option '-f, --file <value>' argument missing"],
      [['-f', 'a', '--nonsense'], "Unknown option '--nonsense'"],
      [['-f', 'a', '-o', 'xml'], '--output must be text, json, yaml, sarif, junit or github, not "xml"'],
      [['-f', 'a', '--now', 'tomorrow'], '--now must be a timestamp such as 2027-03-01T00:00:00Z, not "tomorrow"'],
      [['-f', 'a', '--as-group', 'x'], '--as-group needs --as'],
      [['-f', 'a', '--kubeconfig', 'k'], '--kubeconfig needs --live'],
      [['-f', 'a', '--explain', 'host-path'], '--explain judges nothing: leave out the files'],
      [
        ['-f', 'a', '--baseline', 'b', '--write-baseline', 'c'],
        'give --baseline or --write-baseline: a baseline that is written is what is found now',
      ],
      [['-f', 'a', '-n', 'x', 'b'], 'unexpected argument "b"'],
      [['-f', 'a', '-n', 'Payments'], '--namespace must be the name of a namespace, not "Payments"'],
    ] as const) {
      it(argv.length === 0 ? 'nothing' : argv.join(' '), async () => {
        const outcome = await lapse(['check', ...argv])
        expect(outcome.code).to.equal(2)
        expect(outcome.stderr).to.match(/^lapse check: .*; see lapse check --help\n$/)
        expect(outcome.stderr).to.contain(message)
        expect(outcome.stdout).to.equal('')
      })
    }
  })

  it('says what it can do', async () => {
    const outcome = await lapse(['check', '--help'])
    expect(outcome).to.include({ code: 0, stderr: '' })
    expect(outcome.stdout).to.match(/^usage: lapse check -f PATH… \[OPTION…\]\n/)
  })
})

/** A clock that goes on by more than half a second whenever it is looked at. */
function slowly(): () => number {
  let instant = now
  return () => (instant += 600)
}

const execAccess = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {namespace: payments, name: shell}
rules: [{apiGroups: [""], resources: [pods/exec], verbs: [create]}]
---
${bindingTo('Role', 'shell')}`

const namedPolicy = policy({ workloads: '{enforcement: Warn, podSecurity: {level: baseline}}' }).replace(
  'selector: {}',
  'names: [api]',
)

function bindingTo(kind: string, name: string): string {
  return `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {namespace: payments, name: legacy}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ${kind}, name: ${name}}
subjects: [{kind: ServiceAccount, name: api}]
`
}

/** As a cluster has it. */
function storedGrant(name: string): string {
  return grant({ name }).replace(`name: ${name}`, `name: ${name}, uid: u-${name}`)
}

function podNamed(name: string): string {
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [{name: a}]}\n`
}

function revision(version: string): string {
  return `apiVersion: lapse.dev/v1alpha1
kind: AccessPolicyRevision
metadata: {name: deploy-${version}}
spec: {policyName: deploy, digest: "sha256:0", appliedAt: 2026-01-01T00:00:00Z, policy: {version: ${version}}}
`
}

function reportOf({ stdout, stderr }: CommandOutcome): Report {
  expect(stdout, stderr).to.not.equal('')
  return JSON.parse(stdout) as Report
}
