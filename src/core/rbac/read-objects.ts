import type { Labels, LabelSelector, SelectorRequirement } from '../selector.ts'
import type { BindingObject, RoleObject } from './objects.ts'
import type { PolicyRule } from './rule.ts'
import type { RbacSubject } from './subject.ts'

export type RoleKind = 'Role' | 'ClusterRole'
export type BindingKind = 'RoleBinding' | 'ClusterRoleBinding'
export type RbacKind = RoleKind | BindingKind

export function isBindingKind(kind: RbacKind): kind is BindingKind {
  return kind === 'RoleBinding' || kind === 'ClusterRoleBinding'
}

/**
 * A Role or ClusterRole as the API server serves it: absent and null lists are empty. The kind comes from the caller,
 * because the items of a list do not carry it.
 * Throws TypeError for what no API server would store: access must not go unseen because its object was misread.
 */
export function readRole(kind: RoleKind, raw: unknown): RoleObject {
  const object = mapOf(raw, kind)
  const selectors = listOf(
    mapOrEmpty(object['aggregationRule'], 'aggregationRule')['clusterRoleSelectors'],
    'clusterRoleSelectors',
  )
  return {
    ...identifying(object, kind === 'Role'),
    labels: labelsOf(mapOrEmpty(object['metadata'], 'metadata')['labels'], 'metadata.labels'),
    rules: listOf(object['rules'], 'rules').map(ruleOf),
    ...(selectors.length === 0 ? {} : { aggregation: selectors.map(selectorOf) }),
  }
}

/** The label of what carries a grant. */
export const grantLabel = 'lapse.dev/grant-uid'

/** A RoleBinding or ClusterRoleBinding, read on the same terms as `readRole`. */
export function readBinding(kind: BindingKind, raw: unknown): BindingObject {
  const object = mapOf(raw, kind)
  const roleRef = mapOf(object['roleRef'], 'roleRef')
  const labels = mapOrEmpty(mapOf(object['metadata'], 'metadata')['labels'], 'metadata.labels')
  return {
    ...identifying(object, kind === 'RoleBinding'),
    subjects: listOf(object['subjects'], 'subjects').map(subjectOf),
    roleRef: { kind: textOf(roleRef['kind'], 'roleRef.kind'), name: textOf(roleRef['name'], 'roleRef.name') },
    ...(Object.hasOwn(labels, grantLabel) && { saysGrant: true }),
  }
}

function identifying(object: Fields, namespaced: boolean) {
  const metadata = mapOf(object['metadata'], 'metadata')
  return {
    namespace: namespaced ? textOf(metadata['namespace'], 'metadata.namespace') : null,
    name: textOf(metadata['name'], 'metadata.name'),
    uid: metadata['uid'] === undefined ? '' : textOf(metadata['uid'], 'metadata.uid'),
  }
}

function ruleOf(raw: unknown): PolicyRule {
  const rule = mapOf(raw, 'rules[]')
  const list = (field: string) => textsOf(rule[field], `rules[].${field}`)
  const parts = { apiGroups: list('apiGroups'), resources: list('resources'), resourceNames: list('resourceNames') }
  const filled = Object.fromEntries(Object.entries(parts).filter(([, values]) => values.length > 0))
  const urls = list('nonResourceURLs')
  return { verbs: list('verbs'), ...filled, ...(urls.length === 0 ? {} : { nonResourceURLs: urls }) }
}

function subjectOf(raw: unknown): RbacSubject {
  const subject = mapOf(raw, 'subjects[]')
  const named = { kind: textOf(subject['kind'], 'subjects[].kind'), name: textOf(subject['name'], 'subjects[].name') }
  const namespace = subject['namespace']
  return namespace === undefined || namespace === null
    ? named
    : { ...named, namespace: textOf(namespace, 'subjects[].namespace') }
}

function selectorOf(raw: unknown): LabelSelector {
  const selector = mapOf(raw, 'clusterRoleSelectors[]')
  return {
    matchLabels: labelsOf(selector['matchLabels'], 'matchLabels'),
    matchExpressions: listOf(selector['matchExpressions'], 'matchExpressions').map(requirementOf),
  }
}

function requirementOf(raw: unknown): SelectorRequirement {
  const requirement = mapOf(raw, 'matchExpressions[]')
  return {
    key: textOf(requirement['key'], 'matchExpressions[].key'),
    operator: operatorOf(requirement['operator']),
    values: textsOf(requirement['values'], 'matchExpressions[].values'),
  }
}

function operatorOf(raw: unknown): SelectorRequirement['operator'] {
  if (raw === 'In' || raw === 'NotIn' || raw === 'Exists' || raw === 'DoesNotExist') return raw
  throw new TypeError('matchExpressions[].operator is none of In, NotIn, Exists, DoesNotExist')
}

function labelsOf(raw: unknown, where: string): Labels {
  const entries = Object.entries(mapOrEmpty(raw, where))
  return Object.fromEntries(entries.map(([key, value]) => [key, textOf(value, `${where}.${key}`)]))
}

type Fields = Readonly<Record<string, unknown>>

function mapOf(raw: unknown, where: string): Fields {
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return raw as Fields
  throw new TypeError(`${where} is not an object`)
}

function mapOrEmpty(raw: unknown, where: string): Fields {
  return raw === undefined || raw === null ? {} : mapOf(raw, where)
}

function listOf(raw: unknown, where: string): readonly unknown[] {
  if (raw === undefined || raw === null) return []
  if (Array.isArray(raw)) return raw
  throw new TypeError(`${where} is not a list`)
}

function textsOf(raw: unknown, where: string): readonly string[] {
  return listOf(raw, where).map((item) => textOf(item, `${where}[]`))
}

function textOf(raw: unknown, where: string): string {
  if (typeof raw === 'string') return raw
  throw new TypeError(`${where} is not a string`)
}
