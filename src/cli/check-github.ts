import { normalize } from 'node:path'
import { describePolicy } from '../core/policy/policy.ts'
import { isDenying, type JudgedFinding } from './check-finding.ts'
import type { CheckReport, CheckResult } from './check-report.ts'
import { nameOf, summaryLine } from './check-text.ts'
import type { BadInput } from './manifest/manifest.ts'

/** Workflow commands, a line each, which GitHub Actions shows beside the lines of the files; then the count. */
export function githubReport(report: CheckReport): string {
  const commands = report.results.flatMap((result) => result.findings.map((finding) => commandOf(result, finding)))
  return [...commands, summaryLine(report)].map((line) => `${line}\n`).join('')
}

/** Bad input in the same form. */
export function githubBadInput(bad: readonly BadInput[]): string {
  const commands = bad.map(({ file, line, path, message, remedy }) => {
    const where = { file, ...(line !== null && { line }), title: 'lapse check: nothing was judged' }
    return workflowCommand('error', where, textOf([`${path === '' ? '' : `${path}: `}${message}`, remedy]))
  })
  return commands.map((line) => `${line}\n`).join('')
}

function commandOf(result: CheckResult, finding: JudgedFinding): string {
  const { check, path, message, remedy, policy } = finding
  const title = `${nameOf(result)} [${check}]`
  const where = { file: result.source.file, ...placeIn(result, path), title }
  const under = policy === null ? '' : ` (policy ${describePolicy(policy)})`
  return workflowCommand(
    levelOf(finding),
    where,
    textOf([`${path === '' ? '' : `${path}: `}${message}${under}`, remedy]),
  )
}

function placeIn({ manifest }: CheckResult, path: string): { readonly line: number; readonly col: number } {
  const { line, column } = manifest.placeOf(path)
  return { line, col: column }
}

type Level = 'error' | 'warning' | 'notice'

function levelOf(finding: JudgedFinding): Level {
  if (isDenying(finding)) return 'error'
  return finding.enforcement === 'Warn' && finding.waivedBy === undefined ? 'warning' : 'notice'
}

/** stdin is no file that could be shown. */
function workflowCommand(level: Level, where: Readonly<Record<string, string | number>>, text: string): string {
  const { file, title = '' } = where
  const shown = file === 'stdin' ? { title } : { ...where, file: normalize(String(file)) }
  const properties = Object.entries(shown).map(([name, value]) => `${name}=${escapeProperty(String(value))}`)
  return `::${level} ${properties.join(',')}::${escapeData(text)}`
}

function textOf(lines: readonly string[]): string {
  return lines.filter((line) => line !== '').join('\n→ ')
}

/** As the toolkit of GitHub Actions does it. */
function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
