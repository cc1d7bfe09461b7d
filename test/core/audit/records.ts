import { digestOf } from '../../../src/api/v1alpha1/digest.ts'
import { chained } from '../../../src/core/audit/chain.ts'
import type { AuditEntry, AuditRecord, Evidence, Opened, Tip } from '../../../src/core/audit/record.ts'
import { ChainVerifier, type ChainVerdict } from '../../../src/core/audit/verify.ts'

export const chain = 'c-1'

export function evidenceOf(changed: Partial<Evidence> = {}): Evidence {
  return {
    kind: 'Issued',
    time: '2027-01-01T00:00:00.000Z',
    grant: { kind: 'NHIGrant', namespace: 'payments', name: 'rollout', uid: 'u-1' },
    actor: 'alice',
    requestedBy: 'alice',
    subject: 'system:serviceaccount:payments:deployer',
    policy: { name: 'payments-deploy', version: '1.4.0', digest: `sha256:${'a'.repeat(64)}` },
    permissions: ['rollout'],
    waive: [],
    rules: `sha256:${'b'.repeat(64)}`,
    notAfter: '2027-01-01T00:30:00.000Z',
    reason: 'Roll out release 2041',
    ticket: 'CHG-20855',
    message: 'until 2027-01-01T00:30:00.000Z',
    ...changed,
  }
}

export function opened(how: Opened['how'] = 'New'): Opened {
  return {
    kind: 'Opened',
    time: '2027-01-01T00:00:00.000Z',
    how,
    process: 'controller',
    version: '0.1.0',
    instance: 'pod-1',
  }
}

export function recordsOf(
  entries: readonly AuditEntry[],
  tip: Tip | null = null,
  name = chain,
): readonly AuditRecord[] {
  return chained(entries, { chain: tip?.chain ?? name, tip, digest: digestOf })
}

export function textOf(record: AuditRecord): string {
  return JSON.stringify(record)
}

/** Each file by its lines; a line that cannot be read has itself as its digest. */
export function verify(files: readonly (readonly string[])[], source: 'file' | 'log' = 'file'): ChainVerdict {
  const verifier = new ChainVerifier({ digest: digestOf, source })
  for (const [index, lines] of files.entries()) {
    verifier.begin(`file-${index}`)
    for (const line of lines) verifier.read(line, () => line)
  }
  return verifier.end()
}
