import { marks, type ObjectMeta } from '../../api/v1alpha1/objects.ts'
import type { KubeObject, MetadataOnly } from '../../cluster/ports.ts'
import type { CarrierFacts } from '../../core/grant/drift.ts'
import type { RoleRef } from '../../core/rbac/objects.ts'
import type { PolicyRule } from '../../core/rbac/rule.ts'
import type { RbacSubject } from '../../core/rbac/subject.ts'

/** A Role or RoleBinding that carries a grant, as a cache keeps it: without what is not compared. */
export interface GrantCarrier extends MetadataOnly {
  readonly subjects?: readonly RbacSubject[] | null
  readonly roleRef?: RoleRef
  /** null: the API server's way to write an empty list. */
  readonly rules?: readonly PolicyRule[] | null
}

export function carrierOf(object: KubeObject): GrantCarrier {
  const { name, namespace, uid, resourceVersion, deletionTimestamp, labels, ownerReferences } = object.metadata
  const notAfter = object.metadata.annotations?.[marks.notAfter]
  const metadata: ObjectMeta = {
    name,
    ...(namespace !== undefined && { namespace }),
    uid,
    resourceVersion,
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    ...(labels !== undefined && { labels }),
    ...(notAfter !== undefined && { annotations: { [marks.notAfter]: notAfter } }),
    ...(ownerReferences !== undefined && { ownerReferences }),
  }
  const { subjects, roleRef, rules } = object as GrantCarrier
  return {
    metadata,
    ...(subjects !== undefined && { subjects }),
    ...(roleRef !== undefined && { roleRef }),
    ...(rules !== undefined && { rules }),
  }
}

/** What a manifest says that is to be created, or an object that is there. */
export function factsOf({ metadata, subjects, roleRef, rules }: GrantCarrier): CarrierFacts {
  return {
    subjects: (subjects ?? []).map(({ kind, name, namespace }) => ({
      kind,
      name,
      ...(namespace !== undefined && { namespace }),
    })),
    roleRef: roleRef === undefined ? null : { kind: roleRef.kind, name: roleRef.name },
    rules: rules ?? [],
    owners: (metadata.ownerReferences ?? []).map(({ uid, controller = false, blockOwnerDeletion = false }) => ({
      uid,
      controller,
      blocks: blockOwnerDeletion,
    })),
    labels: metadata.labels ?? {},
    notAfter: metadata.annotations?.[marks.notAfter] ?? null,
  }
}
