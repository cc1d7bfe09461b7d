import { dump } from 'js-yaml'
import { documentOf, type CheckReport } from './check-report.ts'

/** The CheckReport document of JSON, as YAML. */
export function yamlReport(report: CheckReport): string {
  return dump(documentOf(report), { noRefs: true, lineWidth: -1 })
}
