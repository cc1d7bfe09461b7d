import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import * as fc from 'fast-check'
import { AuditLog } from '../../src/audit/audit-log.ts'
import { FileJournal } from '../../src/audit/file-journal.ts'
import { readChains } from '../../src/audit/read-chains.ts'
import { readRecord } from '../../src/core/audit/chain.ts'
import type { AuditRecord } from '../../src/core/audit/record.ts'
import type { ChainVerdict } from '../../src/core/audit/verify.ts'
import { silentLog, type Log } from '../../src/runtime/log.ts'
import { evidenceOf } from '../core/audit/records.ts'
import { FakeClock } from '../support/fake-clock.ts'

const isRoot = process.getuid?.() === 0

function verify(files: readonly string[]): Promise<ChainVerdict> {
  return readChains(
    files.map((name) => ({ name, chunks: [readFileSync(name)] })),
    'file',
  )
}

async function write(log: AuditLog, ...messages: string[]): Promise<void> {
  for (const message of messages) await log.write([evidenceOf({ message })])
}

describe('an audit log in a file', () => {
  let directory: string
  let path: string
  let chains: number
  let logs: AuditLog[]
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lapse-audit-'))
    path = join(directory, 'audit.jsonl')
    chains = 0
    logs = []
  })
  afterEach(async () => {
    await Promise.all(logs.map((log) => log.close()))
    rmSync(directory, { recursive: true, force: true })
  })

  /** Of a process that may crash: it is closed when the test is over. */
  function logOf(journal: FileJournal, log: Log = silentLog): AuditLog {
    const opened = new AuditLog({
      journal,
      clock: new FakeClock(Date.UTC(2027, 0, 1)),
      log,
      writer: { process: 'controller', version: '0.1.0', instance: 'pod-1' },
      newChain: () => `c-${(chains += 1)}`,
    })
    logs.push(opened)
    return opened
  }
  const logAt = (file: string, log?: Log): AuditLog => logOf(new FileJournal(file), log)
  const read = (file = path): AuditRecord[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .map(readRecord)
      .filter((record) => record !== null)
  const kinds = (file = path): string[] =>
    read(file).map((record) => (record.kind === 'Opened' ? `Opened ${record.how}` : record.kind))

  it('begins with who writes, and with what', async () => {
    const log = logAt(path)
    await write(log, 'a')
    const [opened, record] = read()
    expect(opened).to.include({ 'lapse.audit': 'v1', sequence: 0, previous: null, kind: 'Opened', how: 'New' })
    expect(opened).to.include({ process: 'controller', version: '0.1.0', instance: 'pod-1' })
    expect(record).to.include({ sequence: 1, previous: opened!.hash, kind: 'Issued', message: 'a' })
    expect(statSync(path).mode & 0o777).to.equal(0o640)
    expect(readFileSync(path, 'utf8')).to.match(/^\{"lapse\.audit":"v1",/)
  })

  it('takes a burst in order and all at once', async () => {
    const appends: string[] = []
    const journal = new FileJournal(path)
    const append = journal.append.bind(journal)
    journal.append = (lines) => {
      appends.push(lines)
      return append(lines)
    }
    const log = logOf(journal)
    const messages = Array.from({ length: 200 }, (_, index) => `${index}`)
    await Promise.all(messages.map((message) => log.write([evidenceOf({ message })])))
    expect(appends).to.have.length(1)
    expect(
      read()
        .slice(1)
        .map((record) => 'message' in record && record.message),
    ).to.deep.equal(messages)
    expect((await verify([path])).break).to.equal(null)
  })

  it('goes on in a file that is there, in a new process', async () => {
    await write(logAt(path), 'a')
    await write(logAt(path), 'b')
    expect(kinds()).to.deep.equal(['Opened New', 'Issued', 'Opened Restarted', 'Issued'])
    expect(await verify([path])).to.deep.include({ break: null, records: 4 })
  })

  const cutOff = '{"lapse.audit":"v1","time":"2027-01-01T0'
  const crashes: readonly (readonly [sentence: string, torn: string, count: number])[] = [
    ['a line', cutOff, 1],
    ['a line of zeros', '\0'.repeat(100), 1],
    ['two lines, the first with its end', `${cutOff}\n{"lap`, 2],
    ['a line longer than what is read at once', `{"${'x'.repeat(200_000)}`, 1],
  ]
  for (const [sentence, torn, count] of crashes)
    it(`keeps and names ${sentence} that a crash has cut off`, async () => {
      await write(logAt(path), 'a')
      appendFileSync(path, torn)
      await write(logAt(path), 'b')
      expect(readFileSync(path, 'utf8')).to.include(`${torn}\n`)
      const named = Array.from({ length: count }, () => 'TornLine')
      expect(kinds()).to.deep.equal(['Opened New', 'Issued', 'Opened Restarted', ...named, 'Issued'])
      expect(await verify([path])).to.deep.include({ break: null, torn: count })
      expect(kinds().filter((kind) => kind === 'TornLine')).to.have.length(count)
    })

  it('goes on wherever a crash has cut it off, and is proved', async () => {
    await write(logAt(path), 'a', 'b')
    const whole = readFileSync(path)
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length), async (length) => {
        writeFileSync(path, whole.subarray(0, length))
        await write(logAt(path), 'c')
        expect((await verify([path])).break).to.equal(null)
        expect(read().at(-1)).to.include({ message: 'c' })
      }),
      { seed: 20_270_101, numRuns: 100 },
    )
  })

  it('begins a chain behind a first record that was cut off', async () => {
    writeFileSync(path, cutOff)
    await write(logAt(path), 'a')
    expect(kinds()).to.deep.equal(['Opened New', 'TornLine', 'Issued'])
    expect((await verify([path])).break).to.equal(null)
  })

  it('goes on with a last record that only lost its line feed', async () => {
    await write(logAt(path), 'a')
    truncateSync(path, statSync(path).size - 1)
    await write(logAt(path), 'b')
    expect(kinds()).to.deep.equal(['Opened New', 'Issued', 'Opened Restarted', 'Issued'])
    expect((await verify([path])).break).to.equal(null)
  })

  it('does not take a last record that was changed for its own', async () => {
    await write(logAt(path), 'a', 'b')
    writeFileSync(path, readFileSync(path, 'utf8').replace('"message":"b"', '"message":"c"'))
    await write(logAt(path), 'd')
    expect((await verify([path])).break).to.include({ file: path, line: 3 })
  })

  for (const [sentence, rotate] of [
    ['is renamed', () => renameSync(path, `${path}.1`)],
    [
      'is copied and cut off',
      () => {
        writeFileSync(`${path}.1`, readFileSync(path))
        truncateSync(path)
      },
    ],
  ] as const)
    it(`goes on in a new file when its own ${sentence}`, async () => {
      const log = logAt(path)
      await write(log, 'a')
      rotate()
      await write(log, 'b')
      expect(kinds()).to.deep.equal(['Opened Rotated', 'Issued'])
      expect(read()[0]!.previous).to.equal(read(`${path}.1`).at(-1)!.hash)
      const whole = await verify([`${path}.1`, path])
      expect(whole).to.deep.include({ break: null, records: 4 })
      expect(whole.chains).to.have.length(1)
    })

  it('shows that records of its own were taken out while it wrote', async () => {
    const log = logAt(path)
    await write(log, 'a', 'b')
    writeFileSync(path, `${readFileSync(path, 'utf8').split('\n').slice(0, 2).join('\n')}\n`)
    await write(log, 'c')
    expect((await verify([path])).break).to.include({ line: 3 })
  })

  it('fails while its directory is not there, says so once, and goes on with its chain when it is', async () => {
    const said: string[] = []
    const note = (message: string): void => void said.push(message)
    const inner = join(directory, 'inner')
    const log = logAt(join(inner, 'audit.jsonl'), { ...silentLog, error: note, info: note })
    mkdirSync(inner)
    await write(log, 'a')
    renameSync(inner, `${inner}-away`)
    for (const message of ['b', 'c']) {
      const failure = await write(log, message).catch((error: unknown) => error)
      expect(failure).to.include({ code: 'ENOENT' })
    }
    expect(log.fails).to.equal(true)
    renameSync(`${inner}-away`, inner)
    await write(log, 'd')
    expect(log.fails).to.equal(false)
    expect(said).to.deep.equal([
      'audit records cannot be written: nothing is issued',
      'audit records are written again',
    ])
    expect(read(join(inner, 'audit.jsonl')).map((record) => 'message' in record && record.message)).to.deep.equal([
      false,
      'a',
      'd',
    ])
    expect((await verify([join(inner, 'audit.jsonl')])).break).to.equal(null)
  })

  it('fails in a place where it may not write', async function () {
    if (isRoot) this.skip()
    const failure = await write(logAt('/audit.jsonl'), 'a').catch((error: unknown) => error)
    expect(failure).to.include({ code: 'EACCES' })
  })

  it('fails on a full disk', async function () {
    const failure = await write(logAt('/dev/full'), 'a').catch((error: unknown) => error)
    expect((failure as NodeJS.ErrnoException).code).to.be.oneOf(['ENOSPC', 'EACCES', 'EINVAL'])
  })
})
