import { expect } from 'chai'
import { approvalText } from '../../src/cli/approval-text.ts'
import { badInputText, textReport } from '../../src/cli/check-text.ts'
import { explanationText } from '../../src/cli/explanation-text.ts'
import { grantRow } from '../../src/cli/grant-row.ts'
import { outcomeText, waitingText } from '../../src/cli/grant-text.ts'
import { grantsTable } from '../../src/cli/grants-report.ts'
import { oneLine, ownLines } from '../../src/cli/one-line.ts'
import { paintFor } from '../../src/cli/paint.ts'
import { suspend } from '../../src/cli/suspend.ts'
import { sessionOf, written } from './fake-session.ts'
import { now } from './fake-io.ts'
import { storedGrant } from './stored-grant.ts'

/** Clears a screen, and begins a line that passes for one of ours. */
const evil = 'x\u001B[2J\r\nyes: \u009B1A\u2028\u202Ey'

const subject = { kind: 'User', name: evil } as const
const conditions = (type: string) => [{ type, status: 'False', reason: 'x', message: evil, lastTransitionTime: '' }]
const row = (status: object, spec: object = {}) =>
  grantRow(storedGrant({ spec: { subject, reason: evil, ...spec }, status }))

/** `lapse revoke --subject` of a cluster that has only this grant. */
async function suspended(): Promise<string> {
  const status = { state: 'Revoked', issuedAt: undefined, endedReason: evil }
  let state: object = {}
  const client = {
    list: async ({ plural }: { plural: string }) =>
      plural === 'nhigrants' ? [storedGrant({ spec: { subject, reason: evil }, status: state })] : [],
    create: async () => {
      state = status
      return { metadata: { name: 's' } }
    },
  }
  const io = written()
  const args = { cluster: { output: 'text' }, reason: 'r', wait: 0 } as unknown as Parameters<typeof suspend>[1]
  await suspend(`user/${evil}`, args, sessionOf({ client }), io)
  return io.err + io.out
}

const rule = { apiGroups: [''], resources: [evil], verbs: [evil] }
const binding = {
  namespace: 'payments',
  name: evil,
  uid: 'u',
  roleRef: { kind: 'Role', name: evil },
  subjects: [],
} as unknown as NonNullable<Parameters<typeof explanationText>[0]['paths'][number]['binding']>
const request = {
  verb: 'get',
  namespace: 'payments',
  apiGroup: '',
  resource: 'pods',
  subresource: '',
  name: evil,
  path: '',
}

const texts: readonly (readonly [sentence: string, lines: number, text: () => string | Promise<string>])[] = [
  ['what `lapse grants` prints', 2, () => grantsTable([row({})], now)],
  [
    'what `lapse request` says of a grant that waits',
    2,
    () => waitingText(row({ state: 'AwaitingApproval', conditions: conditions('Ready') })),
  ],
  [
    'what it says of one that is denied',
    1,
    () => outcomeText(row({ state: 'Denied', issuedAt: undefined, endedReason: evil }), now),
  ],
  [
    'what `lapse revoke` says of an end',
    4,
    () => {
      const revocation = { overstay: '1ms', residual: [`RoleBinding payments/${evil}`] }
      const ended = { state: 'Revoked', endedReason: evil, endedAt: '2026-12-01T12:00:00.000Z' }
      return outcomeText(row({ ...ended, conditions: conditions('RevocationVerified'), revocation }), now)
    },
  ],
  ['what `lapse revoke --subject` says', 2, suspended],
  [
    'what `lapse approve` shows',
    10,
    () => {
      const spec = {
        ticket: evil,
        permissions: [evil],
        breakGlass: { incident: evil },
        credential: { secretName: evil },
      }
      return approvalText(row({ state: 'AwaitingApproval' }, spec), null, now)
    },
  ],
  [
    'what `lapse why` prints',
    4,
    () => {
      const paths = [{ binding, rule, grant: null }]
      return explanationText({ subject, request, allowed: false, authorizer: false, paths, names: [], notes: [] }, now)
    },
  ],
  [
    'names that it prints',
    2,
    () =>
      explanationText(
        { subject, request, allowed: false, authorizer: null, paths: [], names: [evil, evil], notes: [] },
        now,
      ),
  ],
  [
    'what `lapse check` says of a file',
    2,
    () => {
      const [path, message] = [evil.replace('\n', ''), 'is unknown']
      return badInputText([{ file: 'a.yaml', line: 1, path, message, remedy: '' }])
    },
  ],
  [
    'what it says of an object',
    5,
    () => {
      const finding = {
        check: 'host-path',
        severity: 'High',
        enforcement: 'Warn',
        path: `spec[${evil.replace('\n', '')}]`,
        message: 'no',
        remedy: 'mend it',
        policy: null,
      }
      const object = { apiVersion: 'v1', kind: 'Pod', name: evil.replace('\n', '') }
      const source = { file: 'a.yaml', document: 1, line: 1 }
      const result = { verdict: 'Warn', findings: [finding], source, object, why: '', next: [], note: '' }
      const report = { results: [result], baselined: null } as unknown as Parameters<typeof textReport>[0]
      return textReport(report, paintFor(false, written().stdout, {}))
    },
  ],
  ['a refusal that is printed as it is', 2, () => ownLines(`denied:\n${evil.replaceAll('\n', '')}\n`)],
]

describe('text of objects on a terminal', () => {
  it('is one line, in which a terminal finds nothing to obey', () => expect(oneLine(evil)).to.equal('x [2J yes:  1A y'))

  for (const [sentence, lines, text] of texts)
    it(`holds in ${sentence}`, async () => {
      const said = await text()
      expect(said).to.match(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*(\n[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*)*\n$/u)
      expect(said.trimEnd().split('\n')).to.have.length(lines)
      expect(said).to.include('x [2J')
    })
})
