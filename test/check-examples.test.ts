import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadAll } from 'js-yaml'
import { examplesFolder } from '../scripts/checks-page.ts'
import { checkEntries, checkEntry } from '../src/core/check-catalogue.ts'
import type { Answer } from '../src/webhook/answer.ts'
import { reviewWorkloads } from '../src/webhook/review-workload.ts'
import { lapse } from './cli/fake-io.ts'
import { gist, judge, refusalOf, requestOf, worldOf, type RawObject } from './webhook/requests.ts'

/** Checks of areas that every file can show; the others judge what is written to a cluster, or wait for an example. */
const shown = ['Host', 'Token', 'Access', 'Escalation', 'Pin']

/** What only admission can tell: files do not say which ServiceAccounts there will be. */
const byAdmissionOnly = ['service-account-missing']

/** What is a change, of which files show one state. */
const changes = ['governance-ended']

/** The ids that `lapse check` finds in an example, once each. */
async function foundIn(id: string, file: 'fails' | 'passes'): Promise<readonly string[]> {
  const argv = ['check', '-f', `${file}.yaml`, '--policy', 'policy.yaml', '-o', 'json']
  const { stdout, stderr } = await lapse(argv, { cwd: join(examplesFolder, id) })
  expect(stderr).to.equal('')
  const { results } = JSON.parse(stdout) as {
    readonly results: readonly { readonly verdict: string; readonly findings: readonly { readonly check: string }[] }[]
  }
  expect(results.map(({ verdict }) => verdict)).to.not.include('Ungoverned')
  if (file === 'fails' || checkEntry(id)?.area !== 'Standing') expect(results).to.not.deep.equal([])
  return [...new Set(results.flatMap(({ findings }) => findings.map(({ check }) => check)))]
}

type Document = RawObject & { readonly metadata: { readonly namespace?: string } }

/** What the webhook says of the Pod of an example, in a cluster that holds what stands beside the policy. */
function admissionOf(id: string, file: 'fails' | 'passes'): Answer {
  const read = (name: string) => loadAll(readFileSync(join(examplesFolder, id, `${name}.yaml`), 'utf8')) as Document[]
  const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }
  const [pod] = read(file)
  if (pod === undefined) throw new Error('the example has no Pod')
  return judge(reviewWorkloads, requestOf(pod), worldOf(shop, ...read('policy')))
}

describe('the example of a check', () => {
  const folders = readdirSync(examplesFolder)

  it('is there for each that judges a workload by what files show', () => {
    const missing = checkEntries
      .filter(({ id, area }) => shown.includes(area) && !changes.includes(id))
      .filter(({ id }) =>
        ['policy', 'fails', 'passes'].some((file) => !existsSync(join(examplesFolder, id, `${file}.yaml`))),
      )
    expect(missing.map(({ id }) => id)).to.deep.equal([])
  })

  it('is of a check', () => expect(folders.filter((id) => checkEntry(id) === null)).to.deep.equal([]))

  for (const id of byAdmissionOnly) {
    it(`is refused at admission for ${id}`, () => {
      const ids = [...refusalOf(admissionOf(id, 'fails')).matchAll(/^ +\[([a-z-]+)\]/gm)].map(([, found]) => found)
      expect(ids).to.deep.equal([id])
    })
    it(`is admitted without ${id}`, () => expect(gist(admissionOf(id, 'passes'))).to.equal('allowed'))
  }

  for (const id of folders.filter((each) => !byAdmissionOnly.includes(each))) {
    it(`fails ${id}, and nothing else`, async () => expect(await foundIn(id, 'fails')).to.deep.equal([id]))
    it(`passes ${id}, and everything else`, async () => expect(await foundIn(id, 'passes')).to.deep.equal([]))
  }
})
