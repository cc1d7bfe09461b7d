import type { Type } from './type.ts'

/** Names that an expression may use, and what is known of them. */
export type Scope = ReadonlyMap<string, Type>

const metadata: Type = { fields: { name: 'string', labels: 'map' } }
const namespaceObject: Type = { fields: { metadata } }
const userInfo: Type = { fields: { username: 'string', groups: 'list' } }
const kind: Type = { fields: { group: 'string', kind: 'string' } }
const identity: Type = {
  fields: { kind: 'string', namespace: 'string', name: 'string', username: 'string', groups: 'list' },
}
const pod: Type = { fields: { metadata: { fields: { labels: 'map', annotations: 'map' } }, spec: 'map' } }

/** What conditions of `workloads.conditions` may look at. */
export const workloadScope: Scope = new Map<string, Type>([
  ['object', 'dyn'],
  ['oldObject', 'dyn'],
  ['pod', pod],
  ['request', { fields: { operation: 'string', userInfo, namespace: 'string', name: 'string', kind } }],
  ['namespaceObject', namespaceObject],
  ['identity', identity],
  ['grants', 'list'],
])

/** What conditions of `grants.conditions` may look at. */
export const grantScope: Scope = new Map<string, Type>([
  ['grant', { fields: { metadata: { fields: { namespace: 'string', name: 'string' } }, spec: 'map' } }],
  ['request', { fields: { userInfo } }],
  ['namespaceObject', namespaceObject],
  ['subject', identity],
  ['now', 'timestamp'],
  ['policy', { fields: { name: 'string', version: 'string' } }],
])

/** What `until.expression` of a grant may look at. */
export const untilScope: Scope = new Map<string, Type>([['object', 'dyn']])
