import type { NHIGrant } from '../api/v1alpha1/objects.ts'
import type { Change, ObjectKey } from '../cluster/ports.ts'
import { Groups } from '../core/groups.ts'
import type { Identity } from '../core/identity.ts'
import { canonicalIdentity } from '../core/policy/select.ts'
import { boundSubjectOf, policyNamedBy, subjectOf } from './nhi-grant/named-in-spec.ts'

/** The objects that a grant depends on. An account is a ServiceAccount; a namespace is the grant's own or its account's. */
type Relation = 'policy' | 'namespace' | 'subject'

/** Which grants a change of something else concerns, without a look at all of them. Exact: it knows what a cache of grants holds. */
export class GrantIndex {
  /** By relation and name, then by the grant's own key. */
  readonly #related = new Groups<ObjectKey>()

  /** Takes in a change that a cache has seen. */
  apply({ key, before, after }: Change<NHIGrant>): void {
    if (before !== null) for (const relation of relationsOf(key, before)) this.#related.remove(relation, idOf(key))
    if (after !== null) for (const relation of relationsOf(key, after)) this.#related.put(relation, idOf(key), key)
  }

  ofPolicy(name: string): readonly ObjectKey[] {
    return this.#related.of(relationTo('policy', '', name))
  }

  /** Those that are in it, and those for a ServiceAccount of it. */
  ofNamespace(name: string): readonly ObjectKey[] {
    return this.#related.of(relationTo('namespace', '', name))
  }

  /** Those for that ServiceAccount, also where it is spelled as a User, or whose own it is. */
  ofAccount({ namespace, name }: ObjectKey): readonly ObjectKey[] {
    return this.ofSubject({ kind: 'ServiceAccount', namespace, name })
  }

  /** Those for that subject, however it is spelled. */
  ofSubject(subject: Identity): readonly ObjectKey[] {
    return this.#related.of(relationToSubject(canonicalIdentity(subject)))
  }
}

function relationsOf(key: ObjectKey, grant: NHIGrant): readonly string[] {
  const own = [relationTo('policy', '', policyNamedBy(grant)), relationTo('namespace', '', key.namespace)]
  const subject = canonicalIdentity(subjectOf(grant))
  const related = [...own, relationToSubject(subject), relationToSubject(boundSubjectOf(grant))]
  return subject.kind === 'ServiceAccount' ? [...related, relationTo('namespace', '', subject.namespace)] : related
}

function relationToSubject(subject: Identity): string {
  const namespace = subject.kind === 'ServiceAccount' ? subject.namespace : ''
  return relationTo('subject', `${subject.kind}/${namespace}`, subject.name)
}

/** One string for what a grant depends on; no relation and no namespace that exists contains a slash. */
function relationTo(relation: Relation, namespace: string, name: string): string {
  return `${relation}/${namespace}/${name}`
}

function idOf({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`
}
