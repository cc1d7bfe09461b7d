import { expect } from 'chai'
import type { CertificatePair } from '../../src/webhook/certificate.ts'
import { ServingCertificate } from '../../src/webhook/serving-certificate.ts'
import { FakeClock } from '../support/fake-clock.ts'

/** From 2026-11-21T11:05:45Z to 2026-12-22T11:05:45Z. Its key is nowhere. */
const month = `-----BEGIN CERTIFICATE-----
MIIBczCCARmgAwIBAgIUfAD8jJUgMpymoeYqo6ZkAUqJ4IswCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAeFw0yNjExMjExMTA1NDVaFw0yNjEyMjIxMTA1NDVa
MA8xDTALBgNVBAMMBHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQnPzQ4
Q/ESD1fb/pu1pZF22Ag3wuXi2i2WOirWpspWr4aDjmdFk+zNm6+9tGRcRVhHZ+v6
mXgSP/pJ9Z4kReNuo1MwUTAdBgNVHQ4EFgQUaJ0fsF+Ga2J+/N3qofUb3FG/lXcw
HwYDVR0jBBgwFoAUaJ0fsF+Ga2J+/N3qofUb3FG/lXcwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNIADBFAiEA55qI9rU8DKr0QvW5e3xeOvcAkVjwLu/bLRe6
xeNZeiACIHeHkThRy9hnzwmLn4VKiUhjlklA2PxIG2/VYd16iQXE
-----END CERTIFICATE-----
`
const begin = Date.UTC(2026, 10, 21, 11, 5, 45)
const end = Date.UTC(2026, 11, 22, 11, 5, 45)

describe('the serving certificate', () => {
  const pair: CertificatePair = { cert: month, key: 'any' }
  const installed: CertificatePair[] = []
  const server = {
    replaceCertificate: (replacement: CertificatePair): void => {
      if (replacement.key === 'wrong') throw new Error('key values mismatch')
      installed.push(replacement)
    },
  }

  for (const [when, at, valid] of [
    ['before its time', begin - 1, false],
    ['from its first instant on', begin, true],
    ['in its last millisecond', end - 1, true],
    ['at its end', end, false],
  ] as const) {
    it(`is ${valid ? '' : 'not '}good ${when}`, () => {
      const serving = new ServingCertificate(server, pair, new FakeClock(at))
      expect(serving.isValid).to.equal(valid)
      expect(serving.notAfter).to.equal(end)
    })
  }

  it('is handed to the server when it is replaced, and not before it is known to be one', () => {
    const serving = new ServingCertificate(server, pair, new FakeClock(begin))
    expect(() => serving.replace({ cert: 'no certificate', key: 'any' })).to.throw(/PEM/)
    expect(() => serving.replace({ cert: month, key: 'wrong' })).to.throw('key values mismatch')
    expect(installed).to.deep.equal([])
    serving.replace(pair)
    expect(installed).to.deep.equal([pair])
    expect(serving.isValid).to.equal(true)
  })
})
