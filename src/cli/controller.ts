import { Controllers } from '../controllers/controllers.ts'
import type { ControllerCaches } from '../controllers/watch.ts'
import type { AccessPolicy, AccessPolicyRevision, NHIGrant } from '../api/v1alpha1/objects.ts'
import { KubeClient } from '../cluster/client.ts'
import { loadConnection } from '../cluster/connection.ts'
import { Reflector } from '../cluster/reflector.ts'
import { resources, type ResourceType } from '../cluster/resources.ts'
import type { KubeObject } from '../cluster/ports.ts'
import { Transport } from '../cluster/transport.ts'
import { parseAddress } from '../runtime/address.ts'
import { systemClock } from '../runtime/clock.ts'
import { describeOptions, readConfig, wantsHelp, type OptionTable } from '../runtime/config.ts'
import { serveHealth } from '../runtime/http.ts'
import { createLog, type Log } from '../runtime/log.ts'
import { createMetrics, type Metrics } from '../runtime/metrics.ts'
import { Shutdown } from '../runtime/shutdown.ts'
import { exitCodes, type CommandIo } from './command.ts'
import { processOptions } from './process-options.ts'
import { packageVersion } from './version.ts'

const options = {
  poolSize: {
    kind: 'integer',
    minimum: 1,
    maximum: 1024,
    default: 256,
    description: 'how many ClusterRoles lapse-set-N the operator may bind',
  },
  bindableClusterRoles: { kind: 'list', default: [], description: 'further ClusterRoles that it may bind by name' },
  ...processOptions,
} as const satisfies OptionTable

const grace = 25_000

/** `lapse controller`: runs until it is told to end. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  if (wantsHelp(argv)) {
    io.stdout.write(`usage: lapse controller [OPTION…]\n\n${describeOptions(options)}`)
    return exitCodes.ok
  }
  const config = await readConfig(options, { argv, env: io.env })
  const clock = systemClock
  const log = createLog({ level: config.logLevel, fields: { process: 'controller' } })
  const metrics = createMetrics({ version: packageVersion() })
  const connection = await loadConnection({
    ...(config.kubeconfig === null ? {} : { kubeconfig: config.kubeconfig }),
    clock,
  })
  const transport = new Transport({ connection, clock, random: Math.random, userAgent: 'lapse-controller' })
  const reflectors = createReflectors(transport, log, metrics)
  const controllers = new Controllers({
    client: new KubeClient(transport),
    caches: reflectors,
    clock,
    log,
    poolSize: config.poolSize,
    bindableClusterRoles: config.bindableClusterRoles,
    observer: metrics,
  })
  const shutdown = new Shutdown({ grace, clock, log })
  const all = Object.entries(reflectors)
  const checks = all.map(([name, reflector]) => ({ name: `cache of ${name}`, isReady: () => reflector.hasSynced }))
  checks.push({ name: 'running', isReady: () => !shutdown.requested })
  const health = await serveHealth({ ...parseAddress('--http-address', config.httpAddress), checks, metrics, log })
  shutdown.add('drain the queues', () => controllers.drain())
  shutdown.add('stop the watches', async () => void (await Promise.all(all.map(([, reflector]) => reflector.stop()))))
  shutdown.add('close the health server', () => health.close())
  shutdown.add('close connections', () => transport.close())
  shutdown.listen()
  for (const [, reflector] of all) reflector.start()
  await Promise.all(all.map(([, reflector]) => reflector.whenSynced()))
  controllers.start()
  log.info('controllers started', { version: packageVersion() })
  return new Promise(() => {})
}

type Reflectors = {
  readonly [K in keyof ControllerCaches]: Reflector<NonNullable<ReturnType<ControllerCaches[K]['get']>>>
}

function createReflectors(transport: Transport, log: Log, metrics: Metrics): Reflectors {
  const reflect = <T>(type: ResourceType): Reflector<T> =>
    new Reflector<T>({ type, transport, clock: systemClock, log, random: Math.random, observer: metrics })
  return {
    policies: reflect<AccessPolicy>(resources.accessPolicies),
    revisions: reflect<AccessPolicyRevision>(resources.accessPolicyRevisions),
    grants: reflect<NHIGrant>(resources.nhiGrants),
    namespaces: reflect<KubeObject>(resources.namespaces),
    serviceAccounts: reflect<KubeObject>(resources.serviceAccounts),
    clusterRoles: reflect<KubeObject>(resources.clusterRoles),
  }
}
