import { expect } from 'chai'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connection, loadConnection, NoConnection } from '../../src/cluster/connection.ts'
import { FakeClock } from '../support/fake-clock.ts'

interface Parts {
  readonly cluster?: object
  readonly user?: object
  readonly context?: object
}

describe('the connection of a kubeconfig', () => {
  let directory: string
  let clock: FakeClock

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lapse-connection-'))
  })
  after(() => rm(directory, { recursive: true }))
  beforeEach(() => {
    clock = new FakeClock()
  })

  async function write(name: string, content: string): Promise<string> {
    const path = join(directory, name)
    await writeFile(path, content)
    return path
  }

  async function load({ cluster = {}, user = {}, context = {} }: Parts): Promise<Connection> {
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443/prefix/', ...cluster } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', ...context } }],
      'current-context': 'x',
    }
    return loadConnection({ kubeconfig: await write('config', JSON.stringify(config)), clock })
  }

  async function headersOf(user: object): Promise<object> {
    const connection = await load({ user })
    return (await connection.credentials()).headers
  }

  it('names the server without a slash at its end, and the namespace of the context', async () => {
    expect(await load({ context: { namespace: 'payments' } })).to.include({
      url: 'https://127.0.0.1:6443/prefix',
      namespace: 'payments',
    })
    expect(await load({})).to.include({ namespace: 'default' })
  })

  it('carries CA and client certificate, as data or as files beside the kubeconfig', async () => {
    await write('key.pem', 'the key')
    const connection = await load({
      cluster: {
        'certificate-authority-data': Buffer.from('the ca').toString('base64'),
        'tls-server-name': 'kubernetes',
      },
      user: { 'client-certificate-data': Buffer.from('the certificate').toString('base64'), 'client-key': 'key.pem' },
    })
    const { tls, headers } = await connection.credentials()
    expect([tls.ca, tls.cert, tls.key].map(String)).to.deep.equal(['the ca', 'the certificate', 'the key'])
    expect(tls.servername).to.equal('kubernetes')
    expect(headers).to.deep.equal({})
  })

  it('verifies the server unless the kubeconfig says otherwise', async () => {
    expect((await (await load({})).credentials()).tls.rejectUnauthorized).not.to.equal(false)
    const careless = await load({ cluster: { 'insecure-skip-tls-verify': true } })
    expect((await careless.credentials()).tls.rejectUnauthorized).to.equal(false)
  })

  it('sends a token, a password or an impersonation as headers', async () => {
    expect(await headersOf({ token: 't0ken' })).to.deep.equal({ Authorization: 'Bearer t0ken' })
    expect(await headersOf({ username: 'u', password: 'p' })).to.deep.equal({ Authorization: 'Basic dTpw' })
    expect(await headersOf({ token: 't0ken', as: 'somebody' })).to.include({ 'Impersonate-User': 'somebody' })
  })

  it('reads a token from its file, without the newline at its end', async () => {
    const tokenFile = await write('token', 'of-the-pod\n')
    const provider = { name: 'tokenFile', config: { tokenFile } }
    expect(await headersOf({ 'auth-provider': provider })).to.deep.equal({ Authorization: 'Bearer of-the-pod' })
  })

  it('runs an exec plugin', async () => {
    const status = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: 'fresh' } }
    const exec = { apiVersion: status.apiVersion, command: 'echo', args: [JSON.stringify(status)] }
    expect(await headersOf({ exec })).to.deep.equal({
      Authorization: 'Bearer fresh',
    })
  })

  it('fails when the exec plugin fails, and asks it again the next time', async () => {
    const asked = join(directory, 'asked')
    const args = ['-c', `echo once >> ${asked}; echo log in first >&2; exit 1`]
    const connection = await load({
      user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args } },
    })
    for (const times of [1, 2]) {
      const failure = (await connection.credentials().catch((error: unknown) => error)) as Error
      expect(failure.message.trim()).to.equal('log in first')
      expect(await readFile(asked, 'utf8')).to.equal('once\n'.repeat(times))
    }
  })

  it('reads a certificate again when it was rotated, ten seconds later at most', async () => {
    const ca = await write('ca.pem', 'old')
    const connection = await load({ cluster: { 'certificate-authority': ca } })
    const { tls } = await connection.credentials()
    await write('ca.pem', 'new')
    await clock.advance(9_999)
    expect((await connection.credentials()).tls).to.equal(tls)
    await clock.advance(1)
    expect(String((await connection.credentials()).tls.ca)).to.equal('new')
  })

  it('returns the very same TLS options as long as nothing has changed', async () => {
    const connection = await load({ cluster: { 'certificate-authority-data': Buffer.from('ca').toString('base64') } })
    const { tls } = await connection.credentials()
    await clock.advance(60_000)
    expect((await connection.credentials()).tls).to.equal(tls)
  })

  const unusable: readonly { readonly what: string; readonly parts: Parts; readonly why: string }[] = [
    {
      what: 'plain HTTP',
      parts: { cluster: { server: 'http://127.0.0.1' } },
      why: 'no kubeconfig that names an https server',
    },
    {
      what: 'a proxy',
      parts: { cluster: { 'proxy-url': 'http://127.0.0.1:3128' } },
      why: 'proxy-url in a kubeconfig is not supported',
    },
    {
      what: 'no cluster',
      parts: { context: { cluster: 'other' } },
      why: 'no current context, or the context no cluster',
    },
  ]
  for (const { what, parts, why } of unusable) {
    it(`does not exist for a kubeconfig with ${what}`, async () => {
      const failure = await load(parts).catch((error: unknown) => error)
      expect(failure).to.be.instanceOf(NoConnection)
      expect((failure as Error).message).to.contain(why)
    })
  }

  it('does not exist without a file, or with one that is no YAML', async () => {
    for (const kubeconfig of [join(directory, 'absent'), await write('broken', 'a: [')]) {
      const failure = await loadConnection({ kubeconfig, clock }).catch((error: unknown) => error)
      expect(failure).to.be.instanceOf(NoConnection)
      expect((failure as Error).message).to.match(/^the kubeconfig cannot be read: /)
    }
  })
})
