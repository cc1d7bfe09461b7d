import type { Break, ChainVerdict } from '../core/audit/verify.ts'

/** What is wrong, and where, as far as there is a place. */
type Problem = Pick<Break, 'expected' | 'found'> & { readonly file?: string; readonly line?: number }

export interface Verification {
  readonly verdict: ChainVerdict
  /** null: it is proved. */
  readonly problem: Problem | null
}

/** Records that hang together, and at least one of them. expectedLast null: whatever the last one is. */
export function verificationOf(verdict: ChainVerdict, expectedLast: string | null): Verification {
  return { verdict, problem: verdict.break ?? missingEnd(verdict, expectedLast) }
}

function missingEnd({ chains }: ChainVerdict, expectedLast: string | null): Problem | null {
  const hashes = chains.map(({ last }) => last.hash)
  if (hashes.length === 0) return { expected: 'audit records', found: 'none' }
  if (expectedLast === null || hashes.includes(expectedLast)) return null
  return { expected: `last record ${expectedLast}`, found: `last record ${hashes.join(', ')}` }
}

export function verificationText({ verdict, problem }: Verification): string {
  const { records, from, to, chains, torn, ignored } = verdict
  const extent = records === 0 ? '' : `, from ${from} to ${to}, in ${count(chains.length, 'chain')}`
  const lines = [
    problem === null ? `proved: ${count(records, 'record')}${extent}` : broken(problem),
    ...(problem === null ? [] : [`before it: ${count(records, 'record')}${extent}`]),
    ...chains.map(({ chain, first, last }) => {
      const missing = first === 0 ? '' : `; the ${first} records before it are not here`
      return `chain ${chain}: records ${first} to ${last.sequence}, last ${last.hash}${missing}`
    }),
    ...(torn > 0 ? [`${count(torn, 'line')} cut off in the middle, each named by the record that follows`] : []),
    ...(ignored > 0 ? [`${count(ignored, 'other line')} ignored`] : []),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function broken({ file, line, expected, found }: Problem): string {
  const where = file === undefined ? '' : ` at ${file}:${line}`
  return `broken${where}: expected ${expected}; found ${found}`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** The AuditVerification document, a public interface: its field names do not change. */
export function verificationDocument({ verdict, problem }: Verification) {
  const { records, from, to, torn, ignored } = verdict
  const chains = verdict.chains.map(({ chain, records: length, first, last }) => ({
    chain,
    records: length,
    first,
    last: last.sequence,
    hash: last.hash,
  }))
  return {
    apiVersion: 'lapse.dev/v1alpha1',
    kind: 'AuditVerification',
    proved: problem === null,
    ...(problem !== null && { problem }),
    records,
    ...(from !== null && { from }),
    ...(to !== null && { to }),
    chains,
    torn,
    ignored,
  }
}
