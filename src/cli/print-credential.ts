import { dump } from 'js-yaml'
import type { ResourceType } from '../cluster/resources.ts'
import type { ClusterSession } from './cluster-session.ts'
import { exitCodes, type CommandIo } from './command.ts'
import { grantName, type GrantRow } from './grant-row.ts'
import type { CredentialForm } from './request-args.ts'

const secrets: ResourceType = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true }

/** What of a session it takes. */
export interface CredentialSession {
  readonly client: Pick<ClusterSession['client'], 'get'>
  readonly connection: Pick<ClusterSession['connection'], 'url' | 'credentials'>
}

/** Prints what the Secret of an Active grant holds, to stdout and nowhere else. Throws ClusterError. */
export async function printCredential(
  row: GrantRow,
  form: CredentialForm,
  session: CredentialSession,
  io: Pick<CommandIo, 'stdout' | 'stderr'>,
): Promise<number> {
  const name = row.spec.credential?.secretName ?? ''
  const secret = await session.client.get(secrets, { namespace: row.namespace, name })
  const data = (secret?.['data'] ?? {}) as Readonly<Record<string, string>>
  if (data['token'] === undefined) {
    io.stderr.write(`lapse request: Secret ${row.namespace}/${name} holds no token\n`)
    return exitCodes.refused
  }
  const token = Buffer.from(data['token'], 'base64').toString()
  io.stdout.write(form === 'token' ? `${token}\n` : await kubeconfigOf(row, token, session))
  return exitCodes.ok
}

/** For the API server as this kubeconfig reaches it, whatever it is called inside the cluster. */
async function kubeconfigOf(row: GrantRow, token: string, { connection }: CredentialSession): Promise<string> {
  const { ca, servername, rejectUnauthorized } = (await connection.credentials()).tls
  const name = grantName(row)
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: {
          server: connection.url,
          ...(ca !== undefined && { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
          ...(servername !== undefined && { 'tls-server-name': servername }),
          ...(rejectUnauthorized === false && { 'insecure-skip-tls-verify': true }),
        },
      },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: row.namespace } }],
    'current-context': name,
  })
}
