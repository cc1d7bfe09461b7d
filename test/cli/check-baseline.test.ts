import { expect } from 'chai'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lapse, type CommandOutcome } from './fake-io.ts'
import { deployment, documents, namespace, policy, serviceAccount } from './manifests.ts'

const hostNetwork = '      hostNetwork: true\n'
const volumes = (...list: readonly string[]): string => `      volumes: [${list.join(', ')}]\n`
const rootPath = '{name: v, hostPath: {path: /}}'
const container = (name: string, context = 'privileged: true'): string =>
  `{name: ${name}, image: a, securityContext: {${context}}}`
const containers = (...list: readonly string[]): string =>
  deployment().replace('[{name: app, image: app}]', `[${list.join(', ')}]`)
const from = (image: string): string => deployment().replace('image: app', `image: ${image}`)
const marked = (fields: string): string => from('a').replace('name: api}', `name: api, ${fields}}`)

describe('lapse check with a baseline', () => {
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lapse-baseline-'))
    write('world.yaml', documents(namespace, serviceAccount, policy()))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  function write(name: string, text: string): void {
    writeFileSync(join(directory, name), text)
  }

  const check = (...argv: readonly string[]): Promise<CommandOutcome> =>
    lapse(['check', '--policy', 'world.yaml', ...argv], { cwd: directory })

  /** Takes the baseline of one state, and judges another by it. */
  async function between(before: string, after: string, ...argv: readonly string[]): Promise<CommandOutcome> {
    write('w.yaml', before)
    const written = await check('-f', 'w.yaml', '--write-baseline', 'b.yaml')
    expect(written.code, written.stderr).to.equal(0)
    write('w.yaml', after)
    return check('-f', 'w.yaml', '--baseline', 'b.yaml', ...argv)
  }

  it('is written sorted, as YAML that says what is put up with', async () => {
    write(
      'w.yaml',
      documents(
        deployment({ name: 'b', pod: hostNetwork }),
        deployment({ name: 'a', pod: volumes(rootPath, rootPath) }),
      ),
    )
    const { code, stdout, stderr } = await check('-f', 'w.yaml', '--write-baseline', 'b.yaml')
    expect(readFileSync(join(directory, 'b.yaml'), 'utf8')).to.equal(
      `# What lapse check puts up with. Written by lapse check --write-baseline; take out what is mended.
apiVersion: lapse.dev/v1alpha1
kind: CheckBaseline
findings:
  - object: Deployment.apps payments/a
    check: host-path
    path: spec.template.spec.volumes[v]
    message: hostPath is not allowed at level baseline
    content: sha256:9d82496e87e727d8ae917bfd0a79bce7fead498b9ac526458eb82f094c9a904d
    severity: High
    count: 2
  - object: Deployment.apps payments/b
    check: host-namespaces
    path: spec.template.spec.hostNetwork
    message: 'hostNetwork: true is not allowed at level baseline'
    severity: High
`,
    )
    expect(stderr).to.equal('b.yaml: 3 findings written\n')
    expect(stdout).to.match(/2 objects: 0 denied, 2 warned, 0 allowed, 0 ungoverned; 3 findings in the baseline\n$/)
    expect(code).to.equal(0)
  })

  it('lets what it lists pass, and still tells of it', async () => {
    const bad = deployment({ pod: hostNetwork })
    const { code, stdout, stderr } = await between(bad, bad)
    expect(stdout).to.equal(`w.yaml:1
in the baseline: Deployment payments/api [host-namespaces] spec.template.spec.hostNetwork: hostNetwork: true is not allowed at level baseline (policy deploy@1.4.0)
  → Remove hostNetwork, hostPID and hostIPC

1 object: 0 denied, 1 warned, 0 allowed, 0 ungoverned; 1 finding in the baseline
`)
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
  })

  it('counts in JSON', async () => {
    const bad = deployment({ pod: hostNetwork })
    const report = JSON.parse((await between(bad, bad, '-o', 'json')).stdout) as {
      readonly summary: object
      readonly results: readonly { readonly verdict: string; readonly findings: readonly object[] }[]
    }
    expect(report.summary).to.deep.equal({ objects: 1, denied: 0, warned: 1, allowed: 0, ungoverned: 0, baselined: 1 })
    expect(report.results[0]!.verdict).to.equal('Warn')
    expect(report.results[0]!.findings[0]).to.deep.include({ enforcement: 'Deny', baselined: true })
  })

  it('suppresses in SARIF, and tells new from old', async () => {
    const { stdout } = await between(
      deployment({ pod: hostNetwork }),
      deployment({ pod: hostNetwork + volumes(rootPath) }),
      '-o',
      'sarif',
    )
    const { results } = (JSON.parse(stdout) as { readonly runs: readonly [{ readonly results: readonly object[] }] })
      .runs[0]
    expect(
      results.map((each) => each as { ruleId: string; baselineState: string; suppressions?: unknown }),
    ).to.have.length(2)
    expect(results[0]).to.deep.include({
      ruleId: 'host-namespaces',
      baselineState: 'unchanged',
      suppressions: [{ kind: 'external', justification: 'listed in the baseline' }],
    })
    expect(results[1])
      .to.deep.include({ ruleId: 'host-path', baselineState: 'new' })
      .and.not.have.property('suppressions')
  })

  const privileged = containers(container('a'))
  for (const [sentence, before, after, code] of [
    ['what moves within its list', containers(container('a')), containers('{name: first}', container('a')), 0],
    [
      'what moves to another place in the file',
      deployment({ pod: hostNetwork }),
      documents(deployment({ name: 'new' }), deployment({ pod: hostNetwork })),
      0,
    ],
    ['what is new beside it', privileged, privileged.replace('image: a,', 'image: a, ports: [{hostPort: 1}],'), 1],
    ['the same in another container', privileged, containers(container('b')), 1],
    ['the same in a further container', privileged, containers(container('a'), container('b')), 1],
    [
      'the same in another object',
      deployment({ pod: hostNetwork }),
      deployment({ name: 'other', pod: hostNetwork }),
      1,
    ],
    [
      'one more that is just alike',
      deployment({ pod: volumes(rootPath) }),
      deployment({ pod: volumes(rootPath, rootPath) }),
      1,
    ],
    [
      'a list item that is now something else',
      deployment({ pod: volumes('{name: v, hostPath: {path: /tmp}}') }),
      deployment({ pod: volumes(rootPath) }),
      1,
    ],
    [
      'a value that is worse',
      containers(container('a', 'capabilities: {add: [NET_ADMIN]}')),
      containers(container('a', 'capabilities: {add: [SYS_ADMIN]}')),
      1,
    ],
    [
      'another version of the API',
      deployment({ pod: hostNetwork }),
      deployment({ pod: hostNetwork }).replace('apps/v1', 'apps/v1beta2'),
      0,
    ],
  ] as const) {
    it(`${code === 0 ? 'passes' : 'denies'} ${sentence}`, async () => {
      const outcome = await between(before, after)
      expect(outcome.code, outcome.stdout + outcome.stderr).to.equal(code)
    })
  }

  describe('of a condition, which no one field breaks,', () => {
    const ownRegistry = `{conditions: [{name: own, expression: "pod.spec.containers.all(c, c.image.startsWith('own/'))"}]}`

    beforeEach(() => write('world.yaml', documents(namespace, serviceAccount, policy({ workloads: ownRegistry }))))

    for (const [sentence, before, after, code] of [
      ['the object as it was', from('a'), from('a'), 0],
      ['the object under another version of the API', from('a'), from('a').replace('apps/v1', 'apps/v1beta2'), 0],
      ['the object with what only a cluster writes', from('a'), `${marked('uid: u-1')}status: {replicas: 1}\n`, 0],
      ['another breach of it in the object', from('a'), from('evil/a'), 1],
      ['other fields outside of the template', from('a'), from('a').replace('spec:', 'spec:\n  replicas: 9'), 1],
      ['other labels', marked('labels: {team: a}'), marked('labels: {team: b}'), 1],
    ] as const) {
      it(`${code === 0 ? 'passes' : 'denies'} ${sentence}`, async () => {
        const outcome = await between(before, after)
        expect(outcome.code, outcome.stdout + outcome.stderr).to.equal(code)
      })
    }

    it('covers nothing by an entry that does not say which content it is for', async () => {
      write('w.yaml', from('a'))
      await check('-f', 'w.yaml', '--write-baseline', 'b.yaml')
      const text = readFileSync(join(directory, 'b.yaml'), 'utf8')
      write('b.yaml', text.replace(/ +content: .*\n/, ''))
      const { code, stdout } = await check('-f', 'w.yaml', '--baseline', 'b.yaml')
      expect(stdout).to.contain('denied by lapse').and.contain('[condition] condition own does not hold')
      expect(code).to.equal(1)
    })
  })

  it('denies what it lists as less severe', async () => {
    write('w.yaml', deployment({ pod: hostNetwork }))
    await check('-f', 'w.yaml', '--write-baseline', 'b.yaml')
    const text = readFileSync(join(directory, 'b.yaml'), 'utf8')
    write('b.yaml', text.replace('severity: High', 'severity: Medium'))
    expect((await check('-f', 'w.yaml', '--baseline', 'b.yaml')).code).to.equal(1)
    write('b.yaml', text.replace('severity: High', 'severity: Critical'))
    expect((await check('-f', 'w.yaml', '--baseline', 'b.yaml')).code).to.equal(0)
  })

  it('denies what a policy only warned of when it was written', async () => {
    write(
      'world.yaml',
      documents(
        namespace,
        serviceAccount,
        policy({ workloads: '{enforcement: Warn, podSecurity: {level: baseline}}' }),
      ),
    )
    write('w.yaml', deployment({ pod: hostNetwork }))
    const written = await check('-f', 'w.yaml', '--write-baseline', 'b.yaml')
    expect(written.stderr).to.equal('b.yaml: 0 findings written\n')
    write('world.yaml', documents(namespace, serviceAccount, policy()))
    expect((await check('-f', 'w.yaml', '--baseline', 'b.yaml')).code).to.equal(1)
  })

  it('tells what it lists and nobody finds any more', async () => {
    const { code, stderr } = await between(deployment({ pod: hostNetwork }), deployment())
    expect(stderr).to.equal(
      'b.yaml: not found any more, and to be taken out:\n  [host-namespaces] Deployment.apps payments/api spec.template.spec.hostNetwork: hostNetwork: true is not allowed at level baseline\n',
    )
    expect(code).to.equal(0)
  })

  it('may lie among the files that are checked', async () => {
    const bad = deployment({ pod: hostNetwork })
    write('w.yaml', bad)
    await check('-f', 'w.yaml', '--write-baseline', 'b.yaml')
    const { code, stderr } = await lapse(
      ['check', '-f', '.', '--baseline', 'b.yaml', '--now', '2026-12-01T00:00:00Z'],
      { cwd: directory },
    )
    expect(code, stderr).to.equal(0)
  })

  it('writes nothing when the input is bad', async () => {
    write('w.yaml', 'x: [')
    expect((await check('-f', 'w.yaml', '--write-baseline', 'b.yaml')).code).to.equal(3)
    expect(() => readFileSync(join(directory, 'b.yaml'))).to.throw('ENOENT')
  })

  describe('refuses', () => {
    const head = 'apiVersion: lapse.dev/v1alpha1\nkind: CheckBaseline\n'
    const entry = '- {object: Pod a/b, check: exec, path: "", message: m, severity: High}\n'
    for (const [sentence, text, told] of [
      ['a file that is not there', null, 'b.yaml: no such file or directory'],
      [
        'a file that holds nothing',
        '',
        'b.yaml: must hold one CheckBaseline\n  → write it with lapse check --write-baseline',
      ],
      ['no YAML', 'x: [', 'b.yaml:1: unexpected end of the stream'],
      ['another kind', namespace, 'b.yaml:1: apiVersion: must be one of lapse.dev/v1alpha1, not "v1"'],
      [
        'an entry without a message',
        `${head}findings:\n${entry.replace(', message: m', '')}`,
        'b.yaml:4: findings[0].message: is required',
      ],
      [
        'a field that it does not know',
        `${head}findings:\n${entry.replace('check:', 'all: true, check:')}`,
        'b.yaml:4: findings[0].all: is not a known field',
      ],
      ['two of them', `${head}findings: []\n---\n${head}findings: []\n`, 'b.yaml: must hold one CheckBaseline'],
      ['findings that are no list', `${head}findings: {}\n`, 'b.yaml:3: findings: must be a list, not an object'],
    ] as const) {
      it(sentence, async () => {
        write('w.yaml', deployment())
        if (text !== null) write('b.yaml', text)
        const { code, stdout, stderr } = await check('-f', 'w.yaml', '--baseline', 'b.yaml')
        expect(stderr).to.contain(told)
        expect({ code, stdout }).to.deep.equal({ code: 3, stdout: '' })
      })
    }

    it('a place where it cannot be written', async () => {
      write('w.yaml', deployment({ pod: hostNetwork }))
      const { code, stderr } = await check('-f', 'w.yaml', '--write-baseline', 'no/such/b.yaml')
      expect(stderr).to.contain('no/such/b.yaml: cannot be written: ENOENT')
      expect(code).to.equal(3)
    })
  })
})
