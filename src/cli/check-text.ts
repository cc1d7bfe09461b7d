import { explain } from '../core/policy/explain.ts'
import { describePolicy } from '../core/policy/policy.ts'
import { describeWaiver } from '../core/workload/waivers.ts'
import { isDenying, type JudgedFinding } from './check-finding.ts'
import { summarise, type CheckReport, type CheckResult } from './check-report.ts'
import type { BadInput } from './manifest/manifest.ts'
import { oneLine, ownLines } from './one-line.ts'
import type { Paint } from './paint.ts'

/** The report for people: every object that is not simply allowed, then the count. */
export function textReport(report: CheckReport, paint: Paint): string {
  const blocks = report.results.map((result) => blockOf(result, paint)).filter((block) => block !== '')
  const line = summaryLine(report)
  const painted = report.results.some(({ verdict }) => verdict === 'Deny') ? paint.denied(line) : line
  return `${[...blocks, painted].join('\n\n')}\n`
}

function blockOf(result: CheckResult, paint: Paint): string {
  const lines: string[] = []
  if (result.verdict === 'Deny') lines.push(paint.denied(ownLines(refusalOf(result))))
  for (const finding of result.findings) {
    if (!isDenying(finding)) lines.push(paint.warned(ownLines(warningOf(result, finding))))
  }
  if (result.note !== '') lines.push(ownLines(result.note))
  return lines.length === 0 ? '' : [paint.place(oneLine(placeOf(result))), ...lines].join('\n')
}

/** `stdin:12 (web/templates/deployment.yaml)`: where, and out of what Helm made it. */
function placeOf({ source: { file, line, origin } }: CheckResult): string {
  return `${file}:${line}${origin === undefined ? '' : ` (${origin})`}`
}

/** What the webhook would say. */
export function refusalOf(result: CheckResult): string {
  const findings = result.findings.filter(isDenying)
  const owners = findings.flatMap(({ policy }) => (policy === null ? [] : [policy.owner]))
  return explain({ what: nameOf(result), why: result.why, findings, owners, next: result.next })
}

/** A finding that refuses nothing, and why it does not. */
export function warningOf(result: CheckResult, finding: JudgedFinding): string {
  const where = finding.path === '' ? '' : `${finding.path}: `
  const policy = finding.policy === null ? '' : ` (policy ${describePolicy(finding.policy)})`
  return `${markOf(finding)}: ${nameOf(result)} [${finding.check}] ${where}${finding.message}${policy}\n  → ${finding.remedy}`
}

function markOf({ enforcement, isBaselined, waivedBy }: JudgedFinding): string {
  if (waivedBy !== undefined) return describeWaiver(waivedBy)
  if (isBaselined === true) return 'in the baseline'
  return enforcement === 'Audit' ? 'audit' : 'warning'
}

/** `Deployment payments/api`. */
export function nameOf({ object }: CheckResult): string {
  return `${object.kind} ${object.namespace === undefined ? '' : `${object.namespace}/`}${object.name}`
}

export function summaryLine({ results, baselined }: CheckReport): string {
  const { objects, denied, warned, allowed, ungoverned } = summarise(results)
  const line = `${counted(objects, 'object')}: ${denied} denied, ${warned} warned, ${allowed} allowed, ${ungoverned} ungoverned`
  return baselined === null ? line : `${line}; ${counted(baselined, 'finding')} in the baseline`
}

/** `1 object`, `2 objects`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
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
  return `${lines.map(ownLines).join('\n')}\n${counted(bad.length, 'problem')} in the input: nothing was judged\n`
}
