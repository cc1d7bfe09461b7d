import Ajv from 'ajv'
import { expect } from 'chai'
import { load } from 'js-yaml'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { checkEntries } from '../../src/core/check-catalogue.ts'
import { lapse, type CommandOutcome } from './fake-io.ts'
import { deployment, documents, grant, grantTerms, namespace, policy, serviceAccount } from './manifests.ts'

/** One of each verdict: Deny with two findings, Allow, Ungoverned, Warn. */
const files = {
  'app/bad, 100%.yaml': documents(
    deployment({
      name: 'bad',
      pod: '      hostNetwork: true\n      volumes:\n      - {name: v, hostPath: {path: /}}\n',
    }),
    deployment(),
  ),
  'app/more.yaml': documents(
    'apiVersion: v1\nkind: Pod\nmetadata: {name: free, namespace: elsewhere}\nspec: {containers: [{name: a}]}\n',
    '# Source: web/templates/lab.yaml\n',
    '# Source: web/templates/job.yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: "l", namespace: lab}\nspec: {hostPID: true, containers: [{name: a}]}\n',
  ),
  'world.yaml': documents(
    namespace,
    serviceAccount,
    policy(),
    'apiVersion: v1\nkind: Namespace\nmetadata: {name: lab, labels: {team: lab}}\n',
    policy({ name: 'lab', workloads: '{enforcement: Warn, podSecurity: {level: baseline}}' }).replace(
      'team: payments',
      'team: lab',
    ),
  ),
}

