import { expect } from 'chai'
import { Writable } from 'node:stream'
import { Forbidden } from '../../src/cluster/errors.ts'
import { createLog, type Fields, type Log, type LogLevel } from '../../src/runtime/log.ts'

describe('the log', () => {
  let text: string
  let log: Log

  function open(level: LogLevel, fields: Fields = {}): void {
    text = ''
    const stream = new Writable({
      write(chunk, _, written) {
        text += String(chunk)
        written()
      },
    })
    log = createLog({ level, fields, stream })
  }

  function lines(): readonly Record<string, unknown>[] {
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  it('is one JSON object a line: time, level, message, then the fields', () => {
    open('info', { process: 'controller' })
    log.info('cache synced', { resource: 'nhigrants', objects: 3 })
    const [line] = lines()
    expect(Object.keys(line ?? {})).to.deep.equal(['time', 'level', 'message', 'process', 'resource', 'objects'])
    expect(line).to.include({ level: 'info', message: 'cache synced', process: 'controller', objects: 3 })
    expect(line?.['time']).to.match(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
  })

  it('leaves out what is below its level', () => {
    open('warn')
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level](level)
    expect(lines().map(({ message }) => message)).to.deep.equal(['warn', 'error'])
  })

  it('shows an error by its name and message, without stack, cause or fields', () => {
    open('info')
    const error = new Forbidden({ method: 'GET', path: '/api/v1/pods' }, 'not allowed')
    error.cause = new Error('s3cret')
    log.error('reconcile failed', { key: 'a/b', error })
    expect(lines()[0]?.['error']).to.deep.equal({ name: 'Forbidden', message: 'not allowed (GET /api/v1/pods)' })
  })

  it('shows whatever else was thrown as it is', () => {
    open('info')
    log.error('reconcile failed', { error: 'a text' })
    expect(lines()[0]?.['error']).to.equal('a text')
  })

  it('survives fields that JSON cannot express', () => {
    open('info')
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    log.info('odd', { loop, big: 10n })
    expect(lines()[0]).to.deep.include({ message: 'odd', unprintable: ['loop', 'big'] })
  })
})
