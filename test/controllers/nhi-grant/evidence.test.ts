import { expect } from 'chai'
import { digestOf } from '../../../src/api/v1alpha1/digest.ts'
import type { NHIGrantStatus } from '../../../src/api/v1alpha1/nhi-grant-status.schema.ts'
import type { NHIGrant } from '../../../src/api/v1alpha1/objects.ts'
import { evidenceOfOrphan } from '../../../src/controllers/nhi-grant/evidence-of-binding.ts'
import { evidenceOfDeletion, evidenceOfEnding, evidenceOfStatus } from '../../../src/controllers/nhi-grant/evidence.ts'

const now = Date.UTC(2027, 0, 1, 12)
const notAfter = '2027-01-01T12:30:00.000Z'
const rules = [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['patch'] }]

const grantWith = (status?: NHIGrantStatus): NHIGrant => ({
  apiVersion: 'lapse.dev/v1alpha1',
  kind: 'NHIGrant',
  metadata: { namespace: 'payments', name: 'rollout', uid: 'u-1', resourceVersion: '7' },
  spec: {
    policy: { name: 'payments-deploy' },
    subject: { kind: 'ServiceAccount', namespace: 'payments', name: 'deployer' },
    permissions: ['rollout'],
    reason: 'Roll out release 2041',
    ticket: 'CHG-20855',
    requestedBy: 'alice',
  },
  ...(status !== undefined && { status }),
})

const condition = (type: string, status: 'True' | 'False' | 'Unknown', message: string) => ({
  type,
  status,
  reason: 'Because',
  message,
  lastTransitionTime: '2027-01-01T12:00:00.000Z',
})

const recorded: NHIGrantStatus = {
  state: 'Pending',
  policy: { version: '1.4.0', digest: 'sha256:d' },
  subject: { username: 'system:serviceaccount:payments:deployer', uid: 's-1' },
  rules,
  issuedAt: '2027-01-01T12:00:00.000Z',
  notAfter,
  objects: [{ kind: 'RoleBinding', name: 'lapse-u-1-rollout' }],
}
const active: NHIGrantStatus = {
  ...recorded,
  state: 'Active',
  objects: [{ kind: 'RoleBinding', name: 'lapse-u-1-rollout', uid: 'b-1' }],
}
const ended: NHIGrantStatus = { ...active, state: 'Expired', endedReason: `ended at ${notAfter}, as issued` }
const unsettled = { ...ended, conditions: [condition('RevocationVerified', 'Unknown', 'is asked again')] }
const proved = { ...ended, conditions: [condition('RevocationVerified', 'True', 'the API server denies it')] }

