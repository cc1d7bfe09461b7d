import type { NHIGrant } from '../../api/v1alpha1/objects.ts'
import { objectsOnRecord } from '../../core/grant/drift.ts'
import type { AccessObject } from '../../core/grant/record.ts'
import { parseInstant } from '../../core/time.ts'
import type { GrantCarrier } from './carrier.ts'
import type { CarrierName } from './carriers.ts'
import type { GrantStore } from './grant-store.ts'
import { manifestOf } from './manifests.ts'
import { boundSubjectOf, policyNamedBy } from './named-in-spec.ts'

/** An object that must be there while a grant is Active. */
export interface WantedObject extends CarrierName {
  /** Of the one that was created last. */
  readonly uid: string
  readonly manifest: GrantCarrier
}

/** What was created for an Active grant that can be parsed, as it was created. What cannot be worked out any more is left out: it is not touched. */
export function wantedObjects(grant: NHIGrant, store: Pick<GrantStore, 'world' | 'rolesOf'>): readonly WantedObject[] {
  const created = (grant.status?.objects ?? []).flatMap(({ kind, name, uid }) =>
    uid !== undefined && (kind === 'Role' || kind === 'RoleBinding' || kind === 'ClusterRoleBinding')
      ? [{ kind, name, uid }]
      : [],
  )
  const { policy: issued, notAfter: text = '', rules = [] } = grant.status ?? {}
  const { version = '', digest = '' } = issued ?? {}
  const name = policyNamedBy(grant)
  const spec = { permissions: grant.spec.permissions ?? [], rules: grant.spec.rules ?? [] }
  const notAfter = parseInstant(text)
  const policy = store.world.policy(name)
  if (created.length === 0 || notAfter === null || policy === null || policy.digest !== digest) return []
  const roles = store.rolesOf(name, version, digest)
  const record = { policy: { name, version, digest }, notAfter }
  const sets = { sets: policy.permissions, roles }
  const objects = objectsOnRecord({ objects: created, rules }, grant.metadata.uid, spec, sets)
  return objects.map((object): WantedObject => {
    const manifest = manifestOf(grant, record, boundSubjectOf(grant), object) as GrantCarrier
    return { ...nameOf(grant, object), uid: created.find((each) => isSame(each, object))?.uid ?? '', manifest }
  })
}

function nameOf(grant: NHIGrant, { kind, name }: AccessObject): CarrierName {
  return { kind, namespace: grant.metadata.namespace ?? '', name }
}

function isSame(a: { readonly kind: string; readonly name: string }, b: AccessObject): boolean {
  return a.kind === b.kind && a.name === b.name
}
