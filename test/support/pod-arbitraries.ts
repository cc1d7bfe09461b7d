import * as fc from 'fast-check'

export const podSecurityVersions = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 36 }).map((minor) => `v1.${minor}`) },
  { weight: 1, arbitrary: fc.constantFrom('latest', 'v1.99') },
)

/** Mostly harmless, so that one check at a time decides; now and then null, which is absent. */
function mostly<T>(harmless: readonly T[], harmful: readonly T[]): fc.Arbitrary<T | null> {
  return fc.oneof(
    { weight: 24, arbitrary: fc.constantFrom(...harmless) },
    { weight: 2, arbitrary: fc.constantFrom(...harmful) },
    { weight: 1, arbitrary: fc.constant(null) },
  )
}

const profile = mostly<object>(
  [{ type: 'RuntimeDefault' }, { type: 'Localhost', localhostProfile: 'p' }],
  [{ type: 'Unconfined' }, { type: '' }, {}],
)
const seLinuxOptions = fc.record(
  {
    type: mostly(
      ['', 'container_t', 'container_init_t', 'container_kvm_t'],
      ['container_engine_t', 'spc_t', 'container_T'],
    ),
    user: mostly([''], ['system_u']),
    role: mostly([''], ['system_r']),
  },
  { requiredKeys: [] },
)
const windowsOptions = mostly([{}, { hostProcess: false }], [{ hostProcess: true }])
const sharedSecurityFields = {
  runAsNonRoot: mostly([true], [false]),
  runAsUser: mostly([1, 1000], [0]),
  seccompProfile: profile,
  appArmorProfile: profile,
  seLinuxOptions,
  windowsOptions,
}

const sysctls = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
  'kernel.msgmax',
  '',
]
const podSecurityContext = fc.record(
  {
    ...sharedSecurityFields,
    sysctls: fc.array(
      fc.record({
        name: fc.constantFrom(...sysctls),
        value: fc.constant('1'),
      }),
      { maxLength: 1 },
    ),
  },
  { requiredKeys: [] },
)

const addedCapabilities = [
  ...'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'.split(' '),
  ...'NET_RAW SYS_ADMIN CAP_CHOWN chown ALL'.split(' '),
  '',
]
const capabilities = fc.record(
  {
    add: fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.constant('NET_BIND_SERVICE') },
        { weight: 1, arbitrary: fc.constantFrom(...addedCapabilities) },
      ),
      { maxLength: 2 },
    ),
    drop: mostly([['ALL'], ['NET_RAW', 'ALL']], [['NET_RAW'], ['all'], []]),
  },
  { requiredKeys: ['drop'] },
)

const containerSecurityContext = fc.record(
  {
    ...sharedSecurityFields,
    privileged: mostly([false], [true]),
    allowPrivilegeEscalation: mostly([false], [true]),
    capabilities,
    procMount: mostly(['Default'], ['Unmasked', '']),
  },
  { requiredKeys: ['allowPrivilegeEscalation', 'capabilities'] },
)

const handler = fc.record(
  {
    httpGet: mostly<object>([{ port: 80 }, { host: '', port: 80 }], [{ host: 'db', port: 80 }]),
    tcpSocket: mostly<object>([{ port: 80 }], [{ host: '10.0.0.1', port: 80 }]),
  },
  { requiredKeys: [] },
)

function containers(names: readonly string[], minLength: number): fc.Arbitrary<readonly object[]> {
  const container = fc.record(
    {
      securityContext: fc.option(containerSecurityContext, { freq: 12 }),
      ports: fc.array(
        mostly<object>([{ containerPort: 80 }, { hostPort: 0 }], [{ hostPort: 8080 }]).map((port) => port ?? {}),
        { maxLength: 2 },
      ),
      livenessProbe: handler,
      readinessProbe: handler,
      startupProbe: handler,
      lifecycle: fc.record({ postStart: handler, preStop: handler }, { requiredKeys: [] }),
    },
    { requiredKeys: ['securityContext'] },
  )
  return fc
    .array(container, { minLength, maxLength: names.length })
    .map((list) => list.map((each, index) => ({ name: names[index], ...each })))
}

const allowedSources =
  'configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret'.split(' ')
const forbiddenSources = [
  ...'hostPath gcePersistentDisk awsElasticBlockStore gitRepo nfs iscsi glusterfs rbd flexVolume cinder cephfs'.split(
    ' ',
  ),
  ...'flocker fc azureFile vsphereVolume quobyte azureDisk photonPersistentDisk portworxVolume scaleIO storageos'.split(
    ' ',
  ),
  'unheardOf',
]
const volume = fc.oneof(
  { weight: 24, arbitrary: fc.constantFrom(...allowedSources).map((source) => ({ name: 'v', [source]: {} })) },
  { weight: 2, arbitrary: fc.constantFrom(...forbiddenSources).map((source) => ({ name: 'v', [source]: {} })) },
  { weight: 2, arbitrary: fc.constant({ name: 'v', hostPath: { path: '/run' } }) },
  { weight: 1, arbitrary: fc.constantFrom({ name: 'v' }, { name: 'v', emptyDir: null }) },
)

const annotations = fc.record(
  {
    'container.apparmor.security.beta.kubernetes.io/main': fc.constantFrom(
      '',
      'runtime/default',
      'localhost/p',
      'unconfined',
    ),
    'container.apparmor.security.beta.kubernetes.io/nobody': fc.constantFrom('runtime/default', 'localhost'),
    'seccomp.security.alpha.kubernetes.io/pod': fc.constantFrom('runtime/default', 'localhost/p', 'unconfined', ''),
    'container.seccomp.security.alpha.kubernetes.io/init': fc.constantFrom('docker/default', 'unconfined'),
    'container.seccomp.security.alpha.kubernetes.io/debug': fc.constantFrom('localhost/p', 'localhost'),
    'container.seccomp.security.alpha.kubernetes.io/nobody': fc.constant('unconfined'),
  },
  { requiredKeys: [] },
)

export const pods = fc.record({
  metadata: fc.record({
    annotations: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: annotations }),
  }),
  spec: fc.record(
    {
      containers: containers(['main', 'second'], 1),
      initContainers: containers(['init'], 0),
      ephemeralContainers: containers(['debug'], 0),
      volumes: fc.array(volume, { maxLength: 2 }),
      securityContext: fc.option(podSecurityContext, { freq: 12 }),
      hostNetwork: mostly([false], [true]),
      hostPID: mostly([false], [true]),
      hostIPC: mostly([false], [true]),
      hostUsers: fc.constantFrom(true, false, null),
      os: fc.constantFrom({ name: 'linux' }, { name: 'windows' }, null),
    },
    { requiredKeys: ['containers'] },
  ),
})
