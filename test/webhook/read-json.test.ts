import { expect } from 'chai'
import { readJson } from '../../src/webhook/read-json.ts'

const texts: readonly (readonly [sentence: string, text: string, value: unknown])[] = [
  ['leaves pairs of surrogates as they are', String.raw`"\ud83d\ude00"`, '😀'],
  ['takes the first half of a pair alone for no character', String.raw`"a\ud83db"`, 'a\ufffdb'],
  ['and the second', String.raw`"\uDE00"`, '\ufffd'],
  ['and two first halves in a row', String.raw`"\ud83d\ud83d\ude00"`, '\ufffd😀'],
  ['in the names of fields, too', String.raw`{"\ud83d":1}`, { '\ufffd': 1 }],
  ['does not take an escaped backslash for the start of an escape', String.raw`"\\ud83d"`, String.raw`\ud83d`],
  ['nor one after another', String.raw`"\\\ud83d"`, '\\\ufffd'],
  ['leaves other escapes as they are', String.raw`"\u0041\n\ud83d"`, 'A\n\ufffd'],
  ['has nothing to say of what is no JSON', String.raw`{"\ud83d"`, undefined],
]

describe('readJson', () => {
  for (const [sentence, text, value] of texts) it(sentence, () => expect(readJson(text)).to.deep.equal(value))
})
