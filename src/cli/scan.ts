import type { AccessPolicy } from '../api/v1alpha1/objects.ts'
import { KubeClient } from '../cluster/client.ts'
import { loadConnection } from '../cluster/connection.ts'
import { Reflector } from '../cluster/reflector.ts'
import { resources } from '../cluster/resources.ts'
import { Transport } from '../cluster/transport.ts'
import type { Millis } from '../core/time.ts'
import { loadConditionEngine } from '../core/cel/engine.ts'
import { parseAddress } from '../runtime/address.ts'
import { systemClock } from '../runtime/clock.ts'
import { describeOptions, readConfig, wantsHelp, type OptionTable } from '../runtime/config.ts'
import { serveHealth } from '../runtime/http.ts'
import { createLog } from '../runtime/log.ts'
import { createMetrics } from '../runtime/metrics.ts'
import { after, WorkQueue } from '../runtime/queue.ts'
import { Shutdown } from '../runtime/shutdown.ts'
import { UsageError } from '../runtime/usage-error.ts'
import { Scan } from '../scan/scan.ts'
import { exitCodes, type CommandIo } from './command.ts'
import { processOptions } from './process-options.ts'
import { packageVersion } from './version.ts'

const options = {
  interval: {
    kind: 'duration',
    default: '10m',
    description: 'how long after a scan the next one begins; at least 10s',
  },
  ...processOptions,
} as const satisfies OptionTable

const shortestInterval: Millis = 10_000
const grace = 25_000
/** Policies that change together are judged together. */
const settle: Millis = 2_000

/** `lapse scan`: runs until it is told to end. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  if (wantsHelp(argv)) {
    io.stdout.write(`usage: lapse scan [OPTION…]\n\n${describeOptions(options)}`)
    return exitCodes.ok
  }
  const { interval, kubeconfig, logLevel, httpAddress } = await readConfig(options, { argv, env: io.env })
  if (interval < shortestInterval) throw new UsageError('--interval must be at least 10s')
  const clock = systemClock
  const version = packageVersion()
  const log = createLog({ level: logLevel, fields: { process: 'scan' } })
  const shutdown = new Shutdown({ grace, clock, log })
  shutdown.listen()
  const metrics = createMetrics({ version })
  const connection = await loadConnection({ kubeconfig, clock })
  const userAgent = `lapse-scan/${version}`
  await loadConditionEngine()
  const transport = new Transport({ connection, clock, random: Math.random, userAgent, observer: metrics })
  const policies = new Reflector<AccessPolicy>({
    type: resources.accessPolicies,
    transport,
    clock,
    log,
    random: Math.random,
    observer: metrics,
  })
  const scan = new Scan({ client: new KubeClient(transport), clock, log, scanned: metrics.scans() })
  const queue = new WorkQueue({
    name: 'scan',
    worker: () => scan.run().then(() => after(interval)),
    clock,
    log,
    random: Math.random,
    observer: metrics.queue('scan'),
  })
  const checks = [
    { name: 'cache of policies', isReady: () => policies.hasSynced },
    { name: 'running', isReady: () => !shutdown.requested },
  ]
  const health = await serveHealth({ ...parseAddress('--http-address', httpAddress), checks, metrics, log })
  // without connections a scan that is under way ends: the next one does it all again
  shutdown.add('stop the watch', () => policies.stop())
  shutdown.add('close connections', () => transport.close())
  shutdown.add('drain the queue', () => queue.drain())
  shutdown.add('close the health server', () => health.close())
  policies.subscribe(({ before, after: policy }) => {
    // whoever counts grants in the status changes no rule
    if (before?.metadata.generation !== policy?.metadata.generation) queue.addAfter('all', settle)
  })
  policies.start()
  queue.add('all')
  queue.start()
  log.info('scan started', { version })
  return new Promise(() => {})
}
