import type { NHIGrantStatus } from '../../api/v1alpha1/nhi-grant-status.schema.ts'
import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import { Conflict } from '../../cluster/errors.ts'
import type { KubeObject } from '../../cluster/ports.ts'
import { resources } from '../../cluster/resources.ts'
import { ownAccountOf, shortestToken } from '../../core/grant/credential.ts'
import type { GrantRecord, ManagedObject } from '../../core/grant/record.ts'
import { parseInstant, type Instant, type Millis } from '../../core/time.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { ObjectCalls } from './calls-until.ts'
import { manifestOf } from './manifests.ts'
import { boundSubjectOf } from './named-in-spec.ts'
import { createObjects, isObstacle, type CreatedUids, type Obstacle } from './objects.ts'
import { uidsStatus } from './status.ts'

/** What was created for a grant. */
export interface Carried {
  /** As it is after what was written on the way. */
  readonly grant: NHIGrant
  readonly uids: CreatedUids
  /** When its token dies by itself; null: it has none. */
  readonly tokenExpiresAt: Instant | null
}

export interface CarryingOut {
  readonly calls: ObjectCalls
  readonly clock: Pick<Clock, 'now'>
  readonly report: (grant: NHIGrant, status: NHIGrantStatus) => Promise<NHIGrant>
}

type SecretObject = Extract<ManagedObject, { kind: 'Secret' }>

/** A token lives from the moment at which the API server makes it: for so long the request may be on its way. */
const onTheWay: Millis = 1_000

/** Creates what carries a grant whose record is written, and then its credential, if it asks for one. */
export async function carryOut(grant: NHIGrant, record: GrantRecord, means: CarryingOut): Promise<Carried | Obstacle> {
  const uids = await createObjects(means.calls, grant, record, boundSubjectOf(grant))
  if (isObstacle(uids)) return uids
  const secret = record.objects.find((object) => object.kind === 'Secret')
  if (secret === undefined) return { grant, uids, tokenExpiresAt: null }
  const created = await createSecret(grant, record, secret, means.calls)
  if (isObstacle(created)) return created
  const all = new Map([...uids, [`Secret/${secret.name}`, created.metadata.uid] as const])
  // Without its UID on record, nobody who may not read Secrets could tell it from another of its name.
  const known = await means.report(grant, uidsStatus(grant, all))
  const tokenExpiresAt = await fill(known, record, created, means)
  return typeof tokenExpiresAt === 'number' ? { grant: known, uids: all, tokenExpiresAt } : tokenExpiresAt
}

/** Empty. One of an earlier try goes first, and with it the token that it may hold. */
async function createSecret(
  grant: NHIGrant,
  record: GrantRecord,
  secret: SecretObject,
  calls: ObjectCalls,
): Promise<KubeObject | Obstacle> {
  const key = { namespace: grant.metadata.namespace ?? '', name: secret.name }
  const earlier = (grant.status?.objects ?? []).find(({ kind, name }) => kind === 'Secret' && name === secret.name)?.uid
  try {
    if (earlier !== undefined) await calls.delete(resources.secrets, key, { uid: earlier })
    return await calls.create(resources.secrets, manifestOf(grant, record, boundSubjectOf(grant), secret))
  } catch (error) {
    if (!(error instanceof Conflict)) throw error
    const message = `Secret ${secret.name} exists already; whose it is the operator cannot see: name another one`
    return { reason: 'ObjectNotOurs', message }
  }
}

/** Resolves with the instant at which the token dies by itself. The token goes into the Secret, and nowhere else. */
async function fill(
  grant: NHIGrant,
  record: GrantRecord,
  secret: KubeObject,
  { calls, clock }: CarryingOut,
): Promise<Instant | Obstacle> {
  const { namespace = '', uid } = grant.metadata
  const expirationSeconds = Math.floor((record.notAfter - clock.now() - onTheWay) / 1_000)
  if (expirationSeconds * 1_000 < shortestToken)
    return {
      reason: 'CredentialTooShort',
      message: 'too little was left of the grant for a token when it was to be issued',
    }
  const audiences = grant.spec.credential?.audiences ?? []
  const boundObjectRef = { apiVersion: 'v1', kind: 'Secret', name: secret.metadata.name, uid: secret.metadata.uid }
  const asked = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences, expirationSeconds, boundObjectRef },
  }
  const account = { namespace, name: ownAccountOf(uid) }
  const answer = await calls.createSubresource(resources.serviceAccounts, account, 'token', asked)
  const { token, expirationTimestamp = '' } = (answer['status'] ?? {}) as TokenStatus
  const expiresAt = parseInstant(expirationTimestamp)
  if (token === undefined || expiresAt === null) throw new Error('the API server answered without a token')
  // thrown away with its Secret, which the next try replaces
  if (expiresAt > record.notAfter) throw new Error('the token would have outlived the grant')
  const data = { token: Buffer.from(token).toString('base64') }
  await calls.replace(resources.secrets, { ...secret, data, immutable: true })
  return expiresAt
}

interface TokenStatus {
  readonly token?: string
  readonly expirationTimestamp?: string
}
