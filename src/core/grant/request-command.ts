import type { Identity } from '../identity.ts'

/** What a refusal proposes to ask for. */
export interface Proposal {
  readonly namespace: string
  /** null: not one alone. */
  readonly subject: Identity | null
  readonly policy: string
  /** Names of permission sets. */
  readonly permissions: readonly string[]
  readonly waive: readonly string[]
}

/** The command that asks for it. Words in capitals are left for its user to fill in. */
export function requestCommand({ namespace, subject, policy, permissions, waive }: Proposal): string {
  const wanted = [...permissions.map((name) => `--permission ${name}`), ...waive.map((check) => `--waive ${check}`)]
  return `lapse request -n ${namespace} --as-subject ${subjectWord(subject, namespace)} --policy ${policy} ${wanted.join(' ')} --reason TEXT`
}

function subjectWord(subject: Identity | null, namespace: string): string {
  if (subject === null) return 'sa/NAME'
  switch (subject.kind) {
    case 'ServiceAccount':
      return subject.namespace === namespace ? `sa/${subject.name}` : `sa/${subject.namespace}/${subject.name}`
    case 'User':
      return `user/${subject.name}`
    case 'Group':
      return `group/${subject.name}`
  }
}
