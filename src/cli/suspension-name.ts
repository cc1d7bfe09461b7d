import { digestOf } from '../api/v1alpha1/digest.ts'
import type { Identity } from '../core/identity.ts'

const longest = 200

/**
 * The name of the suspension of an identity, such as `sa.payments.api`: one for each, so that it is there once. A name that
 * no object may have is made into one, with a digest that tells it from others.
 */
export function suspensionName(identity: Identity): string {
  switch (identity.kind) {
    case 'ServiceAccount':
      return objectName('sa', `${identity.namespace}.${identity.name}`)
    case 'User':
      return objectName('user', identity.name)
    case 'Group':
      return objectName('group', identity.name)
  }
}

function objectName(prefix: string, name: string): string {
  const safe = name
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/\.+/g, '.')
    .replace(/-*\.-*/g, '.')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, longest)
    .replace(/[-.]+$/, '')
  if (safe === name) return `${prefix}.${name}`
  const digest = digestOf(name).slice('sha256:'.length, 'sha256:'.length + 8)
  return [prefix, safe, digest].filter((part) => part !== '').join('.')
}
