import type { Capability } from '../capability.ts'
import { requests, writes } from './requests.ts'

/** Read access to named Secrets is how a workload is meant to get its own, and is only put on record. */
export const secretsRead: Capability = {
  id: 'secrets-read',
  code: 'R03',
  severity: 'Critical',
  title: 'Read Secrets',
  what: 'get, list or watch of Secrets, without names. With names it is only put on record, with severity Info.',
  remedy: 'Mount the Secret that is needed, or grant get with resourceNames',
  references: ['CIS 1.12 5.1.2', 'Kubescape C-0015', 'OWASP NHI2:2025'],
  judgedBy: 'Requests',
  ways: [
    [
      requests({
        verbs: ['list', 'watch', 'get'],
        apiGroup: '',
        resources: ['secrets'],
        reach: 'Namespace',
        name: 'Unnamed',
      }),
    ],
  ],
  harmlessWays: [
    [
      requests({
        verbs: ['get', 'list', 'watch'],
        apiGroup: '',
        resources: ['secrets'],
        reach: 'Namespace',
        name: 'Any',
      }),
    ],
  ],
}

/** A Secret of type service-account-token makes the cluster mint a token that does not end. Named Secrets do not count. */
export const secretsWrite: Capability = {
  id: 'secrets-write',
  code: 'R04',
  severity: 'Critical',
  title: 'Write Secrets, and so mint tokens',
  what: 'create, update or patch of Secrets, without names: a Secret of type service-account-token is filled with a token that does not end.',
  remedy: 'Let a secrets controller write them, or grant update with resourceNames',
  references: ['OWASP NHI7:2025'],
  judgedBy: 'Requests',
  ways: [[requests({ verbs: writes, apiGroup: '', resources: ['secrets'], reach: 'Namespace', name: 'Unnamed' })]],
}
