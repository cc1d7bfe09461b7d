import type { Identity } from '../identity.ts'
import { effectiveRules, ruleAllows } from './authorize.ts'
import type { Provenance, RequestAttributes } from './authorize.ts'
import { boundAccounts, boundIdentities } from './bound-identities.ts'
import type { HeldCapability } from './held-capabilities.ts'
import type { RbacView } from './objects.ts'
import type { Standpoint, Turn } from './standpoint.ts'
import { subjectKeysOf, superUserGroup } from './subject.ts'

/** A request whose name says whom it lets become. */
interface NamingRequest {
  readonly attributes: Omit<RequestAttributes, 'namespace' | 'name'>
  readonly isNamespaced: boolean
  /** Whom it lets become in a namespace; name null: all that there are. */
  readonly whom: (namespace: string, cluster: RbacView) => (name: string | null) => readonly Identity[]
}

function accountRequest(verb: string, subresource: string): NamingRequest {
  return {
    attributes: { verb, apiGroup: '', resource: 'serviceaccounts', subresource, path: '' },
    isNamespaced: true,
    whom: (namespace, cluster) => {
      const accounts = boundAccounts(namespace, cluster)
      const named = Map.groupBy(accounts, ({ name }) => name)
      return (name) => (name === null ? accounts : (named.get(name) ?? []))
    },
  }
}

export const tokenRequests: readonly NamingRequest[] = [accountRequest('create', 'token')]

const userRequest: NamingRequest = {
  attributes: { verb: 'impersonate', apiGroup: '', resource: 'users', subresource: '', path: '' },
  isNamespaced: false,
  whom: (_namespace, cluster) => (name) => (name === null ? boundIdentities(cluster).users : [{ kind: 'User', name }]),
}

const superUsers: Identity = { kind: 'Group', name: superUserGroup }

const groupRequest: NamingRequest = {
  attributes: { verb: 'impersonate', apiGroup: '', resource: 'groups', subresource: '', path: '' },
  isNamespaced: false,
  whom: (_namespace, cluster) => (name) =>
    name === null ? [superUsers, ...boundIdentities(cluster).groups] : [{ kind: 'Group', name }],
}

/** A group is only impersonated together with a user or an account. */
export function impersonations(at: Standpoint): readonly NamingRequest[] {
  const ofAccount = accountRequest('impersonate', '')
  const somebody = [userRequest, ofAccount].some((request) => permits(request, at).length > 0)
  return somebody ? [groupRequest, userRequest, ofAccount] : []
}

/** What lets the actor make the request, for which name (null: any), and where. */
interface Permit {
  readonly by: Provenance
  readonly namespace: string
  readonly name: string | null
}

function permits({ attributes, isNamespaced }: NamingRequest, at: Standpoint): readonly Permit[] {
  const inCluster = permitsIn('', attributes, at)
  if (!isNamespaced || inCluster.some(({ name }) => name === null)) return inCluster
  const namespaces = new Set(subjectKeysOf(at.user).flatMap((key) => at.view.namespacesNaming(key)))
  return [...inCluster, ...[...namespaces].flatMap((namespace) => permitsIn(namespace, attributes, at))]
}

export function permitsIn(
  namespace: string,
  attributes: NamingRequest['attributes'],
  at: Standpoint,
): readonly Permit[] {
  return effectiveRules(at.user, namespace, at.view, at.options).flatMap((by): readonly Permit[] => {
    const names = by.rule.resourceNames ?? []
    if (!ruleAllows(by.rule, { ...attributes, namespace, name: names[0] ?? '' })) return []
    return names.length === 0 ? [{ by, namespace, name: null }] : names.map((name) => ({ by, namespace, name }))
  })
}

/** One turn for each way in which one of the requests is allowed, told as the held capability is. */
export function turnsByName(held: HeldCapability, requests: readonly NamingRequest[], at: Standpoint): readonly Turn[] {
  return requests.flatMap((request) => {
    const found = Map.groupBy(permits(request, at), ({ namespace }) => namespace)
    return [...found].flatMap(([namespace, inNamespace]) => {
      const whom = request.whom(namespace, at.cluster)
      return inNamespace.map(({ by, name }): Turn => {
        const attributes = { ...request.attributes, namespace, name: name ?? '' }
        const reach = request.isNamespaced ? 'Namespace' : 'Cluster'
        const to = whom(name).map((identity) => ({ identity, widened: null }))
        return { by: { ...held, namespace, request: attributes, reach, by, also: [] }, to }
      })
    })
  })
}
