import type { CheckOutput } from './check-args.ts'
import type { CheckReport } from './check-report.ts'
import type { Paint } from './paint.ts'

type Format = (report: CheckReport, paint: Paint) => string

/** Imported only when the format is asked for: the start of every other check must not pay for it. */
const formats: Readonly<Record<CheckOutput, () => Promise<Format>>> = {
  text: async () => (await import('./check-text.ts')).textReport,
  json: async () => (await import('./check-report.ts')).jsonReport,
  yaml: async () => (await import('./check-yaml.ts')).yamlReport,
  sarif: async () => (await import('./check-sarif.ts')).sarifReport,
  junit: async () => (await import('./check-junit.ts')).junitReport,
  github: async () => (await import('./check-github.ts')).githubReport,
}

/** The report as it goes to stdout. */
export async function printed(report: CheckReport, output: CheckOutput, paint: Paint): Promise<string> {
  return (await formats[output]())(report, paint)
}
