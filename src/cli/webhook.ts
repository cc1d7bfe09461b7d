import { createSecureContext } from 'node:tls'
import { loadConnection } from '../cluster/connection.ts'
import { Reflector } from '../cluster/reflector.ts'
import { resources } from '../cluster/resources.ts'
import { Transport } from '../cluster/transport.ts'
import { loadConditionEngine } from '../core/cel/engine.ts'
import { parseTemplateKind, type TemplateKind } from '../core/workload/template-kinds.ts'
import { parseAddress } from '../runtime/address.ts'
import { systemClock } from '../runtime/clock.ts'
import { ClockWatch, disagreementHelp } from '../runtime/clock-watch.ts'
import { describeOptions, readConfig, wantsHelp, type OptionTable } from '../runtime/config.ts'
import { serveHealth } from '../runtime/http.ts'
import { createLog, type Log } from '../runtime/log.ts'
import { createMetrics, type Metrics } from '../runtime/metrics.ts'
import { Shutdown } from '../runtime/shutdown.ts'
import { TrustedClock } from '../runtime/trusted-clock.ts'
import { UsageError } from '../runtime/usage-error.ts'
import { CertificateWatch, readCertificate, type CertificatePair } from '../webhook/certificate.ts'
import { Judge } from '../webhook/judge.ts'
import { readSaying, type Saying } from '../webhook/said-of-grants.ts'
import { ServingCertificate } from '../webhook/serving-certificate.ts'
import { AdmissionServer } from '../webhook/server.ts'
import { WatchedWorld } from '../webhook/watched-world.ts'
import { worldKinds, type OperatorTerms, type WorldKind } from '../world/world-index.ts'
import { worldResources } from '../world/world-resources.ts'
import { clusterGrantOptions, clusterGrantTerms } from './cluster-grant-options.ts'
import { exitCodes, type CommandIo } from './command.ts'
import { processOptions } from './process-options.ts'
import { packageVersion } from './version.ts'

const options = {
  address: { kind: 'string', default: ':8443', description: 'where reviews are served, over TLS' },
  tlsDir: {
    kind: 'string',
    default: '/var/run/secrets/lapse.dev/tls',
    description: 'the directory with tls.crt and tls.key, read again as they change',
  },
  operatorUser: {
    kind: 'string',
    default: null,
    description: 'required: the user name of the operator, such as system:serviceaccount:lapse-system:lapse-controller',
  },
  credentialNamespaces: {
    kind: 'list',
    default: [],
    description: 'namespaces in which grants may have an identity and a token of their own; as the controller has it',
  },
  ...clusterGrantOptions,
  podTemplates: {
    kind: 'list',
    default: [],
    description: 'further kinds with pod templates: GROUP/KIND=PATH, such as argoproj.io/Rollout=spec.template',
  },
  ...processOptions,
} as const satisfies OptionTable

const grace = 25_000

