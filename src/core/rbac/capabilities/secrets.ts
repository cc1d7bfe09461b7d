import type { Capability } from '../capability.ts'
import { requests, writes } from './requests.ts'

/** Read access to named Secrets is how a workload is meant to get its own, and does not count. */
export const secretsRead: Capability = {
  id: 'secrets-read',
  code: 'R03',
  severity: 'Critical',
  title: 'Read Secrets',
  remedy: 'Mount the Secret that is needed, or grant get with resourceNames',
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
}

/** A Secret of type service-account-token makes the cluster mint a token that does not end. Named Secrets do not count. */
export const secretsWrite: Capability = {
  id: 'secrets-write',
  code: 'R04',
  severity: 'Critical',
  title: 'Write Secrets, and so mint tokens',
  remedy: 'Let a secrets controller write them, or grant update with resourceNames',
  judgedBy: 'Requests',
  ways: [[requests({ verbs: writes, apiGroup: '', resources: ['secrets'], reach: 'Namespace', name: 'Unnamed' })]],
}
