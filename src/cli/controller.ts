import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { clockNews } from '../controllers/clock-news.ts'
import { Controllers } from '../controllers/controllers.ts'
import { endOverdue } from '../controllers/end-overdue.ts'
import { carriesGrant } from '../controllers/marks.ts'
import { carrierOf, type GrantCarrier } from '../controllers/nhi-grant/carrier.ts'
import { WatchedUntilObjects } from '../controllers/nhi-grant/watched-until-objects.ts'
import { EvidenceRecorder } from '../controllers/nhi-grant/evidence-recorder.ts'
import { withClusterGrants, type ControllerCaches } from '../controllers/watch.ts'
import {
  configurationName,
  parseExpectedWebhooks,
  WebhookGuard,
  type ExpectedWebhooks,
} from '../controllers/webhook-configuration/guard.ts'
import { registerGrantGauges } from '../controllers/nhi-grant/grant-gauges.ts'
import type {
  AccessPolicy,
  AccessPolicyRevision,
  NHIGrant,
  NHIGrantApproval,
  NHISuspension,
} from '../api/v1alpha1/objects.ts'
import { KubeClient } from '../cluster/client.ts'
import { loadConnection } from '../cluster/connection.ts'
import { EventRecorder } from '../cluster/events.ts'
import { KubeObjectWatcher } from '../cluster/object-watcher.ts'
import { Reflector } from '../cluster/reflector.ts'
import { resources, type ResourceType } from '../cluster/resources.ts'
import type { Selection } from '../cluster/paged-list.ts'
import type { KubeObject, MetadataOnly } from '../cluster/ports.ts'
import { Transport } from '../cluster/transport.ts'
import { loadConditionEngine } from '../core/cel/engine.ts'
import type { ClusterGrantTerms } from '../core/world.ts'
import { parseAddress } from '../runtime/address.ts'
import { systemClock } from '../runtime/clock.ts'
import { describeOptions, readConfig, wantsHelp, type OptionTable } from '../runtime/config.ts'
import { serveHealth } from '../runtime/http.ts'
import { ClockWatch, disagreementHelp } from '../runtime/clock-watch.ts'
import { createLog, type Log } from '../runtime/log.ts'
import { createMetrics, type Metrics } from '../runtime/metrics.ts'
import { Shutdown } from '../runtime/shutdown.ts'
import { TrustedClock } from '../runtime/trusted-clock.ts'
import { UsageError } from '../runtime/usage-error.ts'
import { auditOptions, checkAuditLog, createAuditLog } from './audit-log.ts'
import { clusterGrantOptions, clusterGrantTerms } from './cluster-grant-options.ts'
import { exitCodes, type CommandIo } from './command.ts'
import { ControllerStart } from './controller-start.ts'
import { checkLease, LeaseCandidate, leaseOptions } from './lease.ts'
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
  credentialNamespaces: {
    kind: 'list',
    default: [],
    description: 'namespaces in which grants may have an identity and a token of their own',
  },
  ...clusterGrantOptions,
  expectedWebhooks: {
    kind: 'string',
    default: null,
    description: 'the webhooks that must be registered, as JSON; without it those that are when the process starts',
  },
  ...auditOptions,
  ...leaseOptions,
  ...processOptions,
} as const satisfies OptionTable

const grace = 25_000
/** Of the grace, so that there is time to give the lease back when the API server is silent. */
const drainWithin = 12_000
const releaseWithin = 6_000
/** An audit log that does not answer is waited for no longer. */
const closeWithin = 2_000

