import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import type { Reading } from './credential-holder.ts'

/** The ServiceAccount of the pod that this process runs in, by the files and variables that a kubelet provides. */
export interface PodAccount {
  readonly url: string
  /** Empty: it is not told. */
  readonly namespace: string
  /** As the files are now. Rejects when one cannot be read or the token is empty. */
  read(): Promise<Reading>
}

export interface PodFiles {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly directory: string
}

const ofThisPod: PodFiles = { env: process.env, directory: '/var/run/secrets/kubernetes.io/serviceaccount' }

/** null: this process runs in no pod that has an account. */
export async function podAccount({ env, directory }: PodFiles = ofThisPod): Promise<PodAccount | null> {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = env
  const files = { ca: join(directory, 'ca.crt'), token: join(directory, 'token') }
  if (host === '' || port === '' || !existsSync(files.token)) return null
  return {
    url: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    namespace: await readFile(join(directory, 'namespace'), 'utf8').then(
      (text) => text.trim(),
      () => '',
    ),
    async read() {
      const [ca, token] = await Promise.all([readFile(files.ca), readToken(files.token)])
      const headers = { Authorization: `Bearer ${token}` }
      return { credentials: { tls: { ca, rejectUnauthorized: true }, headers }, expires: Infinity }
    },
  }
}

export async function readToken(path: string): Promise<string> {
  // a token file usually ends in a newline, which no header may hold
  const token = (await readFile(path, 'utf8')).trim()
  if (token === '') throw new Error(`${path} is empty`)
  return token
}
