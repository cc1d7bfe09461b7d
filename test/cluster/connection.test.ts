import { expect } from 'chai'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { type Connection, loadConnection, NoConnection } from '../../src/cluster/connection.ts'
import type { Credentials } from '../../src/cluster/credentials.ts'
import { eventually } from '../support/eventually.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { selfSigned } from '../webhook/self-signed.ts'

interface Parts {
  readonly cluster?: object
  readonly user?: object
  readonly context?: object
}

const apiVersion = 'client.authentication.k8s.io/v1'
const [old, renewed] = [selfSigned('old'), selfSigned('renewed')]

function kubeconfigOf({ cluster = {}, user = { token: 't0ken' }, context = {} }: Parts): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443/prefix/', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', ...context } }],
    'current-context': 'x',
  })
}

/** With other names for cluster, user and context. */
function renamed(text: string): string {
  return text.replaceAll(/"([cux])"/g, '"other-$1"')
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function bearer(token: string): object {
  return { Authorization: `Bearer ${token}` }
}

function tokenOf({ headers }: Credentials): string | undefined {
  return headers['Authorization']?.toString().replace('Bearer ', '')
}

/** A shell script that prints the status as an exec plugin does. */
function print(status: object): string {
  return `printf %s '${JSON.stringify({ apiVersion, kind: 'ExecCredential', status })}'`
}

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error as Error,
  )
}

