import { generateKeyPairSync, sign } from 'node:crypto'
import type { CertificatePair } from '../../src/webhook/certificate.ts'

/** A fresh P-256 certificate for 127.0.0.1 that signs itself: it is its own CA. `commonName` tells one from another. */
export function selfSigned(commonName: string): CertificatePair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ecdsaWithSha256 = sequence(der(0x06, hex('2a8648ce3d040302')))
  const name = sequence(der(0x31, sequence(der(0x06, hex('550403')), der(0x0c, Buffer.from(commonName)))))
  const validity = sequence(...['250101000000Z', '491231235959Z'].map((time) => der(0x17, Buffer.from(time))))
  const loopback = der(0x87, Buffer.from([127, 0, 0, 1]))
  const subjectAltName = sequence(der(0x06, hex('551d11')), der(0x04, sequence(loopback)))
  const toBeSigned = sequence(
    der(0xa0, der(0x02, hex('02'))),
    der(0x02, hex('01')),
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(subjectAltName)),
  )
  const signature = der(0x03, Buffer.concat([hex('00'), sign('sha256', toBeSigned, privateKey)]))
  return {
    cert: pem('CERTIFICATE', sequence(toBeSigned, ecdsaWithSha256, signature)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  }
}

/** One ASN.1 value in DER. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

function sequence(...items: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(items))
}

function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex')
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').replaceAll(/(.{64})/g, '$1\n')
  return `-----BEGIN ${label}-----\n${lines.trimEnd()}\n-----END ${label}-----\n`
}