describe('the evidence of a grant', () => {
  it('says who asked for what, why, and by which policy it was given', () => {
    expect(evidenceOfStatus(grantWith(), recorded, now)).to.deep.equal([
      {
        kind: 'Issuing',
        time: '2027-01-01T12:00:00.000Z',
        grant: { kind: 'NHIGrant', namespace: 'payments', name: 'rollout', uid: 'u-1' },
        actor: 'alice',
        requestedBy: 'alice',
        subject: 'system:serviceaccount:payments:deployer',
        policy: { name: 'payments-deploy', version: '1.4.0', digest: 'sha256:d' },
        permissions: ['rollout'],
        waive: [],
        rules: digestOf(rules),
        notAfter,
        reason: 'Roll out release 2041',
        ticket: 'CHG-20855',
        message: `until ${notAfter}`,
      },
    ])
  })

  const waiting: NHIGrantStatus = { state: 'Pending', conditions: [condition('Ready', 'False', 'no policy')] }
  const asking: NHIGrantStatus = {
    state: 'AwaitingApproval',
    conditions: [condition('Ready', 'False', '1 of 2 approvals')],
    approvals: { required: 2, digest: 'sha256:g', given: [{ name: 'yes', approver: 'bob' }] },
  }
  const steps: readonly (readonly [
    sentence: string,
    before: NHIGrantStatus | undefined,
    after: NHIGrantStatus,
    kinds: readonly (readonly [kind: string, actor: string, message: string])[],
  ])[] = [
    ['that begins to wait: none', undefined, waiting, []],
    ['that was issued: until when', recorded, active, [['Issued', 'alice', `until ${notAfter}`]]],
    ['whose record stays as it was: none', recorded, { ...recorded, observedGeneration: 2 }, []],
    [
      'that is issued with one more object: anew',
      recorded,
      { ...recorded, objects: [...recorded.objects!, { kind: 'Role', name: 'lapse-u-1' }] },
      [['Issuing', 'alice', `until ${notAfter}`]],
    ],
    [
      'that will end earlier: until when',
      active,
      { ...active, notAfter: '2027-01-01T12:10:00.000Z' },
      [['Shortened', 'lapse', `until 2027-01-01T12:10:00.000Z, no longer until ${notAfter}`]],
    ],
    [
      'that was refused: why',
      waiting,
      { state: 'Denied', endedReason: '[policy-missing] there is no policy' },
      [['Denied', 'lapse', '[policy-missing] there is no policy']],
    ],
    [
      'that ended and was proved to: both',
      active,
      proved,
      [
        ['Ended', 'lapse', `Expired: ended at ${notAfter}, as issued`],
        ['RevocationVerified', 'lapse', 'the API server denies it'],
      ],
    ],
    [
      'that ended and is not proved to: that too',
      active,
      unsettled,
      [
        ['Ended', 'lapse', `Expired: ended at ${notAfter}, as issued`],
        ['RevocationUnverified', 'lapse', 'is asked again'],
      ],
    ],
    [
      'whose proof came later: the proof',
      unsettled,
      proved,
      [['RevocationVerified', 'lapse', 'the API server denies it']],
    ],
    [
      'whose binding somebody has changed: what he changed, and that it is as it was',
      active,
      { ...active, conditions: [condition('Compliant', 'False', 'subjects: mallory was added')] },
      [['Drift', 'lapse', 'subjects: mallory was added']],
    ],
    [
      'that is as it was issued again: that too',
      { ...active, conditions: [condition('Compliant', 'False', 'subjects: mallory was added')] },
      { ...active, conditions: [condition('Compliant', 'True', 'it is as it was issued')] },
      [['Drift', 'lapse', 'it is as it was issued']],
    ],
    ['whose status says nothing new: none', proved, { ...proved, observedGeneration: 3 }, []],
    [
      'that somebody approved, and that needs more: both',
      undefined,
      asking,
      [
        ['Approved', 'bob', 'by NHIGrantApproval yes, of sha256:g'],
        ['Waiting', 'alice', '1 of 2 approvals'],
      ],
    ],
    ['whose approvals stay: none', asking, { ...asking, observedGeneration: 2 }, []],
    [
      'that was reviewed afterwards: by whom',
      { ...proved, review: { dueBy: '2027-01-02T12:00:00Z' } },
      { ...proved, review: { dueBy: '2027-01-02T12:00:00Z', reviewedAt: '2027-01-01T13:00:00Z', reviewedBy: 'carol' } },
      [['Reviewed', 'carol', 'at 2027-01-01T13:00:00Z; it was due by 2027-01-02T12:00:00Z']],
    ],
    [
      'whose Pods were evicted: that',
      proved,
      { ...proved, conditions: [...proved.conditions, condition('PodsEvicted', 'True', 'no Pod is left')] },
      [['PodsEvicted', 'lapse', 'no Pod is left']],
    ],
  ]
  for (const [sentence, before, after, expected] of steps)
    it(`of one ${sentence}`, () => {
      const evidence = evidenceOfStatus(grantWith(before), after, now)
      expect(evidence.map(({ kind, actor, message }) => [kind, actor, message])).to.deep.equal(expected)
    })

  it('says that the removal begins, and why', () => {
    const evidence = evidenceOfEnding(grantWith(active), 'revoked: leaked', now)
    expect(evidence).to.include({ kind: 'Ending', actor: 'lapse', message: 'revoked: leaked', notAfter })
  })

  it('F15: says the end of a grant whose object was deleted, which cannot say it itself', () => {
    const evidence = evidenceOfDeletion(grantWith(active), now)
    expect(evidence).to.include({ kind: 'Ended', requestedBy: 'alice', notAfter })
    expect(evidence!.message).to.equal('the grant was deleted when it was Active; what it gave is removed')
    for (const status of [undefined, waiting, { ...ended, endedAt: notAfter }])
      expect(evidenceOfDeletion(grantWith(status), now)).to.equal(null)
  })

  it('F15: says the end of a grant of which nothing is left but the binding that carried it', () => {
    const binding = {
      metadata: {
        namespace: 'payments',
        name: 'lapse-u-1-rollout',
        uid: 'b-1',
        resourceVersion: '1',
        labels: {
          'lapse.dev/policy': 'payments-deploy',
          'lapse.dev/policy-version': '1.4.0',
          'lapse.dev/grant-uid': 'u-1',
        },
        annotations: { 'lapse.dev/not-after': notAfter },
        ownerReferences: [{ apiVersion: 'lapse.dev/v1alpha1', kind: 'NHIGrant', name: 'rollout', uid: 'u-1' }],
      },
      subjects: [{ kind: 'ServiceAccount', namespace: 'payments', name: 'deployer' }],
    }
    expect(evidenceOfOrphan(binding, now)).to.deep.include({
      kind: 'Ended',
      grant: { kind: 'NHIGrant', namespace: 'payments', name: 'rollout', uid: 'u-1' },
      subject: 'system:serviceaccount:payments:deployer',
      policy: { name: 'payments-deploy', version: '1.4.0', digest: null },
      notAfter,
      message: 'RoleBinding lapse-u-1-rollout was removed: the grant that it carried is gone or has ended',
    })
  })

  it('is written of an object that is older than its schema', () => {
    const grant = { ...grantWith(active), spec: null } as unknown as NHIGrant
    const [evidence] = evidenceOfStatus(grant, ended, now)
    expect(evidence).to.include({ kind: 'Ended', requestedBy: null, reason: '', ticket: null })
    expect(evidence!.subject).to.equal('system:serviceaccount:payments:deployer')
  })

  it('holds nothing of a grant but what is listed', () => {
    const secretive = {
      ...active,
      credential: { expiresAt: notAfter },
      token: 'secret',
      data: { password: 'secret' },
    } as NHIGrantStatus
    const grant = grantWith(recorded)
    const annotated = { ...grant, metadata: { ...grant.metadata, annotations: { note: 'secret' } } }
    expect(JSON.stringify(evidenceOfStatus(annotated, secretive, now))).not.to.include('secret')
  })
})
