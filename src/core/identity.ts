/** An identity that no person logs in with. Its Kubernetes user name is what every comparison uses. */
export type Identity =
  | { readonly kind: 'ServiceAccount'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'User'; readonly name: string }
  | { readonly kind: 'Group'; readonly name: string }

/** Who makes a request, as the API server authenticated it. */
export interface Requester {
  readonly username: string
  /** null: not known here (only the API server knows the groups of a user who is no ServiceAccount). */
  readonly groups: readonly string[] | null
}

const serviceAccountPrefix = 'system:serviceaccount:'

export function serviceAccountUsername(namespace: string, name: string): string {
  return `${serviceAccountPrefix}${namespace}:${name}`
}

/** The groups that every ServiceAccount of a namespace carries (kube-apiserver, serviceaccount/util.go). */
export function serviceAccountGroups(namespace: string): readonly string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated']
}

/** The ServiceAccount behind a user name; null when the name is no ServiceAccount's. */
export function serviceAccountOf(username: string): { readonly namespace: string; readonly name: string } | null {
  if (!username.startsWith(serviceAccountPrefix)) return null
  const [namespace, name, ...rest] = username.slice(serviceAccountPrefix.length).split(':')
  if (!namespace || !name || rest.length > 0) return null
  return { namespace, name }
}

/** The requester behind a bare user name. Groups are derived for a ServiceAccount and unknown for anyone else. */
export function requesterNamed(username: string): Requester {
  const account = serviceAccountOf(username)
  return { username, groups: account === null ? null : serviceAccountGroups(account.namespace) }
}

/** The user name that the API server would see; null for a Group, which cannot make requests. */
export function usernameOf(identity: Identity): string | null {
  switch (identity.kind) {
    case 'ServiceAccount':
      return serviceAccountUsername(identity.namespace, identity.name)
    case 'User':
      return identity.name
    case 'Group':
      return null
  }
}

/** How messages name an identity: `ServiceAccount ci/deployer`, `User ci:acme`. */
export function describeIdentity(identity: Identity): string {
  return identity.kind === 'ServiceAccount'
    ? `ServiceAccount ${identity.namespace}/${identity.name}`
    : `${identity.kind} ${identity.name}`
}

/** Two identities are one when the API server cannot tell them apart: a User may spell out a ServiceAccount's name. */
export function sameIdentity(a: Identity, b: Identity): boolean {
  if (a.kind === 'Group' || b.kind === 'Group') return a.kind === b.kind && a.name === b.name
  return usernameOf(a) === usernameOf(b)
}
