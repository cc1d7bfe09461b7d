import { expect } from 'chai'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { lapse } from './fake-io.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const examples = 'examples/payments'
const place = ['namespace.yaml', 'serviceaccount.yaml']
const deployer = 'system:serviceaccount:payments:deployer'

/** Every example as the documentation uses it: what it is judged beside, and the checks that refuse it. */
const cases: readonly (readonly [
  file: string,
  world: readonly string[],
  sentence: string,
  checks: readonly string[],
])[] = [
  ['namespace.yaml', [], 'is only the world', []],
  ['serviceaccount.yaml', ['namespace.yaml'], 'is only the world', []],
  ['legacy-access.yaml', place, 'is only the world', []],
  ['request-access.yaml', place, 'is only the world', []],
  ['policy-1.4.0.yaml', place, 'may be applied', []],
  ['policy-1.5.0.yaml', place, 'may be applied', []],
  ['grant.yaml', [...place, 'policy-1.4.0.yaml'], 'is given for half an hour', []],
  ['grant.yaml', [...place, 'policy-1.5.0.yaml'], 'is too long under the next version', ['duration-too-long']],
  ['grant-waiver.yaml', [...place, 'policy-1.5.0.yaml'], 'is given for ten minutes', []],
  ['grant-waiver.yaml', [...place, 'policy-1.4.0.yaml'], 'is not given before', ['waiver-not-allowed']],
  ['deployment-good.yaml', [...place, 'policy-1.4.0.yaml'], 'is allowed', []],
  [
    'deployment-good.yaml',
    [...place, 'policy-1.4.0.yaml', 'legacy-access.yaml'],
    'is allowed, for it has no token',
    [],
  ],
  ['deployment-stale.yaml', [...place, 'policy-1.4.0.yaml'], 'is allowed under the version that it is pinned to', []],
  ['deployment-stale.yaml', [...place, 'policy-1.5.0.yaml'], 'is refused under the next version', ['pin-stale']],
  ['deployment-bad.yaml', [...place, 'policy-1.4.0.yaml'], 'is refused for its hostPath', ['host-path']],
  [
    'deployment-bad.yaml',
    [...place, 'policy-1.4.0.yaml', 'legacy-access.yaml'],
    'is refused for what its ServiceAccount holds',
    ['host-path', 'secrets-read'],
  ],
]

describe('examples', () => {
  for (const [file, world, sentence, checks] of cases) {
    it(`${file} ${sentence}`, async () => {
      const known = world.length === 0 ? [] : ['--policy', ...world.map((name) => `${examples}/${name}`)]
      const argv = ['check', '-f', `${examples}/${file}`, ...known, '--as', deployer, '-o', 'json']
      const { code, stdout, stderr } = await lapse(argv, { cwd: repository })
      expect(stderr).to.equal('')
      const { results } = JSON.parse(stdout) as {
        readonly results: readonly {
          readonly verdict: string
          readonly findings: readonly { readonly check: string }[]
        }[]
      }
      expect(results.flatMap(({ findings }) => findings.map(({ check }) => check))).to.deep.equal(checks)
      expect(results.map(({ verdict }) => verdict)).to.not.include('Ungoverned')
      expect(code).to.equal(checks.length === 0 ? 0 : 1)
    })
  }

  it('are all in this table', () => {
    const files = readdirSync(`${repository}/${examples}`, { withFileTypes: true })
    expect(files.map(({ name }) => name).sort()).to.deep.equal([...new Set(cases.map(([file]) => file))].sort())
  })
})
