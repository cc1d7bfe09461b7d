import { expect } from 'chai'
import { load } from 'js-yaml'
import { checkEntries } from '../../src/core/check-catalogue.ts'
import { lapse } from './fake-io.ts'

describe('lapse check --explain', () => {
  it('says what a check looks at, and what to do about it', async () => {
    const outcome = await lapse(['check', '--explain', 'host-path'])
    expect(outcome).to.deep.equal({
      code: 0,
      stderr: '',
      stdout: `host-path (H04): Volumes that are a path of the node

Volumes of the pod with a hostPath.
→ Use a persistentVolumeClaim, an emptyDir, a configMap or a csi volume instead

severity  High, at most
area      Host
waivable  by a grant, where its policy lists the check in grants.waivable
known as  PSS baseline hostPathVolumes, CIS 1.12 5.2.11
`,
    })
  })

  it('knows every check of the catalogue, by its id and by its code', async () => {
    for (const { id, code, title } of checkEntries) {
      for (const name of [id, code, code.toLowerCase()]) {
        const { stdout, stderr } = await lapse(['check', '--explain', name])
        expect(stdout, stderr).to.match(/^.* \(.*\): ./)
        expect(stdout).to.contain(`${id} (${code}): ${title}\n`)
      }
    }
  })

  it('gives the entry as JSON and as YAML', async () => {
    const json = JSON.parse((await lapse(['check', '--explain', 'secrets-read', '-o', 'json'])).stdout) as object
    expect(json).to.deep.include({
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'CheckExplanation',
      ...checkEntries.find(({ id }) => id === 'secrets-read'),
    })
    expect(load((await lapse(['check', '--explain', 'secrets-read', '-o', 'yaml'])).stdout)).to.deep.equal(json)
  })

  for (const [sentence, argv, told] of [
    ['a mistyped id', ['hostpath'], 'there is no check "hostpath"; near it: host-path'],
    ['half an id', ['host'], /^lapse check: there is no check "host"; near it: .*host-namespaces/],
    ['a word of several ids', ['secrets'], /near it: .*secrets-read, secrets-write/],
    ['what is like nothing', ['zzzzzzzzzz'], 'there is no check "zzzzzzzzzz"; known: '],
    ['nothing', [''], 'there is no check ""; known: '],
    ['no argument', [], "'--explain <value>' argument missing"],
    ['a format for findings', ['exec', '-o', 'sarif'], '--explain prints text, json or yaml, not sarif'],
  ] as const) {
    it(`refuses ${sentence}`, async () => {
      const { code, stdout, stderr } = await lapse(['check', '--explain', ...argv])
      if (typeof told === 'string') expect(stderr).to.contain(told)
      else expect(stderr).to.match(told)
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' })
    })
  }
})