describe('lapse check --output', () => {
  it('github prints a workflow command for each finding, escaped as the runner wants it', async () => {
    const { code, stdout, stderr } = await checkAll('github')
    expect(stdout).to.equal(
      `::error file=app/bad%2C 100%25.yaml,line=9,col=7,title=Deployment payments/bad [host-namespaces]::spec.template.spec.hostNetwork: hostNetwork: true is not allowed at level baseline (policy deploy@1.4.0)%0A→ Remove hostNetwork, hostPID and hostIPC
::error file=app/bad%2C 100%25.yaml,line=11,col=9,title=Deployment payments/bad [host-path]::spec.template.spec.volumes[0]: hostPath is not allowed at level baseline (policy deploy@1.4.0)%0A→ Use a persistentVolumeClaim, an emptyDir, a configMap or a csi volume instead
::warning file=app/more.yaml,line=12,col=8,title=Pod lab/l [host-namespaces]::spec.hostPID: hostPID: true is not allowed at level baseline (policy lab@1.4.0)%0A→ Remove hostNetwork, hostPID and hostIPC
4 objects: 1 denied, 1 warned, 1 allowed, 1 ungoverned
`,
    )
    expect(stderr).to.contain('app/more.yaml:1: ungoverned: no policy governs')
    expect(code).to.equal(1)
  })

  it('github names no file for what came from stdin', async () => {
    const argv = ['check', '-f', '-', '--policy', 'world.yaml', '-o', 'github']
    const { stdout } = await lapse(argv, { files, stdin: deployment({ pod: '      hostIPC: true\n' }) })
    expect(stdout).to.match(/^::error title=Deployment payments\/api \[host-namespaces\]::spec/)
  })

  it('github names a file as the repository does', async () => {
    const argv = ['check', '-f', './app/../app/more.yaml', '--policy', 'world.yaml', '-o', 'github']
    expect((await lapse(argv, { files })).stdout).to.match(/^::warning file=app\/more\.yaml,line=12,/)
  })

  it('github shows bad input at its line too', async () => {
    const { code, stdout, stderr } = await lapse(['check', '-f', 'x.yaml', '-o', 'github'], {
      files: { 'x.yaml': `${namespace}---\nx: [` },
    })
    expect(stdout).to.equal(
      '::error file=x.yaml,line=5,title=lapse check%3A nothing was judged::unexpected end of the stream within a flow collection%0A→ correct the YAML in this line or just above it\n',
    )
    expect(stderr).to.match(/1 problem in the input: nothing was judged\n$/)
    expect(code).to.equal(3)
  })

  it('junit prints a suite for each file and a case for each object', async () => {
    const { code, stdout } = await checkAll('junit')
    expect(stdout).to.equal(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="lapse check" tests="4" failures="1" errors="0" skipped="1">
  <testsuite name="app/bad, 100%.yaml" tests="2" failures="1" errors="0" skipped="0">
    <testcase name="Deployment payments/bad" classname="app/bad, 100%.yaml" file="app/bad, 100%.yaml" line="1">
      <failure message="denied by lapse: Deployment payments/bad asks for more than policy deploy@1.4.0 allows" type="host-namespaces,host-path">denied by lapse: Deployment payments/bad asks for more than policy deploy@1.4.0 allows
  [host-namespaces] spec.template.spec.hostNetwork: hostNetwork: true is not allowed at level baseline
                    → Remove hostNetwork, hostPID and hostIPC
  [host-path]       spec.template.spec.volumes[0]: hostPath is not allowed at level baseline
                    → Use a persistentVolumeClaim, an emptyDir, a configMap or a csi volume instead
owner: platform &lt;oncall@example.com&gt;</failure>
    </testcase>
    <testcase name="Deployment payments/api" classname="app/bad, 100%.yaml" file="app/bad, 100%.yaml" line="13"/>
  </testsuite>
  <testsuite name="app/more.yaml" tests="2" failures="0" errors="0" skipped="1">
    <testcase name="Pod elsewhere/free" classname="app/more.yaml" file="app/more.yaml" line="1">
      <skipped message="ungoverned: no policy governs ServiceAccount elsewhere/default, as which Pod elsewhere/free runs"/>
    </testcase>
    <testcase name="Pod lab/l" classname="app/more.yaml" file="app/more.yaml" line="9">
      <system-out>warning: Pod lab/l [host-namespaces] spec.hostPID: hostPID: true is not allowed at level baseline (policy lab@1.4.0)
  → Remove hostNetwork, hostPID and hostIPC</system-out>
    </testcase>
  </testsuite>
</testsuites>
`)
    expect(code).to.equal(1)
  })

  it('junit prints what XML cannot hold as U+FFFD, and escapes the rest', async () => {
    const name = String.raw`"\u0001<&'\">\ud800\uffff\t\n"`
    const pod = `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": ${name}, "namespace": "payments"}, "spec": {"hostPID": true, "containers": [{"name": "a"}]}}`
    const argv = ['check', '-f', 'p.json', '--policy', 'world.yaml', '-o', 'junit']
    const { stdout } = await lapse(argv, { files: { ...files, 'p.json': pod } })
    expect(stdout).to.contain('name="Pod payments/\uFFFD&lt;&amp;\'&quot;&gt;\uFFFD\uFFFD&#9;&#10;"')
    expect(stdout).to.contain('Pod payments/\uFFFD&lt;&amp;\'"&gt;\uFFFD\uFFFD\t\n asks for more')
    // oxlint-disable-next-line no-control-regex
    expect(stdout).to.not.match(/[\u0000-\u0008\uFFFF]/)
  })

  it('yaml prints the document of json', async () => {
    const [yaml, json] = [await checkAll('yaml'), await checkAll('json')]
    expect(load(yaml.stdout)).to.deep.equal(JSON.parse(json.stdout))
    expect(yaml.stdout).to.match(/^apiVersion: lapse.dev\/v1alpha1\nkind: CheckReport\nsummary:\n {2}objects: 4\n/)
    expect({ code: yaml.code, stderr: yaml.stderr }).to.deep.equal({ code: json.code, stderr: json.stderr })
  })

  describe('sarif', () => {
    it('prints what the schema of SARIF 2.1.0 allows', async () => {
      expectSarif((await checkAll('sarif')).stdout)
    })

    it('prints what the schema allows when there is nothing to report', async () => {
      const { stdout } = await lapse(['check', '-f', 'world.yaml', '-o', 'sarif'], {
        files: { 'world.yaml': namespace },
      })
      expect(expectSarif(stdout).runs[0]!.results).to.deep.equal([])
    })

    it('has a rule for every check', async () => {
      const { rules } = expectSarif((await checkAll('sarif')).stdout).runs[0]!.tool.driver
      expect(rules.map(({ id }) => id)).to.deep.equal(checkEntries.map(({ id }) => id))
      expect(rules.find(({ id }) => id === 'host-path')).to.deep.include({
        shortDescription: { text: 'Volumes that are a path of the node' },
        defaultConfiguration: { level: 'error' },
      })
    })

    it('points to the very field of each finding', async () => {
      const { results } = expectSarif((await checkAll('sarif')).stdout).runs[0]!
      expect(results.map(({ ruleId, level, locations }) => [ruleId, level, placeOf(locations[0]!)])).to.deep.equal([
        ['host-namespaces', 'error', 'app/bad%2C%20100%25.yaml 9:7'],
        ['host-path', 'error', 'app/bad%2C%20100%25.yaml 11:9'],
        ['host-namespaces', 'warning', 'app/more.yaml 12:8'],
      ])
      expect(results[2]!.locations[0]!.properties).to.deep.equal({ origin: 'web/templates/job.yaml' })
      expect(results[2]!.message.text).to.equal(
        'Pod lab/l: hostPID: true is not allowed at level baseline (policy lab@1.4.0)\nRemove hostNetwork, hostPID and hostIPC',
      )
    })

    it('keeps the fingerprint of a finding that moves, and gives equal ones different ones', async () => {
      const volume = '      - {name: v, hostPath: {path: /}}\n'
      const before = await fingerprints({ 'a.yaml': deployment({ pod: `      volumes:\n${volume}` }) })
      const moved = await fingerprints({
        'b.yaml': `# moved\n${deployment({ pod: `      volumes:\n      - {name: w, emptyDir: {}}\n${volume}` })}`,
      })
      const twice = await fingerprints({ 'a.yaml': deployment({ pod: `      volumes:\n${volume}${volume}` }) })
      const worse = await fingerprints({
        'a.yaml': deployment({ pod: `      volumes:\n${volume.replace('path: /', 'path: /etc')}` }),
      })
      expect(before).to.have.length(1)
      expect(moved).to.deep.equal(before)
      expect(twice).to.deep.equal([before[0]!, before[0]!.replace(/1$/, '2')])
      expect(worse[0]).to.not.equal(before[0])
    })

    it('names a file by a URL where it is given by its whole path, and stdin as what it is', async () => {
      const bad = fileURLToPath(new URL('../../examples/payments/deployment-bad.yaml', import.meta.url))
      const { stdout } = await lapse(['check', '-f', bad, '-', '--policy', 'world.yaml', '-o', 'sarif'], {
        files,
        stdin: deployment({ name: 'other', pod: '      hostIPC: true\n' }),
      })
      const { results } = expectSarif(stdout).runs[0]!
      expect(results.map(({ locations }) => placeOf(locations[0]!))).to.deep.equal([
        `${pathToFileURL(bad).href} 28:11`,
        `${pathToFileURL(bad).href} 15:9`,
        'stdin 9:7',
      ])
    })

    it('holds no rule twice and no result without a rule', async () => {
      const terms = grantTerms({ requesters: '[{kind: Group, name: leads}]' })
      const outcome = await lapse(['check', '-f', 'g.yaml', '--policy', 'w.yaml', '-o', 'sarif'], {
        files: { 'g.yaml': grant(), 'w.yaml': documents(namespace, serviceAccount, policy({ grants: terms })) },
      })
      const { tool, results } = expectSarif(outcome.stdout).runs[0]!
      const ids = tool.driver.rules.map(({ id }) => id)
      expect(new Set(ids).size).to.equal(ids.length)
      expect(results.map(({ ruleId }) => ruleId)).to.deep.equal(['requester-unknown'])
      expect(ids).to.include('requester-unknown')
    })
  })
})

async function checkAll(output: string): Promise<CommandOutcome> {
  return lapse(['check', '-f', 'app', '--policy', 'world.yaml', '-o', output], { files })
}

interface Location {
  readonly physicalLocation: {
    readonly artifactLocation: { readonly uri: string }
    readonly region: { readonly startLine: number; readonly startColumn: number }
  }
  readonly properties?: object
}

interface Sarif {
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } }
    readonly results: readonly {
      readonly ruleId: string
      readonly level: string
      readonly message: { readonly text: string }
      readonly locations: readonly Location[]
      readonly partialFingerprints: Readonly<Record<string, string>>
    }[]
  }[]
}

const fromHere = createRequire(import.meta.url)

function schemaNamed(path: string): object {
  return JSON.parse(readFileSync(fromHere.resolve(path), 'utf8')) as object
}

const ajv = new Ajv({ schemaId: 'id', meta: false })
ajv.addMetaSchema(schemaNamed('ajv/lib/refs/json-schema-draft-04.json'))
const fitsSarif = ajv.compile(schemaNamed('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json'))

function expectSarif(text: string): Sarif {
  const log: unknown = JSON.parse(text)
  expect(fitsSarif(log), JSON.stringify(fitsSarif.errors)).to.equal(true)
  return log as Sarif
}

function placeOf({ physicalLocation: { artifactLocation, region } }: Location): string {
  return `${artifactLocation.uri} ${region.startLine}:${region.startColumn}`
}

async function fingerprints(given: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const argv = ['check', '-f', ...Object.keys(given), '--policy', 'world.yaml', '-o', 'sarif']
  const { stdout } = await lapse(argv, { files: { ...files, ...given } })
  return expectSarif(stdout).runs[0]!.results.map(({ partialFingerprints }) => partialFingerprints['lapse/v1']!)
}
