import { expect } from 'chai'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { podAccount, type PodAccount } from '../../src/cluster/pod-account.ts'

const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' }
const files = { 'ca.crt': 'a certificate', token: 't0ken\n', namespace: 'lapse-system' }

describe('the account of a pod', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lapse-pod-'))
    await Promise.all(Object.entries(files).map(([name, text]) => write(name, text)))
  })
  afterEach(() => rm(directory, { recursive: true }))

  const write = (name: string, text: string): Promise<void> => writeFile(join(directory, name), text)

  async function account(variables: Readonly<Record<string, string>> = env): Promise<PodAccount> {
    const found = await podAccount({ env: variables, directory })
    if (found === null) throw new Error('there is none')
    return found
  }

  it('is told by the files and variables of the kubelet', async () => {
    const found = await account()
    expect(found).to.include({ url: 'https://10.0.0.1:443', namespace: 'lapse-system' })
    expect(await found.read()).to.deep.equal({
      credentials: {
        tls: { ca: Buffer.from('a certificate'), rejectUnauthorized: true },
        headers: { Authorization: 'Bearer t0ken' },
      },
      expires: Infinity,
    })
  })

  it('has an address of six in brackets', async () => {
    expect(await account({ ...env, KUBERNETES_SERVICE_HOST: 'fd00::1' })).to.include({ url: 'https://[fd00::1]:443' })
  })

  it('has the namespace that its files name, or says that they name none', async () => {
    await rm(join(directory, 'namespace'))
    expect(await account()).to.include({ namespace: '' })
  })

  it('has the token that is there when it is asked for', async () => {
    const found = await account()
    await write('token', 'rotated')
    const { credentials } = await found.read()
    expect(credentials.headers).to.deep.equal({ Authorization: 'Bearer rotated' })
  })

  for (const [what, spoil] of [
    ['an empty token', () => write('token', '\n')],
    ['no token any more', () => rm(join(directory, 'token'))],
    ['no certificate', () => rm(join(directory, 'ca.crt'))],
  ] as const)
    it(`cannot be read with ${what}, rather than to go on as nobody`, async () => {
      const found = await account()
      await spoil()
      const failure = await found.read().then(
        () => null,
        (error: unknown) => (error as Error).message,
      )
      expect(failure).to.match(/token is empty|no such file/)
    })

  for (const [what, variables] of [
    ['no address', {}],
    ['no port', { KUBERNETES_SERVICE_HOST: '10.0.0.1' }],
  ] as const)
    it(`is not there with ${what}`, async () => {
      expect(await podAccount({ env: variables, directory })).to.equal(null)
    })

  it('is not there without a token', async () => {
    await rm(join(directory, 'token'))
    expect(await podAccount({ env, directory })).to.equal(null)
  })
})
