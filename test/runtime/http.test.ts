import { expect } from 'chai'
import { type HealthServer, serveHealth } from '../../src/runtime/http.ts'
import { silentLog } from '../../src/runtime/log.ts'

describe('the health server', () => {
  let server: HealthServer
  let synced: boolean
  let failing: boolean

  beforeEach(async () => {
    synced = false
    failing = false
    server = await serveHealth({
      port: 0,
      host: '127.0.0.1',
      checks: [
        { name: 'cache of nhigrants', isReady: () => synced },
        { name: 'serving certificate', isReady: () => true },
      ],
      metrics: {
        render: () =>
          failing
            ? Promise.reject(new Error('s3cret'))
            : Promise.resolve({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
      },
      log: silentLog,
    })
  })
  afterEach(() => server.close())

  async function get(path: string): Promise<readonly [number, string]> {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`)
    return [response.status, await response.text()]
  }

  it('is alive as long as the process answers, ready or not', async () => {
    expect(await get('/healthz')).to.deep.equal([200, 'ok\n'])
  })

  it('is ready when every check holds, and names those that do not', async () => {
    expect(await get('/readyz')).to.deep.equal([503, 'not ready: cache of nhigrants\n'])
    synced = true
    expect(await get('/readyz?verbose')).to.deep.equal([200, 'ok\n'])
  })

  it('shows the metrics', async () => {
    expect(await get('/metrics')).to.deep.equal([200, 'up 1\n'])
  })

  it('answers a defect with a 500 that says nothing', async () => {
    failing = true
    expect(await get('/metrics')).to.deep.equal([500, 'internal error\n'])
  })

  it('has nothing else', async () => {
    expect(await get('/debug/pprof')).to.deep.equal([404, 'not found\n'])
  })

  it('refuses a port that is taken', async () => {
    const checks: never[] = []
    const metrics = { render: () => Promise.reject(new Error('unused')) }
    const options = { port: server.port, host: '127.0.0.1', checks, metrics, log: silentLog }
    const failure = await serveHealth(options).catch((error: unknown) => error)
    expect(failure).to.include({ code: 'EADDRINUSE' })
  })
})
