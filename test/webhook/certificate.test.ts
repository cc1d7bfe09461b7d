import { mkdtemp, rename, rm, symlink, writeFile, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { silentLog, type Log } from '../../src/runtime/log.ts'
import { CertificateWatch, readCertificate, type CertificatePair } from '../../src/webhook/certificate.ts'
import { eventually } from '../support/eventually.ts'
import { FakeClock } from '../support/fake-clock.ts'

const old: CertificatePair = { cert: 'old cert', key: 'old key' }
const renewed: CertificatePair = { cert: 'new cert', key: 'new key' }

describe('CertificateWatch', () => {
  let directory: string
  let clock: FakeClock
  let installed: CertificatePair[]
  let told: string[]
  let watch: CertificateWatch

  /** As a kubelet does it: a new directory, and a link that turns to it at once. */
  async function mount(name: string, { cert, key }: CertificatePair): Promise<void> {
    await mkdir(join(directory, name))
    await writeFile(join(directory, name, 'tls.crt'), cert)
    await writeFile(join(directory, name, 'tls.key'), key)
    await symlink(name, join(directory, '..data_tmp'))
    await rename(join(directory, '..data_tmp'), join(directory, '..data'))
  }

  /** One look at the files, to its end: the next one is planned then. */
  async function look(): Promise<void> {
    await clock.advance(5_000)
    await eventually('the next look is planned', () => Promise.resolve(clock.pending === 1 || undefined))
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lapse-tls-'))
    await mount('..1', old)
    for (const name of ['tls.crt', 'tls.key']) await symlink(join('..data', name), join(directory, name))
    clock = new FakeClock()
    installed = []
    told = []
    const log: Log = {
      ...silentLog,
      info: (message) => void told.push(message),
      error: (message) => void told.push(message),
    }
    const install = (pair: CertificatePair): void => {
      if (pair.key === 'wrong key') throw new Error('key values mismatch')
      installed.push(pair)
    }
    watch = new CertificateWatch({ directory, current: await readCertificate(directory), install, clock, log })
    watch.start()
  })
  afterEach(async () => {
    watch.stop()
    await rm(directory, { recursive: true })
  })

  it('leaves a certificate that did not change alone', async () => {
    await look()
    await look()
    expect(installed).to.deep.equal([])
    expect(told).to.deep.equal([])
  })

  it('installs a renewed certificate once', async () => {
    await mount('..2', renewed)
    await look()
    await look()
    expect(installed).to.deep.equal([renewed])
    expect(told).to.deep.equal(['certificate renewed'])
  })

  it('says once that a pair is not usable, and takes the next good one', async () => {
    await mount('..2', { cert: 'new cert', key: 'wrong key' })
    await look()
    await look()
    expect(installed).to.deep.equal([])
    expect(told).to.deep.equal(['certificate not usable; the last good one stays'])
    await mount('..3', renewed)
    await look()
    expect(installed).to.deep.equal([renewed])
  })

  it('outlives the loss of its files', async () => {
    await rm(join(directory, 'tls.key'))
    await look()
    await look()
    expect(told).to.deep.equal(['certificate not usable; the last good one stays'])
  })

  it('looks no more once it is stopped', async () => {
    watch.stop()
    await mount('..2', renewed)
    await clock.advance(60_000)
    expect(installed).to.deep.equal([])
    expect(clock.pending).to.equal(0)
  })
})