/** `lapse controller`: runs until it is told to end. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  if (wantsHelp(argv)) {
    io.stdout.write(`usage: lapse controller [OPTION…]\n\n${describeOptions(options)}`)
    return exitCodes.ok
  }
  const config = await readConfig(options, { argv, env: io.env })
  checkLease(config)
  checkAuditLog(config)
  const expected = givenWebhooks(config.expectedWebhooks)
  const clock = systemClock
  const trusted = new TrustedClock(clock)
  const version = packageVersion()
  const log = createLog({ level: config.logLevel, fields: { process: 'controller' } })
  const shutdown = new Shutdown({ grace, clock, log })
  shutdown.listen()
  const metrics = createMetrics({ version })
  const connection = await loadConnection({ kubeconfig: config.kubeconfig, clock })
  const identity = config.identity ?? `${hostname()}_${randomUUID()}`
  const userAgent = `lapse-controller/${version} (${identity})`
  const onLost = (reason: string): void => {
    log.error('lease lost', { reason })
    if (!shutdown.requested) process.exit(exitCodes.leaseLost)
  }
  const lease = new LeaseCandidate({
    config,
    identity,
    connection,
    clock,
    log,
    metrics,
    userAgent,
    witness: trusted,
    onLost,
  })
  const transport = new Transport({
    connection,
    clock,
    random: Math.random,
    userAgent,
    mayWrite: () => lease.elector.leads,
    observer: metrics,
    witness: trusted,
  })
  const events = new EventRecorder({
    transport,
    clock,
    log,
    random: Math.random,
    instance: identity,
    observer: metrics,
  })
  const audit = createAuditLog({ config, clock: trusted, log, metrics, version, identity })
  await loadConditionEngine()
  const clusterGrants = clusterGrantTerms(config, config.leaseNamespace ?? connection.namespace)
  const reflectors = createReflectors(transport, log, metrics)
  const wide = createClusterReflectors(transport, log, metrics, clusterGrants)
  const caches = withClusterGrants(reflectors, wide)
  const watcher = new KubeObjectWatcher({ transport, clock, log, random: Math.random })
  const untilObjects = new WatchedUntilObjects(watcher)
  const client = new KubeClient(transport)
  const controllers = new Controllers({
    client,
    events,
    audit,
    caches,
    untilObjects,
    clock: trusted,
    log,
    poolSize: config.poolSize,
    credentialNamespaces: config.credentialNamespaces,
    clusterGrants,
    bindableClusterRoles: config.bindableClusterRoles,
    observer: metrics,
    random: Math.random,
  })
  const untilHelp = 'Objects that are watched because grants end with them, of 500 at most.'
  metrics.gauge('lapse_until_objects', untilHelp, () => untilObjects.watchedCount)
  const registered = createConfigurationReflectors(transport, log, metrics)
  const leads = (): boolean => lease.elector.leads
  const guard = new WebhookGuard({ caches: registered, expected, events, log, leads })
  const intact = 'Whether the API server is told to ask the webhooks about everything that they must be asked about.'
  metrics.gauge('lapse_webhook_configuration_intact', intact, () => (guard.isIntact() ? 1 : 0))
  const about = { namespace: config.leaseNamespace ?? connection.namespace, name: config.leaseName }
  const clocks = new ClockWatch({ clock: trusted, log, onChange: clockNews(events, about, leads) })
  metrics.gauge('lapse_clock_disagreement_seconds', disagreementHelp, () => trusted.disagreement() / 1_000)
  registerGrantGauges(metrics, caches)
  const all = Object.entries({ ...reflectors, ...wide })
  const guarded = Object.values(registered)
  const checks = all.map(([name, reflector]) => ({ name: `cache of ${name}`, isReady: () => reflector.hasSynced }))
  checks.push({ name: 'lease', isReady: () => lease.elector.isInTouch })
  checks.push({ name: 'running', isReady: () => !shutdown.requested })
  const health = await serveHealth({ ...parseAddress('--http-address', config.httpAddress), checks, metrics, log })
  const start = new ControllerStart({
    lease,
    caches: all.map(([, reflector]) => reflector),
    bindings: [reflectors.grantBindings, ...('clusterGrantBindings' in wide ? [wide.clusterGrantBindings] : [])],
    controllers,
    endOverdue: () =>
      endOverdue({
        client,
        bindings: caches.grantBindings.list(),
        evidence: new EvidenceRecorder({ audit, clock: trusted }),
        clock: trusted,
        log,
        isStopping: () => shutdown.requested,
      }),
    clock,
    log,
    onStuck: onLost,
  })
  shutdown.add('stop looking at the clocks', async () => clocks.stop())
  shutdown.add('drain the queues', () => drainBoth(start, controllers), drainWithin)
  shutdown.add('close the audit log', () => audit.close(), closeWithin)
  shutdown.add('write the last events', () => events.drain())
  shutdown.add('give the lease back', () => lease.release(), releaseWithin)
  shutdown.add('stop the watches', async () => {
    const watches = [...all.map(([, reflector]) => reflector), ...guarded, untilObjects]
    await Promise.all(watches.map((each) => each.stop()))
  })
  shutdown.add('close the health server', () => health.close())
  shutdown.add('close connections', () => transport.close())
  try {
    // nothing waits for them: grants end whether or not they can be read
    for (const reflector of guarded) reflector.start()
    await start.run()
    void audit.write([]).catch(() => {}) // begins the chain; what is wrong with it is logged
    log.info('controllers started', { version, identity })
    clocks.start()
    await Promise.all(guarded.map((reflector) => reflector.whenSynced()))
    guard.report()
  } catch (error) {
    // a start that is broken off by a shutdown is none of its failures
    if (!shutdown.requested) throw error
  }
  return new Promise(() => {})
}

async function drainBoth(...both: readonly { drain(): Promise<void> }[]): Promise<void> {
  await Promise.all(both.map((each) => each.drain()))
}

function givenWebhooks(text: string | null): ExpectedWebhooks {
  const expected = text === null ? asFound : parseExpectedWebhooks(text)
  if (expected === null)
    throw new UsageError('--expected-webhooks must be a JSON object with the webhooks of each kind')
  return expected
}

const asFound: ExpectedWebhooks = { ValidatingWebhookConfiguration: null, MutatingWebhookConfiguration: null }

function createConfigurationReflectors(transport: Transport, log: Log, metrics: Metrics) {
  const reflect = (type: ResourceType): Reflector =>
    new Reflector({
      type,
      name: configurationName,
      transport,
      clock: systemClock,
      log,
      random: Math.random,
      observer: metrics,
    })
  return {
    ValidatingWebhookConfiguration: reflect(resources.validatingWebhookConfigurations),
    MutatingWebhookConfiguration: reflect(resources.mutatingWebhookConfigurations),
  }
}

type Reflectors = {
  readonly [K in keyof ControllerCaches]: Reflector<NonNullable<ReturnType<ControllerCaches[K]['get']>>>
}

function createReflectors(transport: Transport, log: Log, metrics: Metrics): Reflectors {
  const base = { transport, clock: systemClock, log, random: Math.random, observer: metrics }
  const reflect = <T>(
    type: ResourceType,
    selection: Selection = {},
    transform?: (object: KubeObject) => T,
  ): Reflector<T> => new Reflector<T>({ type, ...selection, ...base, ...(transform !== undefined && { transform }) })
  return {
    policies: reflect<AccessPolicy>(resources.accessPolicies),
    revisions: reflect<AccessPolicyRevision>(resources.accessPolicyRevisions),
    grants: reflect<NHIGrant>(resources.nhiGrants),
    approvals: reflect<NHIGrantApproval>(resources.nhiGrantApprovals),
    suspensions: reflect<NHISuspension>(resources.nhiSuspensions),
    namespaces: reflect<MetadataOnly>(resources.namespaces, { form: 'metadata' }),
    serviceAccounts: reflect<MetadataOnly>(resources.serviceAccounts, { form: 'metadata' }),
    clusterRoles: reflect<KubeObject>(resources.clusterRoles),
    grantBindings: reflect<GrantCarrier>(resources.roleBindings, { labelSelector: carriesGrant }, carrierOf),
    grantRoles: reflect<GrantCarrier>(resources.roles, { labelSelector: carriesGrant }, carrierOf),
  }
}

/** Grants that may not be issued are watched as well, to be denied. */
function createClusterReflectors(transport: Transport, log: Log, metrics: Metrics, { enabled }: ClusterGrantTerms) {
  const base = { transport, clock: systemClock, log, random: Math.random, observer: metrics }
  const clusterGrants = new Reflector<NHIGrant>({ type: resources.clusterNhiGrants, ...base })
  if (!enabled) return { clusterGrants }
  const type = resources.clusterRoleBindings
  const selection = { labelSelector: carriesGrant, transform: carrierOf }
  return { clusterGrants, clusterGrantBindings: new Reflector<GrantCarrier>({ type, ...selection, ...base }) }
}
