import { expect } from 'chai'
import { load } from 'js-yaml'
import { evidenceOf, opened, recordsOf, textOf } from '../core/audit/records.ts'
import { lapse } from './fake-io.ts'

const records = recordsOf([opened(), evidenceOf({ kind: 'Issuing' }), evidenceOf()])
const rotated = recordsOf([opened('Rotated'), evidenceOf({ kind: 'Ended' })], records.at(-1))
const fileOf = (of: readonly (typeof records)[number][]): string => of.map((record) => `${textOf(record)}\n`).join('')
const whole = fileOf(records)
const edited = whole.replace('"kind":"Issuing"', '"kind":"Issued"')
const last = records.at(-1)!.hash
const time = '2027-01-01T00:00:00.000Z'

describe('lapse audit verify', () => {
  it('proves a file, and says what it proved', async () => {
    const outcome = await lapse(['audit', 'verify', 'audit.jsonl'], { files: { 'audit.jsonl': whole } })
    expect(outcome).to.deep.equal({
      code: 0,
      stdout: `proved: 3 records, from ${time} to ${time}, in 1 chain\nchain c-1: records 0 to 2, last ${last}\n`,
      stderr: '',
    })
  })

  it('proves files that follow one another', async () => {
    const files = { 'audit.jsonl.1': whole, 'audit.jsonl': fileOf(rotated) }
    const outcome = await lapse(['audit', 'verify', 'audit.jsonl.1', 'audit.jsonl'], { files })
    expect(outcome.stdout).to.match(/^proved: 5 records, .*, in 1 chain\nchain c-1: records 0 to 4, last sha256:/)
    const reversed = await lapse(['audit', 'verify', 'audit.jsonl', 'audit.jsonl.1'], { files })
    expect(reversed.code).to.equal(1)
  })

  it('says that it has not the beginning', async () => {
    const outcome = await lapse(['audit', 'verify', 'a'], { files: { a: fileOf(rotated) } })
    expect(outcome.code).to.equal(0)
    expect(outcome.stdout).to.match(/; the 3 records before it are not here\n$/)
  })

  it('says where the chain breaks, and how far it is proved', async () => {
    const outcome = await lapse(['audit', 'verify', 'audit.jsonl'], { files: { 'audit.jsonl': edited } })
    expect(outcome.code).to.equal(1)
    expect(outcome.stdout).to.match(
      /^broken at audit\.jsonl:2: expected hash sha256:[0-9a-f]{64}; found hash sha256:[0-9a-f]{64}\nbefore it: 1 record, /,
    )
  })

  it('reads stdin, named or not', async () => {
    for (const argv of [[], ['-']]) {
      const outcome = await lapse(['audit', 'verify', ...argv], { stdin: whole })
      expect(outcome.stdout).to.match(/^proved: 3 records/)
    }
    expect((await lapse(['audit', 'verify'], { stdin: edited })).stdout).to.match(/^broken at stdin:2: /)
  })

  it('finds the records in a log', async () => {
    const stdin = `{"level":"info","message":"ready"}\n2027-01-01T00:00:00Z ${whole}`
    expect((await lapse(['audit', 'verify', '--from-log'], { stdin })).stdout).to.match(
      /^proved: 3 records[\s\S]*\n1 other line ignored\n$/,
    )
    expect((await lapse(['audit', 'verify'], { stdin })).code).to.equal(1)
  })

  it('proves that nothing is missing at the end, by the hash of the last record', async () => {
    const verify = (stdin: string) => lapse(['audit', 'verify', '--expect-last', last], { stdin })
    expect((await verify(whole)).code).to.equal(0)
    const cut = await verify(fileOf(records.slice(0, 2)))
    expect(cut.code).to.equal(1)
    expect(cut.stdout).to.match(
      new RegExp(`^broken: expected last record ${last}; found last record ${records[1]!.hash}\n`),
    )
  })

  it('proves nothing of nothing', async () => {
    for (const flags of [[], ['--from-log']]) {
      const outcome = await lapse(['audit', 'verify', ...flags], { stdin: '' })
      expect(outcome).to.include({ code: 1 })
      expect(outcome.stdout).to.match(/^broken: expected audit records; found none\n/)
    }
  })

  it('gives the same as a document', async () => {
    const chain = { chain: 'c-1', records: 3, first: 0, last: 2, hash: last }
    const proved = {
      apiVersion: 'lapse.dev/v1alpha1',
      kind: 'AuditVerification',
      proved: true,
      records: 3,
      from: time,
      to: time,
      chains: [chain],
      torn: 0,
      ignored: 0,
    }
    const json = await lapse(['audit', 'verify', '-o', 'json'], { stdin: whole })
    expect(JSON.parse(json.stdout)).to.deep.equal(proved)
    const yaml = await lapse(['audit', 'verify', '-o', 'yaml'], { stdin: whole })
    expect(load(yaml.stdout)).to.deep.equal(proved)
    const broken = JSON.parse((await lapse(['audit', 'verify', '-o', 'json'], { stdin: edited })).stdout)
    expect(broken).to.include({ proved: false, records: 1 })
    expect(broken.problem).to.include({ file: 'stdin', line: 2, found: `hash ${records[1]!.hash}` })
  })

  for (const [sentence, argv, code, stderr] of [
    ['a file that is not there', ['verify', 'nowhere'], 3, /^lapse audit: cannot read the records: ENOENT: .*nowhere/],
    ['a directory', ['verify', '.'], 3, /^lapse audit: cannot read the records: EISDIR/],
    ['no word', [], 2, /^lapse audit: say what to do: lapse audit verify; see lapse audit --help/],
    ['another word', ['prove'], 2, /say what to do/],
    ['stdin twice', ['verify', '-', '-'], 2, /- stands for stdin, and can be read once/],
    ['another format', ['verify', '-o', 'sarif'], 2, /--output must be text, json or yaml, not "sarif"/],
    [
      'what is no hash',
      ['verify', '--expect-last', 'abc'],
      2,
      /--expect-last must be sha256: and 64 hex digits, not "abc"/,
    ],
    ['an option that it does not know', ['verify', '--fast'], 2, /Unknown option '--fast'/],
  ] as const)
    it(`refuses ${sentence}`, async () => {
      const outcome = await lapse(['audit', ...argv])
      expect(outcome).to.include({ code, stdout: '' })
      expect(outcome.stderr).to.match(stderr)
    })

  it('helps', async () => {
    expect((await lapse(['audit', '--help'])).stdout).to.match(/^usage: lapse audit verify \[OPTION…\] \[FILE…\|-\]/)
  })
})
