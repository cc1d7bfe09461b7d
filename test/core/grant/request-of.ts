import type { Approvals } from '../../../src/core/grant/approval.ts'
import type { GrantRequest } from '../../../src/core/grant/decide.ts'
import type { GrantSpec } from '../../../src/core/grant/grant.ts'
import { requesterNamed, type Identity } from '../../../src/core/identity.ts'
import { minute } from '../policy/policy-of.ts'

export const deployer: Identity = { kind: 'ServiceAccount', namespace: 'ci', name: 'deployer' }
export const deployerName = 'system:serviceaccount:ci:deployer'

/** The deployer asks for itself: set rollout, 30 minutes, from now on; with other fields where they are given. */
export function specOf(fields: Partial<GrantSpec> = {}): GrantSpec {
  return {
    policy: { name: 'payments-deploy', version: null },
    subject: deployer,
    permissions: ['rollout'],
    rules: [],
    waive: [],
    end: { kind: 'After', duration: 30 * minute },
    notBefore: null,
    reason: 'Roll out release 2041',
    ticket: null,
    requestedBy: deployerName,
    until: null,
    credential: null,
    breakGlass: null,
    revoke: null,
    ...fields,
  }
}

/** A grant payments/rollout-2041 of that spec. */
export function requestOf(spec: Partial<GrantSpec> = {}, fields: Partial<GrantRequest> = {}): GrantRequest {
  return {
    uid: 'grant-1',
    namespace: 'payments',
    name: 'rollout-2041',
    spec: specOf(spec),
    requester: requesterNamed(deployerName),
    createdAt: null,
    ...fields,
  }
}

/** Nobody has said anything of the grant. */
export const noApprovals: Approvals = { facts: [], digestUnder: () => '' }