/** `lapse webhook`: runs until it is told to end. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  if (wantsHelp(argv)) {
    io.stdout.write(`usage: lapse webhook --operator-user USER [OPTION…]\n\n${describeOptions(options)}`)
    return exitCodes.ok
  }
  const config = await readConfig(options, { argv, env: io.env })
  const { operatorUser, kubeconfig, tlsDir } = config
  if (operatorUser === null || operatorUser === '') throw new UsageError('--operator-user is required')
  const podTemplates = config.podTemplates.map(givenTemplateKind)
  const address = parseAddress('--address', config.address)
  const httpAddress = parseAddress('--http-address', config.httpAddress)
  const certificate = await givenCertificate(tlsDir)
  const clock = systemClock
  const trusted = new TrustedClock(clock)
  const version = packageVersion()
  const log = createLog({ level: config.logLevel, fields: { process: 'webhook' } })
  const shutdown = new Shutdown({ grace, clock, log })
  shutdown.listen()
  const metrics = createMetrics({ version })
  const connection = await loadConnection({ kubeconfig, clock })
  const transport = new Transport({
    connection,
    clock,
    random: Math.random,
    userAgent: `lapse-webhook/${version}`,
    observer: metrics,
    witness: trusted,
  })
  await loadConditionEngine()
  const { reflectors, approvals } = createReflectors(transport, log, metrics)
  const caches = [...reflectors, { kind: 'NHIGrantApproval', cache: approvals }] as const
  const terms = {
    credentialNamespaces: new Set(config.credentialNamespaces),
    clusterGrants: clusterGrantTerms(config, connection.namespace),
  }
  const world = createWorld(reflectors, terms, metrics)
  world.followApprovals(approvals)
  const server = new AdmissionServer({
    judge: new Judge({ world, operatorUser, podTemplates, clock: trusted, log, metrics }),
    version,
    clock,
    log,
  })
  const checks = caches.map(({ kind, cache }) => ({ name: `cache of ${kind}`, isReady: () => cache.hasSynced }))
  const serving = new ServingCertificate(server, certificate, clock)
  const install = (pair: CertificatePair): void => serving.replace(pair)
  const certificates = new CertificateWatch({ directory: tlsDir, current: certificate, install, clock, log })
  checks.push({ name: 'serving certificate within its time', isReady: () => serving.isValid })
  checks.push({ name: 'running', isReady: () => !shutdown.requested })
  const expiry = 'When the serving certificate ends, in seconds since the epoch.'
  metrics.gauge('lapse_serving_certificate_expiry_timestamp_seconds', expiry, () => serving.notAfter / 1_000)
  metrics.gauge('lapse_clock_disagreement_seconds', disagreementHelp, () => trusted.disagreement() / 1_000)
  const clocks = new ClockWatch({ clock: trusted, log })
  const port = await server.listen(address, certificate)
  const health = await serveHealth({ ...httpAddress, checks, metrics, log })
  shutdown.add('answer the last reviews', () => server.drain())
  shutdown.add('stop the watches', async () => void (await Promise.all(caches.map(({ cache }) => cache.stop()))))
  shutdown.add('stop looking at the clocks', async () => clocks.stop())
  shutdown.add('stop looking at the certificate', () => certificates.stop())
  shutdown.add('close the health server', () => health.close())
  shutdown.add('close connections', () => transport.close())
  certificates.start()
  clocks.start()
  try {
    for (const { cache } of caches) cache.start()
    await Promise.all(caches.map(({ cache }) => cache.whenSynced()))
    log.info('webhook ready', { version, port })
  } catch (error) {
    // a start that is broken off by a shutdown is none of its failures
    if (!shutdown.requested) throw error
  }
  return new Promise(() => {})
}

function givenTemplateKind(text: string): TemplateKind {
  const kind = parseTemplateKind(text)
  if (kind === null) throw new UsageError(`--pod-templates: ${JSON.stringify(text)} is not of the form GROUP/KIND=PATH`)
  return kind
}

/** Throws UsageError when there is no pair, or its parts do not belong together. */
async function givenCertificate(directory: string): Promise<CertificatePair> {
  try {
    const pair = await readCertificate(directory)
    createSecureContext(pair)
    return pair
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(`--tls-dir must hold tls.crt and its key in tls.key: ${reason}`)
  }
}

interface KindReflector {
  readonly kind: WorldKind
  readonly cache: Reflector
}

interface Reflectors {
  readonly reflectors: readonly KindReflector[]
  readonly approvals: Reflector<Saying | null>
}

function createReflectors(transport: Transport, log: Log, metrics: Metrics): Reflectors {
  const shared = { transport, clock: systemClock, log, random: Math.random, observer: metrics }
  return {
    reflectors: worldKinds.map((kind) => ({
      kind,
      cache: new Reflector({
        ...shared,
        type: worldResources[kind],
        form: kind === 'Namespace' ? 'metadata' : 'whole',
      }),
    })),
    approvals: new Reflector({ ...shared, type: resources.nhiGrantApprovals, form: 'whole', transform: readSaying }),
  }
}

function createWorld(reflectors: readonly KindReflector[], terms: OperatorTerms, metrics: Metrics): WatchedWorld {
  const watched = new WatchedWorld(systemClock, terms)
  for (const { kind, cache } of reflectors) watched.follow(kind, cache)
  const help = 'AccessPolicies that are there but cannot be parsed: they govern nobody.'
  metrics.gauge('lapse_broken_policies', help, () => watched.world.brokenPolicies.size)
  return watched
}
