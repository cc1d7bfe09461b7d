import { isObject, type JsonObject } from '../api/validate.ts'

/**
 * Owners that an object has and had not, such as `ConfigMap x`. What an owner that is gone leaves is deleted by the garbage collector,
 * whom no webhook stops: who adds an owner can delete.
 */
export function addedOwners(before: JsonObject | null, after: JsonObject | null): readonly string[] {
  const known = new Set(ownersOf(before).map(identityOf))
  return ownersOf(after)
    .filter((owner) => !known.has(identityOf(owner)))
    .map(({ kind, name }) => `${String(kind)} ${String(name)}`)
}

function ownersOf(object: JsonObject | null): readonly JsonObject[] {
  const metadata = object?.['metadata']
  const owners = isObject(metadata) ? metadata['ownerReferences'] : undefined
  return Array.isArray(owners) ? owners.filter(isObject) : []
}

function identityOf({ apiVersion, kind, name, uid }: JsonObject): string {
  return JSON.stringify([apiVersion, kind, name, uid])
}
