import { setImmediate } from 'node:timers/promises'
import type { KubeObject, ScanClient } from '../cluster/ports.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Scanned } from '../runtime/scan-metrics.ts'
import { judgeStoredBinding, StoredJudge, type StoredVerdict } from './judge-stored.ts'
import { readWorld } from './read-world.ts'
import type { StoredFinding } from './report.ts'
import { ReportWriter } from './report-writer.ts'
import { scannedBindings, scannedKinds } from './scanned-kinds.ts'

export interface ScanParts {
  readonly client: ScanClient
  readonly clock: Clock
  readonly log: Log
  /** Is told of each scan that ends without a failure. */
  readonly scanned: (outcome: Scanned) => void
}

interface Tally {
  passed: number
  ungoverned: number
  readonly findings: StoredFinding[]
}

/** Judges everything that is stored, as if it came now, and writes down what is wrong. Changes nothing of it. */
export class Scan {
  readonly #parts: ScanParts
  readonly #writer: ReportWriter

  constructor(parts: ScanParts) {
    this.#parts = parts
    this.#writer = new ReportWriter(parts)
  }

  async run(): Promise<void> {
    const { client, clock, log, scanned } = this.#parts
    const begun = clock.monotonic()
    const world = await readWorld(client)
    const judge = new StoredJudge(world, clock.now())
    const namespaces = new Map<string, Tally>()
    let objects = 0
    for (const type of [...scannedKinds, ...scannedBindings]) {
      const isBinding = scannedBindings.includes(type)
      for await (const page of client.pages(type)) {
        for (const object of page)
          take(namespaces, object, isBinding ? judgeStoredBinding(object, world) : judge.judge(object))
        objects += page.length
        await setImmediate() // probes are answered between two pages
      }
    }
    await this.#writer.write(namespaces)
    const outcome = { objects, findings: countsOf(namespaces), duration: clock.monotonic() - begun }
    scanned(outcome)
    const found = outcome.findings.reduce((sum, { count }) => sum + count, 0)
    log.info('scanned', { objects, findings: found, durationMs: Math.round(outcome.duration) })
  }
}

function take(namespaces: Map<string, Tally>, object: KubeObject, verdict: StoredVerdict): void {
  if (verdict.kind === 'Over') return
  const namespace = object.metadata.namespace ?? ''
  const tally = namespaces.get(namespace) ?? { passed: 0, ungoverned: 0, findings: [] }
  namespaces.set(namespace, tally)
  const named = nameOnly(object)
  if (verdict.kind === 'Ungoverned') tally.ungoverned += 1
  else if (verdict.kind === 'Unreadable')
    tally.findings.push({ object: named, finding: null, message: `cannot be read: ${verdict.message}` })
  else if (verdict.findings.length === 0) tally.passed += 1
  else tally.findings.push(...verdict.findings.map((finding) => ({ object: named, finding, message: textOf(finding) })))
}

/** What a report says of an object; the object itself is not kept. */
function nameOnly({ apiVersion = '', kind = '', metadata }: KubeObject): KubeObject {
  const { name, namespace = '', uid, resourceVersion } = metadata
  return { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion } }
}

function textOf({ path, message }: NonNullable<StoredFinding['finding']>): string {
  return path === '' ? message : `${path}: ${message}`
}

function countsOf(namespaces: ReadonlyMap<string, Tally>): Scanned['findings'] {
  const counts = new Map<string, Scanned['findings'][number]>()
  for (const { findings } of namespaces.values()) {
    for (const { finding } of findings) {
      const [policy, check, enforcement] =
        finding === null ? ['', 'invalid', 'Deny'] : [finding.policy.name, finding.check, finding.enforcement]
      const key = `${policy}/${check}/${enforcement}`
      counts.set(key, { policy, check, enforcement, count: (counts.get(key)?.count ?? 0) + 1 })
    }
  }
  return [...counts.values()]
}
