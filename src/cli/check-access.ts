import { isObject } from '../api/validate.ts'
import type { AccessWrite } from '../core/access/access-write.ts'
import { reviewAccess } from '../core/access/review-access.ts'
import { reviewServiceAccount, type AccountMarks } from '../core/access/service-account.ts'
import { reviewTokenSecret, tokenAccountAnnotation, tokenSecretType } from '../core/access/token-secret.ts'
import type { RbacView } from '../core/rbac/objects.ts'
import { readBinding, readRole } from '../core/rbac/read-objects.ts'
import type { Labels } from '../core/selector.ts'
import { keyOf, readLabels } from '../world/read-facts.ts'
import { judgementOf, type JudgedFinding, type Judgement } from './check-finding.ts'
import type { Setting } from './check-setting.ts'
import { roleIsKnown, roleUnknown } from './check-unknown-roles.ts'
import type { Placed } from './check-world.ts'

/**
 * The verdict on an RBAC object, a ServiceAccount or a Secret with a token. null: it gives nothing to anybody whom a policy
 * governs. The object must have been read into the world of the setting.
 */
export function judgeAccess(object: Placed, setting: Setting): Judgement | null {
  switch (object.kind) {
    case 'ServiceAccount':
      return judgeAccount(object, setting)
    case 'Secret':
      return judgeSecret(object, setting)
    default:
      return judgeStanding(object, setting)
  }
}

function judgeStanding(object: Placed, { world, before, worldSource }: Setting): Judgement | null {
  const write = writeOf(object, before.rbac)
  const { verdict, findings, next } = reviewAccess(write, world, before.rbac)
  if (verdict === 'Ungoverned') return null
  if (write.kind === 'Role' || worldSource === 'cluster' || roleIsKnown(write.after, world.rbac))
    return { verdict, findings, next }
  return judgementOf(findings.map((finding) => orUnknown(finding, write)))
}

/** Here it is only unknown whether the role that a binding names exists. */
function orUnknown(finding: JudgedFinding, { after }: Extract<AccessWrite, { kind: 'Binding' }>): JudgedFinding {
  const { check, path, policy } = finding
  return check === 'standing-access' && path === 'roleRef.name' ? roleUnknown(after, path, policy) : finding
}

function writeOf({ kind, object }: Placed, before: RbacView): AccessWrite {
  if (kind === 'Role' || kind === 'ClusterRole') {
    const after = readRole(kind, object)
    const { namespace, name } = after
    return {
      kind: 'Role',
      before: namespace === null ? before.clusterRole(name) : before.role(namespace, name),
      after,
    }
  }
  const after = readBinding(kind === 'RoleBinding' ? 'RoleBinding' : 'ClusterRoleBinding', object)
  const { namespace } = after
  const there = namespace === null ? before.clusterRoleBindings() : before.roleBindings(namespace)
  return { kind: 'Binding', before: there.find(({ name }) => name === after.name) ?? null, after }
}

/** What an account is to clouds is told again at every check: the world does not know what it was before. */
function judgeAccount({ object, namespace }: Placed, { world, before }: Setting): Judgement | null {
  const { name } = keyOf(object)
  const known = before.serviceAccount(namespace, name)
  const marks: AccountMarks = { labels: readLabels(object), annotations: annotationsOf(object) }
  const former = known === null ? null : { labels: known.labels, annotations: {} }
  const { verdict, findings } = reviewServiceAccount({ namespace, name, before: former, after: marks }, world)
  return findings.length === 0 ? null : { verdict, findings }
}

function judgeSecret({ object, namespace }: Placed, { world }: Setting): Judgement | null {
  if (object['type'] !== tokenSecretType) return null
  const account = annotationsOf(object)[tokenAccountAnnotation] ?? null
  const { verdict, findings } = reviewTokenSecret({ namespace, account, accountBefore: null }, world)
  return verdict === 'Ungoverned' ? null : { verdict, findings }
}

/** That they are text was seen when the object was read. */
function annotationsOf({ metadata }: Placed['object']): Labels {
  const annotations = isObject(metadata) ? metadata['annotations'] : undefined
  return isObject(annotations) ? (annotations as Labels) : {}
}
