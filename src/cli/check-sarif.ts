import { isAbsolute, posix } from 'node:path'
import { pathToFileURL } from 'node:url'
import { digestOf } from '../api/v1alpha1/digest.ts'
import { checkEntries, checkEntry } from '../core/check-catalogue.ts'
import type { Severity } from '../core/finding.ts'
import { describePolicy, type Enforcement } from '../core/policy/policy.ts'
import { describeWaiver } from '../core/workload/waivers.ts'
import { entryOf, keyOf } from './check-baseline-entry.ts'
import type { JudgedFinding } from './check-finding.ts'
import type { CheckReport, CheckResult } from './check-report.ts'
import { nameOf } from './check-text.ts'
import { packageVersion } from './version.ts'

const levels: Readonly<Record<Enforcement, string>> = { Deny: 'error', Warn: 'warning', Audit: 'note' }
const levelOfSeverity: Readonly<Record<Severity, string>> = {
  Critical: 'error',
  High: 'error',
  Medium: 'warning',
  Low: 'note',
  Info: 'note',
}

/** As code scanning ranks them: above 9 is critical, above 7 high, above 4 medium. */
const scores: Readonly<Record<Severity, string>> = {
  Critical: '9.5',
  High: '8.0',
  Medium: '5.5',
  Low: '3.0',
  Info: '0.0',
}

/** SARIF 2.1.0: every check as a rule, every finding as a result, at the field that it names. */
export function sarifReport(report: CheckReport): string {
  const fingerprints = new Map<string, number>()
  const results = report.results.flatMap((result) =>
    result.findings.map((finding) => ({
      ...resultOf(result, finding),
      partialFingerprints: { 'lapse/v1': fingerprintOf(result, finding, fingerprints) },
      ...(report.baselined !== null && { baselineState: finding.isBaselined === true ? 'unchanged' : 'new' }),
    })),
  )
  const driver = { name: 'lapse', semanticVersion: packageVersion(), rules: rulesOf(report) }
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }],
  }
  return `${JSON.stringify(log, null, 2)}\n`
}

/** The whole catalogue, and what was found beyond it. */
function rulesOf({ results }: CheckReport) {
  const found = new Set(results.flatMap(({ findings }) => findings.map(({ check }) => check)))
  const unknown = [...found].filter((id) => checkEntry(id) === null).map((id) => ({ id }))
  const known = checkEntries.map(({ id, code, title, what, severity, remedy, area, references }) => ({
    id,
    shortDescription: { text: title },
    fullDescription: { text: what },
    help: { text: remedy },
    defaultConfiguration: { level: levelOfSeverity[severity] },
    properties: { code, 'security-severity': scores[severity], tags: ['security', area], references },
  }))
  return [...known, ...unknown]
}

function resultOf(result: CheckResult, finding: JudgedFinding) {
  const { check, severity, enforcement, path, message, remedy, policy } = finding
  const under = policy === null ? '' : ` (policy ${describePolicy(policy)})`
  const suppressions = suppressionsOf(finding)
  return {
    ruleId: check,
    level: levels[enforcement],
    message: { text: `${nameOf(result)}: ${message}${under}${remedy === '' ? '' : `\n${remedy}`}` },
    locations: [locationOf(result, path)],
    ...(suppressions.length > 0 && { suppressions }),
    properties: { severity, enforcement, verdict: result.verdict },
  }
}

function locationOf(result: CheckResult, path: string) {
  const { line, column } = result.manifest.placeOf(path)
  const { file, origin } = result.source
  const name = `${nameOf(result)}${path === '' ? '' : ` ${path}`}`
  return {
    physicalLocation: {
      artifactLocation: { uri: uriOf(file) },
      region: { startLine: line, startColumn: column },
    },
    logicalLocations: [{ fullyQualifiedName: name, kind: 'object' }],
    ...(origin !== undefined && { properties: { origin } }),
  }
}

function suppressionsOf({ isBaselined, waivedBy }: JudgedFinding) {
  const waiver = waivedBy === undefined ? [] : [describeWaiver(waivedBy)]
  const baseline = isBaselined === true ? ['listed in the baseline'] : []
  return [...waiver, ...baseline].map((justification) => ({ kind: 'external', justification }))
}

/** The same for the same finding in the next run, wherever it has moved; the n-th of its like ends in `:n`. */
function fingerprintOf(result: CheckResult, finding: JudgedFinding, seen: Map<string, number>): string {
  const digest = digestOf(keyOf(entryOf(result.manifest, result.object.name, finding)))
  const count = (seen.get(digest) ?? 0) + 1
  seen.set(digest, count)
  return `${digest}:${count}`
}

/** Relative to where the command ran, as the paths were given. */
function uriOf(file: string): string {
  if (isAbsolute(file)) return pathToFileURL(file).href
  return posix.normalize(file.replaceAll('\\', '/')).split('/').map(encodeURIComponent).join('/')
}
