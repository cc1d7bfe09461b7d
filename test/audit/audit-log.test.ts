import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect } from 'chai'
import { appendWithin, AuditLog } from '../../src/audit/audit-log.ts'
import type { Journal } from '../../src/audit/journal.ts'
import { StreamJournal, type WritableLines } from '../../src/audit/stream-journal.ts'
import { readChains } from '../../src/audit/read-chains.ts'
import type { AuditRecord } from '../../src/core/audit/record.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { evidenceOf } from '../core/audit/records.ts'
import { FakeClock } from '../support/fake-clock.ts'

const nothing = (): void => {}

function logOf(journal: Journal, clock = new FakeClock(Date.UTC(2027, 0, 1))): AuditLog {
  const writer = { process: 'controller', version: '0.1.0', instance: 'pod-1' }
  return new AuditLog({ journal, clock, log: silentLog, writer, newChain: () => 'c-1' })
}

describe('an audit log', () => {
  it('on a stream begins a chain that says who writes, and is proved from the log', async () => {
    const written: string[] = []
    const log = logOf(new StreamJournal(streamTo((text) => void written.push(text))))
    await log.write([evidenceOf({ kind: 'Issuing' })])
    await log.write([evidenceOf()])
    const records = written
      .map((text) =>
        text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as AuditRecord),
      )
      .flat()
    expect(records.map(({ kind }) => kind)).to.deep.equal(['Opened', 'Issuing', 'Issued'])
    expect(records[0]).to.include({ how: 'New', version: '0.1.0', instance: 'pod-1' })
    const log2 = Buffer.from(['{"level":"info"}', ...written.join('').trimEnd().split('\n')].join('\n'))
    expect(await readChains([{ name: 'log', chunks: [log2] }], 'log')).to.deep.include({
      break: null,
      records: 3,
      ignored: 1,
    })
  })

  it('on a stream that nobody reads any more fails, and harms nobody', async () => {
    let heard = 0
    const stream: WritableLines = {
      write: (_, written) => written(new Error('EPIPE')),
      on: () => (heard += 1),
      removeAllListeners: () => {},
    }
    const journal = new StreamJournal(stream)
    journal.listen()
    const failure = await logOf(journal)
      .write([evidenceOf()])
      .catch((error: unknown) => error)
    expect((failure as Error).message).to.equal('EPIPE')
    expect(heard).to.equal(1)
  })

  it('gives what comes while an append is under way to the next, all at once', async () => {
    const appends: number[] = []
    let release = nothing
    const log = logOf({
      open: () => Promise.resolve({ kind: appends.length === 0 ? 'Empty' : 'Same' }),
      append: (lines) => {
        appends.push(lines.trimEnd().split('\n').length)
        return appends.length === 1 ? new Promise((resolve) => (release = resolve)) : Promise.resolve()
      },
      close: () => Promise.resolve(),
    })
    const first = log.write([evidenceOf()])
    while (appends.length === 0) await Promise.resolve()
    const rest = Promise.all(Array.from({ length: 50 }, () => log.write([evidenceOf()])))
    release()
    await Promise.all([first, rest])
    expect(appends).to.deep.equal([2, 50])
  })

  it('refuses what waits behind an append that hangs, and goes on when it is over', async () => {
    const clock = new FakeClock(Date.UTC(2027, 0, 1))
    const appended: string[] = []
    let release = nothing
    let hangs = true
    const log = logOf(
      {
        open: () => Promise.resolve({ kind: appended.length === 0 ? 'Empty' : 'Same' }),
        append: (lines) => {
          appended.push(lines)
          return hangs ? new Promise((resolve) => (release = resolve)) : Promise.resolve()
        },
        close: () => Promise.resolve(),
      },
      clock,
    )
    const outcomes: string[] = []
    const note = (name: string, write: Promise<void>): Promise<void> =>
      write.then(
        () => void outcomes.push(`${name} is written`),
        (error: Error) => void outcomes.push(`${name}: ${error.message}`),
      )
    const first = note('first', log.write([evidenceOf()]))
    while (appended.length === 0) await Promise.resolve()
    const second = note('second', log.write([evidenceOf()]))
    await clock.advance(appendWithin)
    await Promise.all([first, second, note('third', log.write([evidenceOf()]))])
    const message = 'an append to the audit log takes longer than 2 s'
    expect(outcomes).to.deep.equal([`first: ${message}`, `second: ${message}`, `third: ${message}`])
    expect(log.fails).to.equal(true)
    hangs = false
    release()
    await log.close()
    await log.write([evidenceOf({ message: 'later' })])
    expect(log.fails).to.equal(false)
    const verdict = await readChains([{ name: 'file', chunks: [Buffer.from(appended.join(''))] }], 'file')
    expect(verdict).to.deep.include({ break: null, records: 3 })
  })
})

function streamTo(write: (text: string) => void): WritableLines {
  return {
    write: (text, written) => {
      write(text)
      written()
    },
    on: () => {},
    removeAllListeners: () => {},
  }
}

describe('an audit log on the stdout of a process', () => {
  it('harms nobody when the reader of stdout goes away, which ends every other command', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: join(import.meta.dirname, '../..'),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let stdout = ''
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const exited = once(child, 'exit')
    for await (const text of child.stdout.setEncoding('utf8')) {
      stdout += text as string
      if (stdout.split('\n').length > 2) break // which closes it
    }
    child.stdin.end('go on')
    expect(await exited, stderr).to.deep.equal([0, null])
    expect(stderr).to.equal('EPIPE\n')
    expect((await readChains([{ name: 'stdout', chunks: [Buffer.from(stdout)] }], 'file')).records).to.equal(2)
  })
})

/** As src/main.ts and `lapse controller` do: first the one listener, then the other. */
const script = `
import { once } from 'node:events'
import { createAuditLog } from './src/cli/audit-log.ts'
import { systemClock } from './src/runtime/clock.ts'
import { silentLog } from './src/runtime/log.ts'
process.stdout.on('error', () => process.exit(9))
const metrics = { gauge: () => {} }
const log = createAuditLog({
  config: { auditLog: '-' }, clock: systemClock, log: silentLog, metrics, version: '0', identity: 'pod-1',
})
const evidence = ${JSON.stringify(evidenceOf())}
await log.write([evidence])
await once(process.stdin, 'data')
for (let tries = 0; tries < 100; tries++) {
  const failure = await log.write([evidence]).then(() => null, (error) => error)
  if (failure !== null) {
    console.error(failure.code)
    process.exit(0)
  }
}
process.exit(8)
`
