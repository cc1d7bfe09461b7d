import { isDenying } from './check-finding.ts'
import type { CheckReport, CheckResult } from './check-report.ts'
import { nameOf, refusalOf, warningOf } from './check-text.ts'

/**
 * JUnit's XML: a suite for each file, a case for each object. Denied is a failure, ungoverned is skipped, and what else was
 * found is the case's output.
 */
export function junitReport({ results }: CheckReport): string {
  const suites = [...Map.groupBy(results, ({ source }) => source.file)].map(([file, cases]) => suiteOf(file, cases))
  const head = `<testsuites name="lapse check" ${countsOf(results)}>`
  return ['<?xml version="1.0" encoding="UTF-8"?>', head, ...suites.flat(), '</testsuites>', ''].join('\n')
}

function suiteOf(file: string, results: readonly CheckResult[]): readonly string[] {
  const head = `  <testsuite name="${attribute(file)}" ${countsOf(results)}>`
  return [head, ...results.flatMap(caseOf), '  </testsuite>']
}

function countsOf(results: readonly CheckResult[]): string {
  const failures = results.filter(({ verdict }) => verdict === 'Deny').length
  const skipped = results.filter(({ verdict }) => verdict === 'Ungoverned').length
  return `tests="${results.length}" failures="${failures}" errors="0" skipped="${skipped}"`
}

function caseOf(result: CheckResult): readonly string[] {
  const { file, line } = result.source
  const start = `    <testcase name="${attribute(nameOf(result))}" classname="${attribute(file)}" file="${attribute(file)}" line="${line}"`
  const parts = [...outcomeOf(result), ...outputOf(result)]
  return parts.length === 0 ? [`${start}/>`] : [`${start}>`, ...parts, '    </testcase>']
}

function outcomeOf(result: CheckResult): readonly string[] {
  if (result.verdict === 'Ungoverned') return [`      <skipped message="${attribute(result.note)}"/>`]
  if (result.verdict !== 'Deny') return []
  const checks = [...new Set(result.findings.filter(isDenying).map(({ check }) => check))]
  const [message = ''] = refusalOf(result).split('\n')
  return [
    `      <failure message="${attribute(message)}" type="${attribute(checks.join(','))}">${content(refusalOf(result))}</failure>`,
  ]
}

function outputOf(result: CheckResult): readonly string[] {
  const warnings = result.findings.filter((finding) => !isDenying(finding)).map((each) => warningOf(result, each))
  const notes = result.verdict === 'Ungoverned' || result.note === '' ? [] : [result.note]
  const lines = [...warnings, ...notes]
  return lines.length === 0 ? [] : [`      <system-out>${content(lines.join('\n'))}</system-out>`]
}

/** Line ends and tabs in an attribute would be read as spaces. */
function attribute(text: string): string {
  return content(text)
    .replaceAll('"', '&quot;')
    .replaceAll(/[\t\n\r]/g, (character) => `&#${character.codePointAt(0)};`)
}

function content(text: string): string {
  return legible(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** What XML 1.0 can hold in no form stands as U+FFFD. */
function legible(text: string): string {
  return text.toWellFormed().replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
}
