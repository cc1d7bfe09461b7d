import { Conflict, NotFound } from '../cluster/errors.ts'
import type { KubeObject, ScanClient } from '../cluster/ports.ts'
import { resources, type ResourceType } from '../cluster/resources.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { reportLabels, reportName, reportOf, type NamespaceResults } from './report.ts'

export interface ReportWriterParts {
  readonly client: Pick<ScanClient, 'list' | 'create' | 'replace' | 'delete'>
  readonly clock: Clock
  readonly log: Log
}

const labelSelector = Object.entries(reportLabels)
  .map(([key, value]) => `${key}=${value}`)
  .join(',')

/** Brings the reports of openreports.io to what a scan found: one in each namespace in which a policy governs something, and one for the cluster. */
export class ReportWriter {
  readonly #parts: ReportWriterParts

  constructor(parts: ReportWriterParts) {
    this.#parts = parts
  }

  /** Writes only what differs. Without the kind in the cluster there is nothing to write; the metrics tell all the same. */
  async write(namespaces: ReadonlyMap<string, NamespaceResults>): Promise<void> {
    const { client, clock, log } = this.#parts
    const stored = await this.#stored()
    if (stored === null) return log.info('reports not written: the cluster has no openreports.io/v1alpha1', {})
    for (const [namespace, results] of namespaces) {
      if (results.passed === 0 && results.findings.length === 0) continue
      const previous = stored.get(namespace) ?? null
      stored.delete(namespace)
      const report = reportOf(namespace, results, previous, clock.now())
      if (report !== previous) await this.#put(report, previous)
    }
    for (const { metadata } of stored.values()) {
      const { namespace = '', name, uid } = metadata
      await client.delete(typeOf(namespace), { namespace, name }, { uid })
    }
  }

  /** Ours, by namespace; null: the cluster does not know the kind. */
  async #stored(): Promise<Map<string, KubeObject> | null> {
    try {
      const { client } = this.#parts
      const reports = await client.list(resources.reports, { labelSelector })
      const clusterReports = await client.list(resources.clusterReports, { labelSelector })
      const ours = [...reports, ...clusterReports].filter(({ metadata }) => metadata.name === reportName)
      return new Map(ours.map((report) => [report.metadata.namespace ?? '', report]))
    } catch (error) {
      if (error instanceof NotFound) return null
      throw error
    }
  }

  /** What somebody else wrote meanwhile, or a namespace that is going, is left to the next scan. */
  async #put(report: object, previous: KubeObject | null): Promise<void> {
    const { client, log } = this.#parts
    try {
      const type = typeOf((report as KubeObject).metadata.namespace ?? '')
      if (previous === null) await client.create(type, report)
      else await client.replace(type, report as KubeObject)
    } catch (error) {
      if (!(error instanceof Conflict) && !(error instanceof NotFound)) throw error
      log.warn('report not written', { error })
    }
  }
}

function typeOf(namespace: string): ResourceType {
  return namespace === '' ? resources.clusterReports : resources.reports
}
