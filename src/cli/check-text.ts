import { explain } from '../core/policy/explain.ts'
import { describePolicy } from '../core/policy/policy.ts'
import type { JudgedFinding } from './check-finding.ts'
import { summarise, type CheckResult } from './check-report.ts'
import type { BadInput } from './manifest/manifest.ts'
import type { Paint } from './paint.ts'

/** The report for people: every object that is not simply allowed, then the count. */
export function textReport(results: readonly CheckResult[], paint: Paint): string {
  const blocks = results.map((result) => blockOf(result, paint)).filter((block) => block !== '')
  return `${[...blocks, summaryLine(results, paint)].join('\n\n')}\n`
}

function blockOf(result: CheckResult, paint: Paint): string {
  const lines: string[] = []
  if (result.verdict === 'Deny') lines.push(paint.denied(refusalOf(result)))
  for (const finding of result.findings) {
    if (finding.enforcement !== 'Deny') lines.push(paint.warned(warningOf(result, finding)))
  }
  if (result.note !== '') lines.push(result.note)
  const { file, line } = result.source
  return lines.length === 0 ? '' : [paint.place(`${file}:${line}`), ...lines].join('\n')
}

function refusalOf(result: CheckResult): string {
  const findings = result.findings.filter(({ enforcement }) => enforcement === 'Deny')
  const owners = findings.flatMap(({ policy }) => (policy === null ? [] : [policy.owner]))
  return explain({ what: nameOf(result), why: result.why, findings, owners, next: result.next })
}

function warningOf(result: CheckResult, finding: JudgedFinding): string {
  const kind = finding.enforcement === 'Warn' ? 'warning' : 'audit'
  const where = finding.path === '' ? '' : `${finding.path}: `
  const policy = finding.policy === null ? '' : ` (policy ${describePolicy(finding.policy)})`
  return `${kind}: ${nameOf(result)} [${finding.check}] ${where}${finding.message}${policy}\n  → ${finding.remedy}`
}

/** `Deployment payments/api`. */
function nameOf({ object }: CheckResult): string {
  return `${object.kind} ${object.namespace === undefined ? '' : `${object.namespace}/`}${object.name}`
}

function summaryLine(results: readonly CheckResult[], paint: Paint): string {
  const { objects, denied, warned, allowed, ungoverned } = summarise(results)
  const line = `${objects} ${objects === 1 ? 'object' : 'objects'}: ${denied} denied, ${warned} warned, ${allowed} allowed, ${ungoverned} ungoverned`
  return denied > 0 ? paint.denied(line) : line
}

/** What is worth knowing beside the report, for where the report has no place for it. */
export function notesText(results: readonly CheckResult[]): string {
  const noted = results.filter(({ note }) => note !== '')
  return noted.map(({ source, note }) => `${source.file}:${source.line}: ${note}\n`).join('')
}

/** What keeps everything from being judged, one entry after the other: where, what, what to do. */
export function badInputText(bad: readonly BadInput[]): string {
  const lines = bad.flatMap(({ file, line, path, message, remedy }) => {
    const place = line === null ? file : `${file}:${line}`
    const what = `${place}: ${path === '' ? '' : `${path}: `}${message}`
    return remedy === '' ? [what] : [what, `  → ${remedy}`]
  })
  const count = bad.length === 1 ? '1 problem' : `${bad.length} problems`
  return `${lines.join('\n')}\n${count} in the input: nothing was judged\n`
}
