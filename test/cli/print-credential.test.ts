import { KubeConfig } from '@kubernetes/client-node'
import { expect } from 'chai'
import { grantRow } from '../../src/cli/grant-row.ts'
import { printCredential } from '../../src/cli/print-credential.ts'
import type { CredentialForm } from '../../src/cli/request-args.ts'
import type { KubeObject } from '../../src/cluster/ports.ts'
import { storedGrant } from './stored-grant.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const grant = grantRow(storedGrant({ spec: { credential: { secretName: 'own' } } }))

async function print(form: CredentialForm, data: object | null) {
  const asked: string[] = []
  const metadata = { name: 'own', uid: 's1', resourceVersion: '1' }
  const session = {
    client: {
      get: async (_: unknown, { namespace, name }: { readonly namespace: string; readonly name: string }) => {
        asked.push(`${namespace}/${name}`)
        return data === null ? null : ({ metadata, data } satisfies KubeObject)
      },
    },
    connection: {
      url: 'https://127.0.0.1:6443/prefix',
      credentials: async () => ({ tls: { ca: 'the CA', key: 'my own' }, headers: { Authorization: 'Bearer my-own' } }),
    },
  }
  const written = { stdout: '', stderr: '' }
  const output = (stream: keyof typeof written) => ({
    write: (text: string) => void (written[stream] += text),
    isTerminal: false,
  })
  const code = await printCredential(grant, form, session, { stdout: output('stdout'), stderr: output('stderr') })
  return { code, asked, ...written }
}

describe('lapse request --print-credential', () => {
  it('prints the token of the Secret, and nothing else', async () => {
    expect(await print('token', { token: base64('the-token') })).to.deep.equal({
      code: 0,
      asked: ['payments/own'],
      stdout: 'the-token\n',
      stderr: '',
    })
  })

  it('prints a kubeconfig for the server that was asked, with nothing of who asked', async () => {
    const { code, stdout, stderr } = await print('kubeconfig', { token: base64('the-token') })
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' })
    expect(stdout).to.not.match(/my.own/)
    const config = new KubeConfig()
    config.loadFromString(stdout)
    expect(config.getCurrentCluster()).to.include({ server: 'https://127.0.0.1:6443/prefix', caData: base64('the CA') })
    expect(config.getCurrentUser()?.token).to.equal('the-token')
    expect(config.getContextObject(config.getCurrentContext())?.namespace).to.equal('payments')
  })

  for (const [sentence, data] of [
    ['there is no Secret', null],
    ['it holds no token', {}],
  ] as const) {
    it(`says so when ${sentence}`, async () => {
      expect(await print('token', data)).to.include({
        code: 1,
        stdout: '',
        stderr: 'lapse request: Secret payments/own holds no token\n',
      })
    })
  }
})
