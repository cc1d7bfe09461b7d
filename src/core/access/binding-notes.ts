import type { Finding } from '../finding.ts'
import { describeIdentity } from '../identity.ts'
import type { BindingObject } from '../rbac/objects.ts'
import type { Receiver } from './receiver.ts'

/** What makes a binding of a governed subject hard to find or easy to take over, whatever it gives. */
export function bindingNotes(receiver: Receiver, binding: BindingObject, index: number): readonly Finding[] {
  const { identity } = receiver
  const subject = binding.subjects[index]
  if (identity.kind !== 'ServiceAccount' || subject === undefined) return []
  const notes: Finding[] = []
  if (binding.namespace !== null && identity.namespace !== binding.namespace)
    notes.push({
      check: 'cross-namespace-subject',
      severity: 'Low',
      path: `subjects[${index}].namespace`,
      message: `${describeIdentity(identity)} gets access to another namespace than its own`,
      remedy: 'use a ServiceAccount of the namespace',
    })
  if (receiver.isMissing)
    notes.push({
      check: 'dangling-subject',
      severity: 'Medium',
      path: `subjects[${index}].name`,
      message: `${describeIdentity(identity)} does not exist: whoever creates it gets the access`,
      remedy: 'create the ServiceAccount first',
    })
  if (subject.kind === 'User')
    notes.push({
      check: 'user-alias',
      severity: 'Medium',
      path: `subjects[${index}].kind`,
      message: `User ${subject.name} is ${describeIdentity(identity)}, which inventories by kind do not see`,
      remedy: 'name it as kind: ServiceAccount',
    })
  return notes
}
