import type { Identity } from '../core/identity.ts'
import { UsageError } from '../runtime/usage-error.ts'
import { namespaceOf } from './cluster-options.ts'

const forms = 'sa/NAME, sa/NAMESPACE/NAME, user/NAME or group/NAME'

/**
 * An identity as the command line writes it. A ServiceAccount without a namespace is one of `namespace`. Throws
 * UsageError, which names the option or argument as `what`.
 */
export function parseIdentity(what: string, text: string, namespace: string): Identity {
  const [kind = '', ...rest] = text.split('/')
  const name = rest.join('/')
  if (name === '') throw new UsageError(`${what} must be ${forms}, not ${JSON.stringify(text)}`)
  switch (kind) {
    case 'sa':
    case 'serviceaccount':
      return accountOf(what, text, rest, namespace)
    case 'user':
      return { kind: 'User', name }
    case 'group':
      return { kind: 'Group', name }
    default:
      throw new UsageError(`${what} must be ${forms}, not ${JSON.stringify(text)}`)
  }
}

function accountOf(what: string, text: string, parts: readonly string[], namespace: string): Identity {
  const [first = '', second, ...more] = parts
  if (second === undefined) return { kind: 'ServiceAccount', namespace, name: first }
  if (more.length > 0 || second === '') throw new UsageError(`${what} must be ${forms}, not ${JSON.stringify(text)}`)
  return { kind: 'ServiceAccount', namespace: namespaceOf(`the namespace in ${what}`, first), name: second }
}

/** The identity as `parseIdentity` reads it. */
export function identityText(identity: Identity): string {
  switch (identity.kind) {
    case 'ServiceAccount':
      return `sa/${identity.namespace}/${identity.name}`
    case 'User':
      return `user/${identity.name}`
    case 'Group':
      return `group/${identity.name}`
  }
}
