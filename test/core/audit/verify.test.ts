import { expect } from 'chai'
import type { AuditEntry } from '../../../src/core/audit/record.ts'
import { chain, evidenceOf, opened, recordsOf, textOf, verify } from './records.ts'

const life: readonly AuditEntry[] = [
  opened(),
  evidenceOf({ kind: 'Issuing' }),
  evidenceOf(),
  evidenceOf({ kind: 'Ending' }),
  evidenceOf({ kind: 'Ended' }),
]
const records = recordsOf(life)
const lines = records.map(textOf)
const [first, second, third, fourth, fifth] = records
const next = (index: number): string => `sequence ${index} after ${records[index - 1]!.hash}`

describe('a chain of audit records', () => {
  it('is proved with its extent', () => {
    expect(verify([lines])).to.deep.equal({
      break: null,
      records: 5,
      from: '2027-01-01T00:00:00.000Z',
      to: '2027-01-01T00:00:00.000Z',
      chains: [{ chain, records: 5, first: 0, last: { chain, sequence: 4, hash: fifth!.hash } }],
      torn: 0,
      ignored: 0,
    })
  })

  it('has one record for each entry, each with the hash of the one before', () => {
    expect(records.map(({ sequence }) => sequence)).to.deep.equal([0, 1, 2, 3, 4])
    expect(records.map(({ previous }) => previous)).to.deep.equal([
      null,
      ...records.slice(0, 4).map(({ hash }) => hash),
    ])
    expect(records.map(({ kind }) => kind)).to.deep.equal(life.map(({ kind }) => kind))
  })

  it('takes half a character, which has no canonical form, for U+FFFD', () => {
    const half = recordsOf([opened(), evidenceOf({ reason: 'a\ud800b' })])
    expect(half[1]).to.include({ reason: 'a\ufffdb' })
    expect(verify([half.map(textOf)]).break).to.equal(null)
    const edited = half.map(textOf).map((line) => line.replace('\ufffd', '\\ud800'))
    expect(verify([edited]).break).to.include({ line: 2, found: 'one that holds half a character' })
  })

  it('goes on in the next file, whose first record names the last one of the file before', () => {
    const rotated = recordsOf([opened('Rotated'), evidenceOf()], records.at(-1))
    const verdict = verify([lines, rotated.map(textOf)])
    expect(verdict.break).to.equal(null)
    expect(verdict.chains).to.have.length(1)
    expect(verdict.records).to.equal(7)
    expect(verify([rotated.map(textOf)]).chains[0]).to.include({ first: 5, records: 2 })
  })

  const torn = '{"lapse.audit":"v1","time":"2027-'
  const goneOn = recordsOf(
    [opened('Restarted'), { kind: 'TornLine', time: '2027-01-01T00:00:01.000Z', digest: torn }, evidenceOf()],
    records.at(-1),
  ).map(textOf)

  it('goes on behind a line that was cut off, which the next record names', () => {
    const verdict = verify([[...lines, torn, ...goneOn]])
    expect(verdict.break).to.equal(null)
    expect(verdict.torn).to.equal(1)
  })

  it('is found in a log, among others and other lines, from wherever the log begins', () => {
    const other = recordsOf(life, null, 'c-2').map(textOf)
    const log = [
      '{"time":"2027-01-01T00:00:00.000Z","level":"info","message":"controllers started"}',
      `2027-01-01T00:00:00.1Z stdout F ${lines[2]}`,
      other[0]!,
      lines[3]!,
      'panic: something else',
      ...other.slice(1),
      lines[4]!,
    ]
    const { break: broken, chains, ignored, records: count } = verify([log], 'log')
    expect({ broken, ignored, count }).to.deep.equal({ broken: null, ignored: 2, count: 8 })
    expect(chains.map(({ chain: name, first: from }) => [name, from])).to.deep.equal([
      [chain, 2],
      ['c-2', 0],
    ])
  })

  const later = recordsOf([evidenceOf({ kind: 'Ended', message: 'later' })], records.at(-1)).map(textOf)
  const another = recordsOf(life, null, 'c-2').map(textOf)
  const edited = textOf({ ...third!, actor: 'mallory' } as typeof third & object)
  const breaks: readonly (readonly [
    sentence: string,
    files: readonly (readonly string[])[],
    place: readonly [file: string, line: number],
    expected: string | RegExp,
    found: string | RegExp,
  ])[] = [
    [
      'a record that was changed',
      [[lines[0]!, lines[1]!, edited, lines[3]!, lines[4]!]],
      ['file-0', 3],
      /^hash sha256:/,
      `hash ${third!.hash}`,
    ],
    [
      'one that was taken out',
      [[lines[0]!, lines[1]!, lines[3]!, lines[4]!]],
      ['file-0', 3],
      next(2),
      `Ending, sequence 3 after ${third!.hash}`,
    ],
    [
      'two that changed places',
      [[lines[0]!, lines[2]!, lines[1]!, lines[3]!]],
      ['file-0', 2],
      next(1),
      `Issued, sequence 2 after ${second!.hash}`,
    ],
    [
      'one that is there twice',
      [[lines[0]!, lines[1]!, lines[1]!, lines[2]!]],
      ['file-0', 3],
      next(2),
      `Issuing, sequence 1 after ${first!.hash}`,
    ],
    ['one of another chain', [[lines[0]!, another[1]!]], ['file-0', 2], next(1), /^Issuing, sequence 1 after/],
    [
      'a line that is none',
      [[lines[0]!, 'hello', lines[1]!]],
      ['file-0', 2],
      'a record',
      'a line that cannot be read, and that no record names as torn',
    ],
    ['an empty line', [[lines[0]!, '', lines[1]!]], ['file-0', 2], 'a record', /^a line that cannot be read/],
    [
      'a last line that was cut off, and nobody has gone on',
      [[...lines, torn]],
      ['file-0', 6],
      'a record',
      /cannot be read/,
    ],
    [
      'a line that takes the place of the one that was cut off',
      [[...lines, 'hello', ...goneOn]],
      ['file-0', 6],
      'a record',
      /cannot be read/,
    ],
    [
      'that the line was taken out that was cut off',
      [[...lines, ...goneOn]],
      ['file-0', 7],
      `the torn line ${torn}`,
      'none',
    ],
    [
      'a record that is written otherwise',
      [[lines[0]!, lines[1]!.replace(',', ', ')]],
      ['file-0', 2],
      'a record as it was written',
      'the same record, written otherwise',
    ],
    [
      'a beginning that was taken out',
      [lines.slice(1)],
      ['file-0', 1],
      'the beginning of a chain, or of a file',
      /^Issuing, sequence 1/,
    ],
    [
      'a chain that begins in the middle of a file',
      [[...lines, ...another]],
      ['file-0', 6],
      next(5),
      /^the beginning of another chain: Opened, sequence 0 after nothing$/,
    ],
    [
      'a chain that begins with a record of something',
      [recordsOf([evidenceOf()]).map(textOf)],
      ['file-0', 1],
      /^the beginning of a chain: Opened, New, sequence 0/,
      'Issued, sequence 0 after nothing',
    ],
    [
      'a file whose beginning was moved into the file before',
      [lines, later],
      ['file-1', 1],
      'the beginning of a file: Opened, Rotated',
      /^Ended, sequence 5 after/,
    ],
    [
      'a file that is missing between two others',
      [lines.slice(0, 3), recordsOf([opened('Rotated'), evidenceOf()], records.at(-1)).map(textOf)],
      ['file-1', 1],
      next(3),
      /^Opened, sequence 5 after/,
    ],
  ]
  for (const [sentence, files, [file, line], expected, found] of breaks)
    it(`does not hide ${sentence}`, () => {
      const { break: broken } = verify(files)
      expect({ file: broken?.file, line: broken?.line }).to.deep.equal({ file, line })
      if (typeof expected === 'string') expect(broken!.expected).to.equal(expected)
      else expect(broken!.expected).to.match(expected)
      if (typeof found === 'string') expect(broken!.found).to.equal(found)
      else expect(broken!.found).to.match(found)
    })

  it('is followed up to its first break', () => {
    expect(verify([[lines[0]!, lines[1]!, lines[3]!, lines[4]!]]).records).to.equal(2)
    expect(fourth!.sequence).to.equal(3)
  })

  it('in a log does not hide a record that was taken out, or that cannot be read', () => {
    expect(verify([[lines[1]!, lines[3]!]], 'log').break).to.include({ line: 2, expected: next(2) })
    expect(verify([[lines[1]!, lines[2]!.slice(0, 40)]], 'log').break).to.include({ line: 2, expected: 'a record' })
  })
})