describe('the connection of a kubeconfig', () => {
  let directory: string
  let clock: FakeClock

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lapse-connection-'))
    clock = new FakeClock()
  })
  afterEach(() => rm(directory, { recursive: true }))

  async function write(name: string, content: string): Promise<string> {
    const path = join(directory, name)
    await writeFile(path, content)
    return path
  }

  async function load(parts: Parts): Promise<Connection> {
    return loadConnection({ kubeconfig: await write('config', kubeconfigOf(parts)), clock })
  }

  /** Of the files of these names in KUBECONFIG; null: there is none. */
  async function loadAll(files: Readonly<Record<string, string | null>>): Promise<Connection> {
    for (const [name, text] of Object.entries(files)) if (text !== null) await write(name, text)
    process.env['KUBECONFIG'] = Object.keys(files)
      .map((name) => join(directory, name))
      .join(delimiter)
    return loadConnection({ clock })
  }

  async function headersOf(user: object): Promise<object> {
    return (await (await load({ user })).credentials()).headers
  }

  it('names the server without a slash at its end, and the namespace of the context', async () => {
    expect(await load({ context: { namespace: 'payments' } })).to.include({
      url: 'https://127.0.0.1:6443/prefix',
      namespace: 'payments',
    })
    expect(await load({})).to.include({ namespace: 'default' })
  })

  it('carries CA and client certificate, as data or as files beside the kubeconfig', async () => {
    await write('key.pem', old.key)
    const connection = await load({
      cluster: { 'certificate-authority-data': base64(renewed.cert), 'tls-server-name': 'kubernetes' },
      user: { 'client-certificate-data': base64(old.cert), 'client-key': 'key.pem' },
    })
    const { tls, headers } = await connection.credentials()
    expect([tls.ca, tls.cert, tls.key].map(String)).to.deep.equal([renewed.cert, old.cert, old.key])
    expect(tls.servername).to.equal('kubernetes')
    expect(headers).to.deep.equal({})
  })

  it('verifies the server unless the kubeconfig says otherwise', async () => {
    expect((await (await load({})).credentials()).tls.rejectUnauthorized).not.to.equal(false)
    const careless = await load({ cluster: { 'insecure-skip-tls-verify': true } })
    expect((await careless.credentials()).tls.rejectUnauthorized).to.equal(false)
  })

  it('sends a token, a password or an impersonation as headers', async () => {
    expect(await headersOf({ token: 't0ken' })).to.deep.equal(bearer('t0ken'))
    expect(await headersOf({ username: 'u', password: 'p' })).to.deep.equal({ Authorization: 'Basic dTpw' })
    expect(await headersOf({ token: 't0ken', as: 'somebody' })).to.deep.equal({
      ...bearer('t0ken'),
      'Impersonate-User': 'somebody',
    })
  })

  describe('in several files, as with kubectl', () => {
    const before = process.env['KUBECONFIG']

    afterEach(() => {
      if (before === undefined) delete process.env['KUBECONFIG']
      else process.env['KUBECONFIG'] = before
    })

    it('takes the context of the first that names one', async () => {
      const first = kubeconfigOf({ context: { namespace: 'of-first' } })
      expect((await loadAll({ first, second: renamed(kubeconfigOf({})) })).namespace).to.equal('of-first')
    })

    it('finds in the others what that context names', async () => {
      const context = { contexts: [{ name: 'x', context: { cluster: 'c', user: 'other-u' } }], 'current-context': 'x' }
      const clusters = [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }]
      const users = [{ name: 'other-u', user: { token: 'of-third' } }]
      const [first, second, third] = [context, { clusters }, { users }].map((text) => JSON.stringify(text))
      const connection = await loadAll({ first: first!, second: second!, third: third! })
      expect(connection.url).to.equal('https://127.0.0.1:1')
      expect(tokenOf(await connection.credentials())).to.equal('of-third')
    })

    it('takes of two clusters, users and contexts of one name the first, and nothing of the second', async () => {
      const connection = await loadAll({
        first: kubeconfigOf({ user: { token: 'of-first' } }),
        second: kubeconfigOf({
          cluster: { server: 'https://127.0.0.1:1', 'insecure-skip-tls-verify': true },
          user: { token: 'of-second', as: 'somebody' },
          context: { namespace: 'of-second' },
        }),
      })
      expect(connection).to.include({ url: 'https://127.0.0.1:6443/prefix', namespace: 'default' })
      const { tls, headers } = await connection.credentials()
      expect(headers).to.deep.equal(bearer('of-first'))
      expect(tls.rejectUnauthorized).not.to.equal(false)
    })

    it('does without one that is missing', async () => {
      const connection = await loadAll({ missing: null, first: kubeconfigOf({ user: { token: 'of-first' } }) })
      expect(tokenOf(await connection.credentials())).to.equal('of-first')
    })

    it('does not exist when all are missing, rather than to look elsewhere', async () => {
      const failure = await failureOf(loadAll({ missing: null, 'missing-too': null }))
      expect(failure).to.be.instanceOf(NoConnection)
      expect(failure.message).to.equal('the kubeconfig cannot be read: no file that KUBECONFIG names exists')
    })

    it('does not exist when one is there that cannot be read, or names a user twice', async () => {
      const twice = kubeconfigOf({}).replace('"users":[', '"users":[{"name":"u","user":{"token":"s3cret"}},')
      const why = { 'users: [': /unexpected end/i, [renamed(twice)]: /Duplicate user: other-u$/ }
      for (const [second, reason] of Object.entries(why)) {
        const failure = await failureOf(loadAll({ first: kubeconfigOf({}), second }))
        expect(failure).to.be.instanceOf(NoConnection)
        expect(failure.message)
          .to.match(/^the kubeconfig cannot be read: /)
          .and.to.match(reason)
      }
    })
  })

  describe('with files', () => {
    it('reads a token, without the newline at its end, from the file of a pod or of a tokenFile, which goes before token', async () => {
      const tokenFile = await write('token', 'of-the-file\n')
      const provider = { name: 'tokenFile', config: { tokenFile } }
      expect(await headersOf({ 'auth-provider': provider })).to.deep.equal(bearer('of-the-file'))
      expect(await headersOf({ tokenFile })).to.deep.equal(bearer('of-the-file'))
      expect(await headersOf({ tokenFile: 'token', token: 'of-the-config' })).to.deep.equal(bearer('of-the-file'))
    })

    it('reads a rotated token ten seconds later at most', async () => {
      await write('token', 'first')
      const connection = await load({ user: { tokenFile: 'token' } })
      expect(tokenOf(await connection.credentials())).to.equal('first')
      await write('token', 'second')
      await clock.advance(9_999)
      expect(tokenOf(await connection.credentials())).to.equal('first')
      await clock.advance(1)
      expect(tokenOf(await connection.credentials())).to.equal('second')
    })

    it('reads a certificate again when it was rotated, ten seconds later at most', async () => {
      const ca = await write('ca.pem', old.cert)
      const connection = await load({ cluster: { 'certificate-authority': ca } })
      const { tls } = await connection.credentials()
      await write('ca.pem', renewed.cert)
      await clock.advance(9_999)
      expect((await connection.credentials()).tls).to.equal(tls)
      await clock.advance(1)
      expect(String((await connection.credentials()).tls.ca)).to.equal(renewed.cert)
    })

    it('does not mind that the wall clock is set back', async () => {
      await write('token', 'first')
      const connection = await load({ user: { tokenFile: 'token' } })
      await connection.credentials()
      await write('token', 'second')
      clock.jump(-3_600_000)
      await clock.advance(10_000)
      expect(tokenOf(await connection.credentials())).to.equal('second')
    })

    it('returns the very same TLS options as long as nothing has changed', async () => {
      const connection = await load({ cluster: { 'certificate-authority-data': base64(old.cert) } })
      const { tls } = await connection.credentials()
      await clock.advance(60_000)
      expect((await connection.credentials()).tls).to.equal(tls)
      connection.renew()
      expect((await connection.credentials()).tls).to.equal(tls)
    })

    const spoilt: readonly { readonly what: string; readonly file: string; readonly content: string | null }[] = [
      { what: 'a token file that is gone', file: 'token', content: null },
      { what: 'a token file that is empty', file: 'token', content: '\n' },
      { what: 'a CA file that is gone', file: 'ca.pem', content: null },
      { what: 'a certificate that is cut off', file: 'cert.pem', content: old.cert.slice(0, 100) },
      { what: 'a certificate without its key', file: 'cert.pem', content: renewed.cert },
    ]
    for (const { what, file, content } of spoilt) {
      it(`holds on to what it has while it finds ${what}, and looks again ten seconds later`, async () => {
        await Promise.all([
          write('token', 'first'),
          write('ca.pem', old.cert),
          write('cert.pem', old.cert),
          write('key.pem', old.key),
        ])
        const connection = await load({
          cluster: { 'certificate-authority': 'ca.pem' },
          user: { tokenFile: 'token', 'client-certificate': 'cert.pem', 'client-key': 'key.pem' },
        })
        const before = await connection.credentials()
        if (content === null) await rm(join(directory, file))
        else await write(file, content)
        await clock.advance(10_000)
        expect(await connection.credentials()).to.deep.equal(before)
        await Promise.all([
          write('token', 'second'),
          write('ca.pem', renewed.cert),
          write('cert.pem', renewed.cert),
          write('key.pem', renewed.key),
        ])
        await clock.advance(9_999)
        expect(await connection.credentials()).to.deep.equal(before)
        await clock.advance(1)
        const after = await connection.credentials()
        expect([after.tls.ca, after.tls.cert, after.tls.key].map(String)).to.deep.equal([
          renewed.cert,
          renewed.cert,
          renewed.key,
        ])
        expect(tokenOf(after)).to.equal('second')
      })
    }

    it('fails while there has been nothing to hold on to, and looks again a second later', async () => {
      const connection = await load({ user: { tokenFile: 'token' } })
      expect((await failureOf(connection.credentials())).message).to.match(/^ENOENT: .*token/)
      await write('token', 'there')
      await clock.advance(999)
      await failureOf(connection.credentials())
      await clock.advance(1)
      expect(tokenOf(await connection.credentials())).to.equal('there')
    })
  })

  describe('when renewed', () => {
    it('reads kubeconfig and files anew with the next credentials', async () => {
      await write('token', 'first')
      const connection = await load({ user: { tokenFile: 'token' } })
      await connection.credentials()
      await write('token', 'second')
      connection.renew()
      expect(tokenOf(await connection.credentials())).to.equal('second')
      await clock.advance(1_000)
      await load({ user: { token: 'inline' } })
      connection.renew()
      expect(tokenOf(await connection.credentials())).to.equal('inline')
    })

    it('does so once a second however often it is told to', async () => {
      const connection = await load({ user: { token: 'first' } })
      await connection.credentials()
      await load({ user: { token: 'second' } })
      connection.renew()
      expect(tokenOf(await connection.credentials())).to.equal('second')
      await load({ user: { token: 'third' } })
      await clock.advance(999)
      connection.renew()
      expect(tokenOf(await connection.credentials())).to.equal('second')
      await clock.advance(1)
      connection.renew()
      expect(tokenOf(await connection.credentials())).to.equal('third')
    })

    const unusable: readonly { readonly what: string; readonly text: string }[] = [
      { what: 'is cut off', text: kubeconfigOf({ user: { token: 'second' } }).slice(0, -10) },
      { what: 'is empty', text: '' },
      { what: 'names another server', text: kubeconfigOf({ cluster: { server: 'https://127.0.0.2:6443' } }) },
      { what: 'has lost the context', text: kubeconfigOf({}).replaceAll('"x"', '"other"') },
      { what: 'has lost the user', text: kubeconfigOf({ context: { user: 'nobody' } }) },
      { what: 'has a user without credentials', text: kubeconfigOf({ user: {} }) },
    ]
    for (const { what, text } of unusable) {
      it(`holds on to what it has when the kubeconfig ${what}, and looks again ten seconds later`, async () => {
        const connection = await load({ user: { token: 'first' } })
        await connection.credentials()
        await write('config', text)
        connection.renew()
        expect(tokenOf(await connection.credentials())).to.equal('first')
        await load({ user: { token: 'second' } })
        await clock.advance(9_999)
        expect(tokenOf(await connection.credentials())).to.equal('first')
        await clock.advance(1)
        expect(tokenOf(await connection.credentials())).to.equal('second')
      })
    }

    it('stays with its context when another becomes the current one', async () => {
      const connection = await load({ user: { token: 'first' } })
      const config = JSON.parse(kubeconfigOf({ user: { token: 'second' } })) as Record<string, object[]>
      config['users']?.push({ name: 'v', user: { token: 'of-another-user' } })
      config['contexts']?.push({ name: 'y', context: { cluster: 'c', user: 'v' } })
      await write('config', JSON.stringify({ ...config, 'current-context': 'y' }))
      connection.renew()
      expect(tokenOf(await connection.credentials())).to.equal('second')
    })
  })

  describe('with an exec plugin', () => {
    let runs: string

    beforeEach(() => {
      runs = join(directory, 'runs')
    })

    /** Notes each run, and does what the file `plugin` says then. */
    async function plugin(script: string): Promise<object> {
      const path = await write('plugin', script)
      return { exec: { apiVersion, command: 'sh', args: ['-c', `echo once >> ${runs}; . ${path}`] } }
    }

    const timesRun = async (): Promise<number> => (await readFile(runs, 'utf8')).split('once').length - 1

    it('sends the token that it prints, and connects with its certificate', async () => {
      const status = { token: 'fresh', clientCertificateData: old.cert, clientKeyData: old.key }
      const { headers, tls } = await (await load({ user: await plugin(print(status)) })).credentials()
      expect(headers).to.deep.equal(bearer('fresh'))
      expect([tls.cert, tls.key]).to.deep.equal([old.cert, old.key])
    })

    it('tells it what it is asked for, along with the variables of the kubeconfig', async () => {
      const said = join(directory, 'said')
      const { exec } = (await plugin(`echo "$KUBERNETES_EXEC_INFO $OWN" > ${said}; ${print({ token: 't' })}`)) as {
        readonly exec: object
      }
      await headersOf({ exec: { ...exec, env: [{ name: 'OWN', value: 'of-the-config' }] } })
      expect(await readFile(said, 'utf8')).to.equal(
        `{"apiVersion":"${apiVersion}","kind":"ExecCredential","spec":{"interactive":false}} of-the-config\n`,
      )
    })

    it('runs it once for all who ask at the same time, and not again as long as its credential holds', async () => {
      const expirationTimestamp = new Date(clock.now() + 3_600_000).toISOString()
      const connection = await load({ user: await plugin(print({ token: 'first', expirationTimestamp })) })
      await Promise.all(Array.from({ length: 20 }, () => connection.credentials()))
      await plugin(print({ token: 'second' }))
      await clock.advance(3_598_000)
      expect(tokenOf(await connection.credentials())).to.equal('first')
      expect(await timesRun()).to.equal(1)
      await clock.advance(2_000)
      expect(tokenOf(await connection.credentials())).to.equal('second')
      await clock.advance(86_400_000)
      expect(tokenOf(await connection.credentials()), 'without an expirationTimestamp').to.equal('second')
      expect(await timesRun()).to.equal(2)
    })

    it('runs it at the moment when its credential is over, also within ten seconds', async () => {
      const expirationTimestamp = new Date(clock.now() + 3_000).toISOString()
      const connection = await load({ user: await plugin(print({ token: 'first', expirationTimestamp })) })
      await connection.credentials()
      await plugin(print({ token: 'second' }))
      await clock.advance(3_000)
      expect(tokenOf(await connection.credentials())).to.equal('second')
    })

    it('runs one whose credentials are over when they come once a second, not per call', async () => {
      const expirationTimestamp = new Date(clock.now() - 1).toISOString()
      const connection = await load({ user: await plugin(print({ token: 't', expirationTimestamp })) })
      for (let n = 0; n < 30; n++) {
        await connection.credentials()
        await clock.advance(100)
      }
      expect(await timesRun()).to.equal(3)
    })

    it('runs it again when renewed, once in a flood of renewals', async () => {
      const connection = await load({ user: await plugin(print({ token: 'revoked' })) })
      await connection.credentials()
      await plugin(print({ token: 'second' }))
      const refused = Array.from({ length: 50 }, async () => {
        connection.renew()
        return tokenOf(await connection.credentials())
      })
      expect(new Set(await Promise.all(refused))).to.deep.equal(new Set(['second']))
      expect(await timesRun()).to.equal(2)
    })

    it('runs it once a second at most while renewed without end', async () => {
      const connection = await load({ user: await plugin(print({ token: 'revoked' })) })
      await connection.credentials()
      for (let n = 0; n < 30; n++) {
        connection.renew()
        await connection.credentials()
        await clock.advance(100)
      }
      expect(await timesRun()).to.equal(1 + 3)
    })

    it('fails when it fails, and runs it again a second later', async () => {
      const connection = await load({ user: await plugin('echo log in first >&2; exit 1') })
      for (const times of [1, 2]) {
        for (let asked = 0; asked < 3; asked++) {
          const failure = await failureOf(connection.credentials())
          expect(failure.message).to.equal('the exec plugin sh ended with code 1: log in first')
        }
        expect(await timesRun()).to.equal(times)
        await clock.advance(1_000)
      }
    })

    it('holds on to a credential that is not over when a renewal fails', async () => {
      const expirationTimestamp = new Date(clock.now() + 5_000).toISOString()
      const connection = await load({ user: await plugin(print({ token: 'first', expirationTimestamp })) })
      await connection.credentials()
      await plugin('exit 1')
      connection.renew()
      expect(tokenOf(await connection.credentials())).to.equal('first')
      await clock.advance(5_000)
      expect((await failureOf(connection.credentials())).message).to.equal('the exec plugin sh ended with code 1')
    })

    it('gives it nothing to read, rather than to wait for an answer', async () => {
      const connection = await load({ user: await plugin(`cat; ${print({ token: 'unattended' })}`) })
      expect(tokenOf(await connection.credentials())).to.equal('unattended')
    })

    it('ends one that hangs after ten seconds, whatever it does about signals', async () => {
      const pid = join(directory, 'pid')
      const connection = await load({
        user: await plugin(`trap '' TERM; echo $$ > ${pid}; : > ${pid}.open; exec sleep 600`),
      })
      const failure = failureOf(connection.credentials())
      await eventually('it hangs', () => readFile(`${pid}.open`))
      await clock.advance(9_999)
      const process = Number(await readFile(pid, 'utf8'))
      expect(isAlive(process)).to.equal(true)
      await clock.advance(1)
      expect((await failure).message).to.equal('the exec plugin or auth-provider gave no answer within 10s')
      await eventually('it is gone', () => Promise.resolve(!isAlive(process) || undefined), 1_000)
    })

    const broken: readonly { readonly what: string; readonly script: string; readonly why: string }[] = [
      { what: 'prints no JSON', script: 'echo s3cret', why: 'printed no ExecCredential' },
      { what: 'prints null', script: 'echo null', why: 'printed no ExecCredential' },
      { what: 'prints something else', script: `echo '{"token":"s3cret"}'`, why: 'printed no ExecCredential' },
      { what: 'prints no status', script: `echo '{"kind":"ExecCredential"}'`, why: 'printed no ExecCredential' },
      { what: 'prints an empty token', script: print({ token: '' }), why: 'printed no ExecCredential' },
      {
        what: 'prints a certificate without its key',
        script: print({ clientCertificateData: 's3cret' }),
        why: 'printed no ExecCredential',
      },
      {
        what: 'prints a time that is none',
        script: print({ token: 's3cret', expirationTimestamp: 'tomorrow' }),
        why: 'printed no ExecCredential',
      },
      {
        what: 'fails after it has printed',
        script: 'echo s3cret; printf "\\033[31mno\\n\\ns3cret" >&2; exit 3',
        why: 'ended with code 3:  [31mno',
      },
      {
        what: 'fails with many words',
        script: 'printf "%0300d" 0 >&2; exit 1',
        why: `ended with code 1: ${'0'.repeat(200)}`,
      },
      { what: 'is killed', script: 'kill -9 $$', why: 'failed with SIGKILL' },
      { what: 'prints without end', script: 'yes s3cret', why: 'failed with ERR_CHILD_PROCESS_STDIO_MAXBUFFER' },
    ]
    for (const { what, script, why } of broken) {
      it(`fails when it ${what}, and does not repeat what may be a secret`, async () => {
        const failure = await failureOf((await load({ user: await plugin(script) })).credentials())
        expect(failure.message).to.equal(`the exec plugin sh ${why}`)
        expect(failure.cause, 'the cause').to.equal(undefined)
      })
    }

    it('runs one that is a path from where the kubeconfig is, wherever this process is, and a mere name from PATH', async () => {
      for (const path of ['plugin.sh', 'sh']) {
        await write(path, `#!/bin/sh\n${print({ token: `of-${path}` })}\n`)
        await chmod(join(directory, path), 0o700)
      }
      expect(await headersOf({ exec: { apiVersion, command: './plugin.sh' } })).to.deep.equal(bearer('of-plugin.sh'))
      const name = `../${basename(directory)}/sh`
      expect(await headersOf({ exec: { apiVersion, command: name } })).to.deep.equal(bearer('of-sh'))
      const args = ['-c', print({ token: 'of-the-path' })]
      expect(await headersOf({ exec: { apiVersion, command: 'sh', args } })).to.deep.equal(bearer('of-the-path'))
    })

    it('fails when there is no such command', async () => {
      const connection = await load({ user: { exec: { apiVersion, command: join(directory, 'absent') } } })
      const failure = await failureOf(connection.credentials())
      expect(failure.message).to.equal(`the exec plugin ${directory}/absent failed with ENOENT`)
    })
  })

  const anonymous: readonly { readonly what: string; readonly user: object }[] = [
    { what: 'nothing', user: {} },
    { what: 'an impersonation and nobody to do it', user: { as: 'somebody' } },
    { what: 'an auth-provider that nobody knows', user: { 'auth-provider': { name: 'unheard-of' } } },
  ]
  for (const { what, user } of anonymous) {
    it(`has no credentials for a user with ${what}, rather than to go on as nobody`, async () => {
      const failure = await failureOf((await load({ user })).credentials())
      expect(failure.message).to.equal('the kubeconfig gives the user no credentials that are supported')
    })
  }

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
    {
      what: 'no user',
      parts: { context: { user: 'other' } },
      why: 'the context of the kubeconfig has no user',
    },
    {
      what: 'a user who acts for groups, which would be left out',
      parts: { user: { token: 's3cret', as: 'ana', 'as-groups': ['ops'] } },
      why: 'as-groups of user u is not supported',
    },
    {
      what: 'a user whose exec plugin is to be told of the cluster',
      parts: { user: { exec: { apiVersion, command: 'sh', provideClusterInfo: true } } },
      why: 'exec.provideClusterInfo: true of user u is not supported',
    },
    {
      what: 'a user whose exec plugin needs somebody to type',
      parts: { user: { exec: { apiVersion, command: 'sh', interactiveMode: 'Always' } } },
      why: 'exec.interactiveMode: Always of user u is not supported',
    },
  ]
  for (const { what, parts, why } of unusable) {
    it(`does not exist for a kubeconfig with ${what}`, async () => {
      const failure = await failureOf(load(parts))
      expect(failure).to.be.instanceOf(NoConnection)
      expect(failure.message).to.contain(why)
    })
  }

  it('does not mind what is unsupported of a user who is not the one of its context', async () => {
    const other = '{"name":"v","user":{"token":"s3cret","as-groups":["ops"]}}'
    const connection = await loadConnection({
      kubeconfig: await write('config', kubeconfigOf({}).replace('"users":[', `"users":[${other},`)),
      clock,
    })
    expect(tokenOf(await connection.credentials())).to.equal('t0ken')
  })

  for (const interactiveMode of ['Never', 'IfAvailable']) {
    it(`runs an exec plugin with interactiveMode ${interactiveMode}`, async () => {
      const exec = { apiVersion, command: 'sh', args: ['-c', print({ token: 't' })], interactiveMode }
      expect(await headersOf({ exec: { ...exec, provideClusterInfo: false } })).to.deep.equal(bearer('t'))
    })
  }

  it('does not exist without a file, or with one that is no YAML, and does not quote it', async () => {
    for (const kubeconfig of [join(directory, 'absent'), await write('broken', 'users: s3cret\na: [')]) {
      const failure = await failureOf(loadConnection({ kubeconfig, clock }))
      expect(failure).to.be.instanceOf(NoConnection)
      expect(failure.message).to.match(/^the kubeconfig cannot be read: ./)
      expect(failure.message).not.to.contain('s3cret')
    }
  })
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
