import { KubeClient } from '../cluster/client.ts'
import { loadConnection } from '../cluster/connection.ts'
import type { MetadataOnly } from '../cluster/ports.ts'
import { Reflector } from '../cluster/reflector.ts'
import { Transport } from '../cluster/transport.ts'
import { carriesGrant } from '../controllers/marks.ts'
import type { Millis } from '../core/time.ts'
import { bindingTypes } from '../reaper/managed-binding.ts'
import { Reaper } from '../reaper/reaper.ts'
import { parseAddress } from '../runtime/address.ts'
import { ClockWatch, disagreementHelp } from '../runtime/clock-watch.ts'
import { systemClock } from '../runtime/clock.ts'
import { describeOptions, readConfig, wantsHelp, type OptionTable } from '../runtime/config.ts'
import { serveHealth } from '../runtime/http.ts'
import { createLog } from '../runtime/log.ts'
import { createMetrics } from '../runtime/metrics.ts'
import { Shutdown } from '../runtime/shutdown.ts'
import { TrustedClock } from '../runtime/trusted-clock.ts'
import { UsageError } from '../runtime/usage-error.ts'
import { exitCodes, type CommandIo } from './command.ts'
import { processOptions } from './process-options.ts'
import { packageVersion } from './version.ts'

const options = {
  grace: {
    kind: 'duration',
    default: '2s',
    description: 'how long after its end a binding is left to the controller; at most 1m',
  },
  ...processOptions,
} as const satisfies OptionTable

const longestGrace: Millis = 60_000
const shutdownGrace: Millis = 25_000

/** `lapse reaper`: runs until it is told to end. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  if (wantsHelp(argv)) {
    io.stdout.write(`usage: lapse reaper [OPTION…]\n\n${describeOptions(options)}`)
    return exitCodes.ok
  }
  const { grace, kubeconfig, logLevel, httpAddress } = await readConfig(options, { argv, env: io.env })
  if (grace > longestGrace) throw new UsageError('--grace must be at most 1m')
  const clock = systemClock
  const trusted = new TrustedClock(clock)
  const version = packageVersion()
  const log = createLog({ level: logLevel, fields: { process: 'reaper' } })
  const shutdown = new Shutdown({ grace: shutdownGrace, clock, log })
  shutdown.listen()
  const metrics = createMetrics({ version })
  const connection = await loadConnection({ kubeconfig, clock })
  const userAgent = `lapse-reaper/${version}`
  const transport = new Transport({
    connection,
    clock,
    random: Math.random,
    userAgent,
    observer: metrics,
    witness: trusted,
  })
  const reflect = (kind: keyof typeof bindingTypes): Reflector<MetadataOnly> =>
    new Reflector<MetadataOnly>({
      type: bindingTypes[kind],
      form: 'metadata',
      labelSelector: carriesGrant,
      transport,
      clock,
      log,
      random: Math.random,
      observer: metrics,
    })
  const caches = { RoleBinding: reflect('RoleBinding'), ClusterRoleBinding: reflect('ClusterRoleBinding') }
  const reaper = new Reaper({
    client: new KubeClient(transport),
    caches,
    grace,
    clock: trusted,
    log,
    random: Math.random,
    observer: metrics.queue('reaper'),
    reaped: metrics.reaps(),
  })
  metrics.gauge('lapse_reaper_overdue', 'Bindings that are there although their end has come.', () => reaper.overdue())
  metrics.gauge('lapse_clock_disagreement_seconds', disagreementHelp, () => trusted.disagreement() / 1_000)
  const clocks = new ClockWatch({ clock: trusted, log })
  const all = Object.entries(caches)
  const checks = all.map(([kind, cache]) => ({ name: `cache of ${kind}s`, isReady: () => cache.hasSynced }))
  checks.push({ name: 'running', isReady: () => !shutdown.requested })
  const health = await serveHealth({ ...parseAddress('--http-address', httpAddress), checks, metrics, log })
  shutdown.add('drain the queue', () => reaper.drain())
  shutdown.add('stop the watches', async () => {
    await Promise.all(all.map(([, cache]) => cache.stop()))
  })
  shutdown.add('stop looking at the clocks', () => clocks.stop())
  shutdown.add('close the health server', () => health.close())
  shutdown.add('close connections', () => transport.close())
  // one that cannot be read keeps nothing back in the other
  for (const [, cache] of all) cache.start()
  reaper.start()
  clocks.start()
  log.info('reaper started', { version })
  return new Promise(() => {})
}
