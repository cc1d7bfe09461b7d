import { expect } from 'chai'
import { readManifests } from '../../src/cli/manifest/read-manifests.ts'
import { kubectlScalars } from './kubectl-scalars.ts'

const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n'

describe('the YAML dialect', () => {
  describe('reads a plain scalar as kubectl does', () => {
    for (const [scalar, json] of kubectlScalars) {
      if (json === null) continue
      it(`${scalar} is ${json}`, () => expect(read(`v: ${scalar}`)['v']).to.deep.equal(JSON.parse(json)))
    }
  })

  describe('refuses a plain scalar that kubectl cannot send', () => {
    for (const [scalar] of kubectlScalars.filter(([, json]) => json === null)) {
      for (const text of [`v: ${scalar}`, `v: [1, ${scalar}]`]) {
        it(text, () => {
          const { manifests, bad } = readManifests('a.yaml', head + text)
          expect(bad.map(({ line, message }) => [line, message])).to.deep.equal([
            [4, '.inf and .nan are no JSON: no API server can be sent them'],
          ])
          expect(manifests).to.deep.equal([])
        })
      }
    }
  })

  describe('reads a document as kubectl does', () => {
    // Recorded like the scalars.
    for (const [sentence, text, expected] of [
      ['lets a key win over what was merged in above it', 'b: &b {p: 1, q: 2}\nv: {<<: *b, q: 3}', { p: 1, q: 3 }],
      ['lets what is merged in win over a key above it', 'b: &b {p: 1, q: 2}\nv: {q: 3, <<: *b}', { p: 1, q: 2 }],
      [
        'lets the first of several sources win',
        'b: &b {p: 1, q: 2}\nc: &c {q: 7, r: 8}\nv: {<<: [*b, *c]}',
        { p: 1, q: 2, r: 8 },
      ],
      ['merges the top level only', 'b: &b {p: {x: 1}}\nv:\n  p: {y: 2}\n  <<: *b', { p: { x: 1 } }],
      ['takes two merge keys', 'v: {x: 1, <<: {p: 2}, <<: {z: 3}}', { x: 1, p: 2, z: 3 }],
      ['takes a quoted merge key for a key', 'v: {x: 1, "<<": {p: 2}}', { x: 1, '<<': { p: 2 } }],
      ['makes text of keys', 'v: {1: one, yes: two, 1.5: f}', { '1': 'one', true: 'two', '1.5': 'f' }],
      ['repeats what an alias names', 'b: &b [1, 2]\nv: *b', [1, 2]],
      ['follows the tags of YAML', 'v: [!!str 1, !!int "3", !!float 1, !!bool yes]', ['1', 3, 1, true]],
      ['leaves quoted words alone', `v: ["yes", 'no', "0777", "~"]`, ['yes', 'no', '0777', '~']],
      ['keeps separators that are indented', 'v: |\n  ---\n  x\n', '---\nx\n'],
    ] as const) {
      it(sentence, () => expect(read(text)['v']).to.deep.equal(expected))
    }

    it('takes __proto__ for a key like any other', () => {
      const value = read('v: {__proto__: {hostNetwork: true}}')['v']
      expect(Object.keys(value as object)).to.deep.equal(['__proto__'])
      expect((value as { readonly hostNetwork?: boolean }).hostNetwork).to.equal(undefined)
    })
  })

  describe('refuses', () => {
    for (const [sentence, text, message] of [
      [
        'a key that stands twice, where kubectl would take the last',
        'a: 1\na: 2',
        'a: stands twice in the same object',
      ],
      ['two spellings of one key', 'yes: 1\ntrue: 2', 'true: stands twice in the same object'],
      ['a key that is a list', '? [a]\n: 1', 'a key must be text or a number'],
      ['a key that is nothing', 'null: 1', 'a key must be text or a number'],
      ['a mapping that contains itself', 'a: &x\n  b: *x', 'recursive alias'],
      ['a list that contains itself', 'a: &x\n- *x', 'recursive alias'],
      ['an alias without an anchor', 'a: *x', 'unidentified alias "x"'],
      ['an unknown tag', 'a: !foo 1', 'unknown scalar tag'],
      ['a merge of something else', 'a: {<<: 3}', 'only mappings can be merged in by <<'],
      ['a NUL', 'a: x\0y', 'null byte'],
    ] as const) {
      it(sentence, () => {
        const { manifests, bad } = readManifests('a.yaml', head + text)
        expect(manifests).to.deep.equal([])
        expect(bad.map(({ path, message: found }) => `${path === '' ? '' : `${path}: `}${found}`).join()).to.contain(
          message,
        )
      })
    }
  })
})

function read(text: string): Readonly<Record<string, unknown>> {
  const { manifests, bad } = readManifests('a.yaml', head + text)
  expect(bad).to.deep.equal([])
  return manifests[0]!.object
}
