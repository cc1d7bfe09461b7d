import { expect } from 'chai'
import type {
  Container,
  ContainerSecurityContext,
  PodSecurityContext,
  PodSpec,
} from '../../../src/core/workload/pod-spec.ts'
import { checkPodSecurity, podSecurityChecks, type PodSecurityLevel } from '../../../src/core/workload/pod-security.ts'

const path = 'spec.template.spec'

/** Check id, path below the pod spec, message; the level in the message is the one asked for. */
type Expected = readonly [check: string, path: string, message: string]

interface Case {
  readonly sentence: string
  readonly level: PodSecurityLevel
  readonly version?: string
  readonly spec: PodSpec
  readonly annotations?: Readonly<Record<string, string>>
  readonly findings: readonly Expected[]
}

const app: Container = { name: 'app' }
const plain = (spec: Partial<PodSpec>): PodSpec => ({ containers: [app], ...spec })
const withContainer = (container: Partial<Container>): PodSpec => ({ containers: [{ ...app, ...container }] })
const withContext = (securityContext: ContainerSecurityContext): PodSpec => withContainer({ securityContext })
const withPodContext = (securityContext: PodSecurityContext): PodSpec => plain({ securityContext })

const restrictedContext: ContainerSecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
}
const restrictedPodContext: PodSecurityContext = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }
const restrictedApp: Container = { name: 'app', securityContext: restrictedContext }

const defaultCapabilities =
  'AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT'

/** Meets level restricted but for what is given. */
const restricted = (spec: Partial<PodSpec>): PodSpec => ({
  containers: [restrictedApp],
  securityContext: restrictedPodContext,
  ...spec,
})
const restrictedBut = (securityContext: ContainerSecurityContext): PodSpec =>
  restricted({ containers: [{ name: 'app', securityContext: { ...restrictedContext, ...securityContext } }] })
const restrictedPodBut = (securityContext: PodSecurityContext): PodSpec =>
  restricted({ securityContext: { ...restrictedPodContext, ...securityContext } })

const cases: Record<string, readonly Case[]> = {
  levels: [
    {
      sentence: 'accepts everything at level privileged',
      level: 'privileged',
      spec: plain({ hostPID: true, containers: [{ ...app, securityContext: { privileged: true } }] }),
      findings: [],
    },
    { sentence: 'accepts a pod without any settings at baseline', level: 'baseline', spec: plain({}), findings: [] },
    {
      sentence: 'asks a pod without any settings for four things at restricted',
      level: 'restricted',
      spec: plain({}),
      findings: [
        [
          'privilege-escalation',
          'containers[0].securityContext.allowPrivilegeEscalation',
          'leaving allowPrivilegeEscalation unset is not allowed',
        ],
        ['run-as-non-root', 'securityContext', 'leaving runAsNonRoot unset is not allowed'],
        [
          'capabilities-restricted',
          'containers[0].securityContext.capabilities.drop',
          'capabilities.drop without ALL is not allowed',
        ],
        ['seccomp-restricted', 'securityContext', 'leaving seccompProfile unset is not allowed'],
      ],
    },
    { sentence: 'accepts a pod that sets those four', level: 'restricted', spec: restricted({}), findings: [] },
    {
      sentence: 'reads null as absent everywhere',
      level: 'restricted',
      spec: restricted({
        initContainers: null,
        ephemeralContainers: null,
        volumes: null,
        hostNetwork: null,
        hostUsers: null,
        os: null,
        containers: [
          {
            name: 'app',
            ports: null,
            livenessProbe: null,
            lifecycle: { preStop: null },
            securityContext: {
              ...restrictedContext,
              privileged: null,
              procMount: null,
              seLinuxOptions: null,
              runAsUser: null,
            },
          },
        ],
      }),
      findings: [],
    },
    {
      sentence: 'holds restricted pods to baseline as well',
      level: 'restricted',
      spec: restricted({ hostPID: true }),
      findings: [['host-namespaces', 'hostPID', 'hostPID: true is not allowed']],
    },
    {
      sentence: 'judges by the newest checks it knows when the version is newer still',
      level: 'baseline',
      version: 'v1.99',
      spec: withContainer({ livenessProbe: { httpGet: { host: 'db' } } }),
      findings: [
        ['host-probes', 'containers[0].livenessProbe.httpGet.host', 'host "db" in livenessProbe is not allowed'],
      ],
    },
  ],

  'host-namespaces': [
    {
      sentence: 'refuses each of the three namespaces of the node on its own field',
      level: 'baseline',
      spec: plain({ hostNetwork: true, hostPID: true, hostIPC: true }),
      findings: [
        ['host-namespaces', 'hostNetwork', 'hostNetwork: true is not allowed'],
        ['host-namespaces', 'hostPID', 'hostPID: true is not allowed'],
        ['host-namespaces', 'hostIPC', 'hostIPC: true is not allowed'],
      ],
    },
    {
      sentence: 'accepts the namespaces of the node set to false',
      level: 'baseline',
      spec: plain({ hostNetwork: false, hostPID: false, hostIPC: false }),
      findings: [],
    },
  ],

  privileged: [
    {
      sentence: 'refuses a privileged container',
      level: 'baseline',
      spec: withContext({ privileged: true }),
      findings: [['privileged', 'containers[0].securityContext.privileged', 'privileged: true is not allowed']],
    },
    {
      sentence: 'accepts privileged: false',
      level: 'baseline',
      spec: withContext({ privileged: false }),
      findings: [],
    },
  ],

  capabilities: [
    {
      sentence: 'refuses NET_RAW and SYS_ADMIN one by one and leaves CHOWN',
      level: 'baseline',
      spec: withContext({ capabilities: { add: ['NET_RAW', 'CHOWN', 'SYS_ADMIN'] } }),
      findings: [
        [
          'capabilities',
          'containers[0].securityContext.capabilities.add[0]',
          'adding capability "NET_RAW" is not allowed',
        ],
        [
          'capabilities',
          'containers[0].securityContext.capabilities.add[2]',
          'adding capability "SYS_ADMIN" is not allowed',
        ],
      ],
    },
    {
      sentence: 'knows capabilities only in capitals and without CAP_, as the API does',
      level: 'baseline',
      spec: withContext({ capabilities: { add: ['chown', 'CAP_CHOWN'] } }),
      findings: [
        [
          'capabilities',
          'containers[0].securityContext.capabilities.add[0]',
          'adding capability "chown" is not allowed',
        ],
        [
          'capabilities',
          'containers[0].securityContext.capabilities.add[1]',
          'adding capability "CAP_CHOWN" is not allowed',
        ],
      ],
    },
    {
      sentence: 'accepts the default set',
      level: 'baseline',
      spec: withContext({
        capabilities: {
          add: defaultCapabilities.split(' '),
        },
      }),
      findings: [],
    },
  ],

  'host-path': [
    {
      sentence: 'refuses a hostPath at baseline and leaves its neighbour',
      level: 'baseline',
      spec: plain({
        volumes: [
          { name: 'tmp', emptyDir: {} },
          { name: 'run', hostPath: { path: '/run' } },
        ],
      }),
      findings: [['host-path', 'volumes[1]', 'hostPath is not allowed']],
    },
    {
      sentence: 'refuses a hostPath at restricted under the same id, once',
      level: 'restricted',
      spec: restricted({ volumes: [{ name: 'run', hostPath: { path: '/run' } }] }),
      findings: [['host-path', 'volumes[0]', 'hostPath is not allowed']],
    },
    {
      sentence: 'refuses a hostPath that hides behind an allowed source',
      level: 'restricted',
      spec: restricted({ volumes: [{ name: 'run', emptyDir: {}, hostPath: { path: '/run' } }] }),
      findings: [['host-path', 'volumes[0]', 'hostPath is not allowed']],
    },
    {
      sentence: 'accepts other volumes at baseline, also those that restricted refuses',
      level: 'baseline',
      spec: plain({
        volumes: [
          { name: 'a', nfs: {} },
          { name: 'b', secret: {} },
        ] as PodSpec['volumes'] & object,
      }),
      findings: [],
    },
  ],

  'volume-types': [
    {
      sentence: 'refuses an nfs volume and one without a source',
      level: 'restricted',
      spec: restricted({
        volumes: [
          { name: 'a', nfs: { server: 's' } },
          { name: 'b' },
          { name: 'c', emptyDir: null },
        ] as PodSpec['volumes'] & object,
      }),
      findings: [
        ['volume-types', 'volumes[0]', 'volume type "nfs" is not allowed'],
        ['volume-types', 'volumes[1]', 'volume type unknown is not allowed'],
        ['volume-types', 'volumes[2]', 'volume type unknown is not allowed'],
      ],
    },
    {
      sentence: 'accepts the nine types that a pod may bring along',
      level: 'restricted',
      spec: restricted({
        volumes: [
          { configMap: {} },
          { csi: {} },
          { downwardAPI: {} },
          { emptyDir: {} },
          { ephemeral: {} },
          { image: {} },
          { persistentVolumeClaim: {} },
          { projected: {} },
          { secret: {} },
        ],
      }),
      findings: [],
    },
  ],

  'host-ports': [
    {
      sentence: 'refuses each port of the node on its own field',
      level: 'baseline',
      spec: withContainer({ ports: [{ hostPort: 80 }, {}, { hostPort: 443 }] }),
      findings: [
        ['host-ports', 'containers[0].ports[0].hostPort', 'hostPort 80 is not allowed'],
        ['host-ports', 'containers[0].ports[2].hostPort', 'hostPort 443 is not allowed'],
      ],
    },
    {
      sentence: 'accepts hostPort 0',
      level: 'baseline',
      spec: withContainer({ ports: [{ hostPort: 0 }] }),
      findings: [],
    },
  ],

  'host-probes': [
    {
      sentence: 'refuses a host in each probe, each hook and each kind of call',
      level: 'baseline',
      version: 'v1.34',
      spec: withContainer({
        livenessProbe: { httpGet: { host: 'a' }, tcpSocket: { host: 'b' } },
        readinessProbe: { tcpSocket: { host: 'c' } },
        startupProbe: { httpGet: { host: 'd' } },
        lifecycle: { postStart: { httpGet: { host: 'e' } }, preStop: { tcpSocket: { host: 'f' } } },
      }),
      findings: [
        ['host-probes', 'containers[0].livenessProbe.httpGet.host', 'host "a" in livenessProbe is not allowed'],
        ['host-probes', 'containers[0].livenessProbe.tcpSocket.host', 'host "b" in livenessProbe is not allowed'],
        ['host-probes', 'containers[0].readinessProbe.tcpSocket.host', 'host "c" in readinessProbe is not allowed'],
        ['host-probes', 'containers[0].startupProbe.httpGet.host', 'host "d" in startupProbe is not allowed'],
        [
          'host-probes',
          'containers[0].lifecycle.postStart.httpGet.host',
          'host "e" in lifecycle.postStart is not allowed',
        ],
        [
          'host-probes',
          'containers[0].lifecycle.preStop.tcpSocket.host',
          'host "f" in lifecycle.preStop is not allowed',
        ],
      ],
    },
    {
      sentence: 'accepts hosts before 1.34',
      level: 'baseline',
      version: 'v1.33',
      spec: withContainer({ livenessProbe: { httpGet: { host: 'a' } } }),
      findings: [],
    },
    {
      sentence: 'accepts probes without a host',
      level: 'baseline',
      spec: withContainer({ livenessProbe: { httpGet: { host: '' } }, startupProbe: { tcpSocket: {} } }),
      findings: [],
    },
    {
      sentence: 'shows a hostile host on one line and not at full length',
      level: 'baseline',
      spec: withContainer({ livenessProbe: { httpGet: { host: `x\n${'y'.repeat(500)}` } } }),
      findings: [
        [
          'host-probes',
          'containers[0].livenessProbe.httpGet.host',
          String.raw`host "x\n${'y'.repeat(98)}…" in livenessProbe is not allowed`,
        ],
      ],
    },
  ],

  'app-armor': [
    {
      sentence: 'refuses an unconfined pod and a container whose profile has no type',
      level: 'baseline',
      spec: {
        securityContext: { appArmorProfile: { type: 'Unconfined' } },
        containers: [{ ...app, securityContext: { appArmorProfile: {} } }],
      },
      findings: [
        ['app-armor', 'securityContext.appArmorProfile.type', 'AppArmor profile "Unconfined" is not allowed'],
        ['app-armor', 'containers[0].securityContext.appArmorProfile.type', 'AppArmor profile "" is not allowed'],
      ],
    },
    {
      sentence: 'refuses an unconfined container by the annotation of before 1.30',
      level: 'baseline',
      spec: plain({}),
      annotations: { 'container.apparmor.security.beta.kubernetes.io/app': 'unconfined', other: 'unconfined' },
      findings: [
        [
          'app-armor',
          '^metadata.annotations[container.apparmor.security.beta.kubernetes.io/app]',
          'AppArmor profile "unconfined" is not allowed',
        ],
      ],
    },
    {
      sentence: 'refuses an annotation that only begins like a local profile',
      level: 'baseline',
      spec: plain({}),
      annotations: { 'container.apparmor.security.beta.kubernetes.io/app': 'localhost' },
      findings: [
        [
          'app-armor',
          '^metadata.annotations[container.apparmor.security.beta.kubernetes.io/app]',
          'AppArmor profile "localhost" is not allowed',
        ],
      ],
    },
    {
      sentence: 'accepts RuntimeDefault, Localhost and their annotations',
      level: 'baseline',
      spec: {
        securityContext: { appArmorProfile: { type: 'RuntimeDefault' } },
        containers: [{ ...app, securityContext: { appArmorProfile: { type: 'Localhost' } } }],
      },
      annotations: {
        'container.apparmor.security.beta.kubernetes.io/a': 'runtime/default',
        'container.apparmor.security.beta.kubernetes.io/b': 'localhost/profile',
        'container.apparmor.security.beta.kubernetes.io/c': '',
      },
      findings: [],
    },
  ],

  'se-linux': [
    {
      sentence: 'refuses a type that is no container type, and any user or role',
      level: 'baseline',
      spec: {
        securityContext: { seLinuxOptions: { type: 'spc_t' } },
        containers: [{ ...app, securityContext: { seLinuxOptions: { user: 'u', role: 'r' } } }],
      },
      findings: [
        ['se-linux', 'securityContext.seLinuxOptions.type', 'SELinux type "spc_t" is not allowed'],
        ['se-linux', 'containers[0].securityContext.seLinuxOptions.user', 'SELinux user "u" is not allowed'],
        ['se-linux', 'containers[0].securityContext.seLinuxOptions.role', 'SELinux role "r" is not allowed'],
      ],
    },
    {
      sentence: 'refuses container_engine_t before 1.31',
      level: 'baseline',
      version: 'v1.30',
      spec: withPodContext({ seLinuxOptions: { type: 'container_engine_t' } }),
      findings: [
        ['se-linux', 'securityContext.seLinuxOptions.type', 'SELinux type "container_engine_t" is not allowed'],
      ],
    },
    {
      sentence: 'accepts container_engine_t since 1.31',
      level: 'baseline',
      version: 'v1.31',
      spec: withPodContext({ seLinuxOptions: { type: 'container_engine_t' } }),
      findings: [],
    },
    {
      sentence: 'accepts an empty user and role and the container types',
      level: 'baseline',
      version: 'v1.0',
      spec: {
        securityContext: { seLinuxOptions: { type: 'container_t', user: '', role: '' } },
        containers: ['container_init_t', 'container_kvm_t', ''].map((type) => ({
          securityContext: { seLinuxOptions: { type } },
        })),
      },
      findings: [],
    },
  ],

  'proc-mount': [
    {
      sentence: 'refuses an unmasked /proc',
      level: 'baseline',
      spec: withContext({ procMount: 'Unmasked' }),
      findings: [['proc-mount', 'containers[0].securityContext.procMount', 'procMount "Unmasked" is not allowed']],
    },
    {
      sentence: 'refuses an empty procMount, which is not the default',
      level: 'baseline',
      spec: withContext({ procMount: '' }),
      findings: [['proc-mount', 'containers[0].securityContext.procMount', 'procMount "" is not allowed']],
    },
    {
      sentence: 'refuses an unmasked /proc in a user namespace before 1.35',
      level: 'baseline',
      version: 'v1.34',
      spec: { hostUsers: false, ...withContext({ procMount: 'Unmasked' }) },
      findings: [['proc-mount', 'containers[0].securityContext.procMount', 'procMount "Unmasked" is not allowed']],
    },
    {
      sentence: 'accepts an unmasked /proc in a user namespace since 1.35',
      level: 'baseline',
      version: 'v1.35',
      spec: { hostUsers: false, ...withContext({ procMount: 'Unmasked' }) },
      findings: [],
    },
    {
      sentence: 'accepts procMount: Default',
      level: 'baseline',
      spec: withContext({ procMount: 'Default' }),
      findings: [],
    },
  ],

  'proc-mount-restricted': [
    {
      sentence: 'refuses an unmasked /proc at restricted even in a user namespace, once',
      level: 'restricted',
      spec: { hostUsers: false, ...restrictedBut({ procMount: 'Unmasked' }) },
      findings: [
        ['proc-mount-restricted', 'containers[0].securityContext.procMount', 'procMount "Unmasked" is not allowed'],
      ],
    },
    {
      sentence: 'leaves it to the baseline check before 1.35',
      level: 'restricted',
      version: 'v1.34',
      spec: restrictedBut({ procMount: 'Unmasked' }),
      findings: [['proc-mount', 'containers[0].securityContext.procMount', 'procMount "Unmasked" is not allowed']],
    },
    {
      sentence: 'accepts procMount: Default',
      level: 'restricted',
      spec: restrictedBut({ procMount: 'Default' }),
      findings: [],
    },
  ],

  seccomp: [
    {
      sentence: 'refuses an unconfined pod and a container whose profile has no type',
      level: 'baseline',
      spec: {
        securityContext: { seccompProfile: { type: 'Unconfined' } },
        containers: [{ ...app, securityContext: { seccompProfile: {} } }],
      },
      findings: [
        ['seccomp', 'securityContext.seccompProfile.type', 'seccomp profile "Unconfined" is not allowed'],
        ['seccomp', 'containers[0].securityContext.seccompProfile.type', 'seccomp profile "" is not allowed'],
      ],
    },
    {
      sentence: 'refuses the alpha annotations of the pod and of a container before 1.19',
      level: 'baseline',
      version: 'v1.18',
      spec: plain({}),
      annotations: {
        'seccomp.security.alpha.kubernetes.io/pod': 'unconfined',
        'container.seccomp.security.alpha.kubernetes.io/app': '',
        'container.seccomp.security.alpha.kubernetes.io/nobody': 'unconfined',
      },
      findings: [
        [
          'seccomp',
          '^metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]',
          'seccomp profile "unconfined" is not allowed',
        ],
        [
          'seccomp',
          '^metadata.annotations[container.seccomp.security.alpha.kubernetes.io/app]',
          'seccomp profile "" is not allowed',
        ],
      ],
    },
    {
      sentence: 'accepts allowed annotations before 1.19, and does not read the fields yet',
      level: 'baseline',
      version: 'v1.18',
      spec: {
        containers: ['a', 'b', 'c'].map((name) => ({
          name,
          securityContext: { seccompProfile: { type: 'Unconfined' } },
        })),
      },
      annotations: {
        'seccomp.security.alpha.kubernetes.io/pod': 'runtime/default',
        'container.seccomp.security.alpha.kubernetes.io/a': 'docker/default',
        'container.seccomp.security.alpha.kubernetes.io/b': 'localhost/profile',
      },
      findings: [],
    },
    {
      sentence: 'reads the fields and no longer the annotations since 1.19',
      level: 'baseline',
      version: 'v1.19',
      spec: withPodContext({ seccompProfile: { type: 'Localhost' } }),
      annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' },
      findings: [],
    },
  ],

  'seccomp-restricted': [
    {
      sentence: 'points at the pod when no container sets a profile',
      level: 'restricted',
      spec: restricted({ containers: [restrictedApp, restrictedApp], securityContext: { runAsNonRoot: true } }),
      findings: [['seccomp-restricted', 'securityContext', 'leaving seccompProfile unset is not allowed']],
    },
    {
      sentence: 'points at the container when another one sets a profile',
      level: 'restricted',
      spec: restricted({
        containers: [
          { name: 'a', securityContext: { ...restrictedContext, seccompProfile: { type: 'Localhost' } } },
          restrictedApp,
        ],
        securityContext: { runAsNonRoot: true },
      }),
      findings: [
        ['seccomp-restricted', 'containers[1].securityContext', 'leaving seccompProfile unset is not allowed'],
      ],
    },
    {
      sentence: 'refuses Unconfined under its own id, once, in pod and container',
      level: 'restricted',
      spec: restricted({
        containers: [
          { name: 'a', securityContext: { ...restrictedContext, seccompProfile: { type: 'Unconfined' } } },
          restrictedApp,
        ],
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'Unconfined' } },
      }),
      findings: [
        ['seccomp-restricted', 'securityContext.seccompProfile.type', 'seccomp profile "Unconfined" is not allowed'],
        [
          'seccomp-restricted',
          'containers[0].securityContext.seccompProfile.type',
          'seccomp profile "Unconfined" is not allowed',
        ],
      ],
    },
    {
      sentence: 'accepts a container profile in place of one of the pod',
      level: 'restricted',
      spec: restricted({
        containers: [
          { name: 'a', securityContext: { ...restrictedContext, seccompProfile: { type: 'RuntimeDefault' } } },
        ],
        securityContext: { runAsNonRoot: true },
      }),
      findings: [],
    },
    {
      sentence: 'asks for nothing before 1.19',
      level: 'restricted',
      version: 'v1.18',
      spec: restricted({ securityContext: { runAsNonRoot: true } }),
      findings: [],
    },
  ],

  sysctls: [
    {
      sentence: 'refuses unsafe sysctls one by one',
      level: 'baseline',
      spec: withPodContext({ sysctls: [{ name: 'kernel.msgmax' }, { name: 'net.ipv4.tcp_rmem' }, {}] }),
      findings: [
        ['sysctls', 'securityContext.sysctls[0].name', 'sysctl "kernel.msgmax" is not allowed'],
        ['sysctls', 'securityContext.sysctls[2].name', 'sysctl "" is not allowed'],
      ],
    },
    ...(
      [
        ['kernel.shm_rmid_forced', 0],
        ['net.ipv4.ip_local_reserved_ports', 27],
        ['net.ipv4.tcp_keepalive_time', 29],
        ['net.ipv4.tcp_wmem', 32],
      ] as const
    ).flatMap(([name, since]): Case[] => [
      {
        sentence: `accepts ${name} since 1.${since}`,
        level: 'baseline',
        version: `v1.${since}`,
        spec: withPodContext({ sysctls: [{ name }] }),
        findings: [],
      },
      ...(since === 0
        ? []
        : [
            {
              sentence: `refuses ${name} before 1.${since}`,
              level: 'baseline' as const,
              version: `v1.${since - 1}`,
              spec: withPodContext({ sysctls: [{ name }] }),
              findings: [['sysctls', 'securityContext.sysctls[0].name', `sysctl "${name}" is not allowed`] as const],
            },
          ]),
    ]),
  ],

  'windows-host-process': [
    {
      sentence: 'refuses host processes in pod and container',
      level: 'baseline',
      spec: {
        securityContext: { windowsOptions: { hostProcess: true } },
        containers: [{ ...app, securityContext: { windowsOptions: { hostProcess: true } } }],
      },
      findings: [
        ['windows-host-process', 'securityContext.windowsOptions.hostProcess', 'hostProcess: true is not allowed'],
        [
          'windows-host-process',
          'containers[0].securityContext.windowsOptions.hostProcess',
          'hostProcess: true is not allowed',
        ],
      ],
    },
    {
      sentence: 'accepts hostProcess: false',
      level: 'baseline',
      spec: withPodContext({ windowsOptions: { hostProcess: false } }),
      findings: [],
    },
  ],

  'privilege-escalation': [
    {
      sentence: 'refuses allowPrivilegeEscalation: true',
      level: 'restricted',
      spec: restrictedBut({ allowPrivilegeEscalation: true }),
      findings: [
        [
          'privilege-escalation',
          'containers[0].securityContext.allowPrivilegeEscalation',
          'allowPrivilegeEscalation: true is not allowed',
        ],
      ],
    },
    {
      sentence: 'refuses a container that says nothing about it since 1.8',
      level: 'restricted',
      version: 'v1.8',
      spec: restricted({ containers: [app] }),
      findings: [
        [
          'privilege-escalation',
          'containers[0].securityContext.allowPrivilegeEscalation',
          'leaving allowPrivilegeEscalation unset is not allowed',
        ],
      ],
    },
    {
      sentence: 'asks for nothing before 1.8',
      level: 'restricted',
      version: 'v1.7',
      spec: restricted({ containers: [app] }),
      findings: [],
    },
  ],

  'run-as-non-root': [
    {
      sentence: 'points at the pod when no container says anything',
      level: 'restricted',
      spec: restricted({
        containers: [restrictedApp, restrictedApp],
        securityContext: { seccompProfile: { type: 'Localhost' } },
      }),
      findings: [['run-as-non-root', 'securityContext', 'leaving runAsNonRoot unset is not allowed']],
    },
    {
      sentence: 'points at the container when another one sets it',
      level: 'restricted',
      spec: restricted({
        containers: [restrictedApp, { name: 'b', securityContext: { ...restrictedContext, runAsNonRoot: true } }],
        securityContext: { seccompProfile: { type: 'Localhost' } },
      }),
      findings: [['run-as-non-root', 'containers[0].securityContext', 'leaving runAsNonRoot unset is not allowed']],
    },
    {
      sentence: 'refuses an explicit false in the pod even when every container says true',
      level: 'restricted',
      spec: {
        ...restrictedBut({ runAsNonRoot: true }),
        securityContext: { ...restrictedPodContext, runAsNonRoot: false },
      },
      findings: [['run-as-non-root', 'securityContext.runAsNonRoot', 'runAsNonRoot: false is not allowed']],
    },
    {
      sentence: 'refuses an explicit false in a container even when the pod says true',
      level: 'restricted',
      spec: restrictedBut({ runAsNonRoot: false }),
      findings: [
        ['run-as-non-root', 'containers[0].securityContext.runAsNonRoot', 'runAsNonRoot: false is not allowed'],
      ],
    },
    {
      sentence: 'refuses root in a user namespace before 1.35',
      level: 'restricted',
      version: 'v1.34',
      spec: { hostUsers: false, ...restrictedPodBut({ runAsNonRoot: false }) },
      findings: [['run-as-non-root', 'securityContext.runAsNonRoot', 'runAsNonRoot: false is not allowed']],
    },
    {
      sentence: 'accepts root in a user namespace since 1.35',
      level: 'restricted',
      version: 'v1.35',
      spec: { hostUsers: false, ...restrictedPodBut({ runAsNonRoot: false, runAsUser: 0 }) },
      findings: [],
    },
    {
      sentence: 'accepts it set by every container',
      level: 'restricted',
      spec: {
        ...restrictedBut({ runAsNonRoot: true }),
        securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      },
      findings: [],
    },
  ],

  'run-as-user': [
    {
      sentence: 'refuses user 0 in pod and container',
      level: 'restricted',
      spec: {
        ...restrictedBut({ runAsUser: 0 }),
        securityContext: { ...restrictedPodContext, runAsUser: 0 },
      },
      findings: [
        ['run-as-user', 'securityContext.runAsUser', 'runAsUser: 0 is not allowed'],
        ['run-as-user', 'containers[0].securityContext.runAsUser', 'runAsUser: 0 is not allowed'],
      ],
    },
    {
      sentence: 'refuses user 0 since 1.23',
      level: 'restricted',
      version: 'v1.23',
      spec: restrictedPodBut({ runAsUser: 0 }),
      findings: [['run-as-user', 'securityContext.runAsUser', 'runAsUser: 0 is not allowed']],
    },
    {
      sentence: 'refuses user 0 when hostUsers is true',
      level: 'restricted',
      spec: { hostUsers: true, ...restrictedPodBut({ runAsUser: 0 }) },
      findings: [['run-as-user', 'securityContext.runAsUser', 'runAsUser: 0 is not allowed']],
    },
    {
      sentence: 'accepts user 0 before 1.23',
      level: 'restricted',
      version: 'v1.22',
      spec: restrictedPodBut({ runAsUser: 0 }),
      findings: [],
    },
    { sentence: 'accepts user 1000', level: 'restricted', spec: restrictedPodBut({ runAsUser: 1000 }), findings: [] },
  ],

  'capabilities-restricted': [
    {
      sentence: 'asks for ALL by that very name, and refuses every added capability but NET_BIND_SERVICE',
      level: 'restricted',
      spec: restrictedBut({ capabilities: { drop: ['NET_RAW', 'all'], add: ['NET_BIND_SERVICE', 'CHOWN'] } }),
      findings: [
        [
          'capabilities-restricted',
          'containers[0].securityContext.capabilities.drop',
          'capabilities.drop without ALL is not allowed',
        ],
        [
          'capabilities-restricted',
          'containers[0].securityContext.capabilities.add[1]',
          'adding capability "CHOWN" is not allowed',
        ],
      ],
    },
    {
      sentence: 'names a capability that baseline refuses once, under its own id',
      level: 'restricted',
      spec: restrictedBut({ capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } }),
      findings: [
        [
          'capabilities-restricted',
          'containers[0].securityContext.capabilities.add[0]',
          'adding capability "SYS_ADMIN" is not allowed',
        ],
      ],
    },
    {
      sentence: 'asks for ALL since 1.22',
      level: 'restricted',
      version: 'v1.22',
      spec: restrictedBut({ capabilities: {} }),
      findings: [
        [
          'capabilities-restricted',
          'containers[0].securityContext.capabilities.drop',
          'capabilities.drop without ALL is not allowed',
        ],
      ],
    },
    {
      sentence: 'leaves it to the baseline check before 1.22',
      level: 'restricted',
      version: 'v1.21',
      spec: restrictedBut({ capabilities: { add: ['SYS_ADMIN', 'CHOWN'] } }),
      findings: [
        [
          'capabilities',
          'containers[0].securityContext.capabilities.add[0]',
          'adding capability "SYS_ADMIN" is not allowed',
        ],
      ],
    },
    {
      sentence: 'accepts ALL dropped and NET_BIND_SERVICE added',
      level: 'restricted',
      spec: restrictedBut({ capabilities: { drop: ['NET_RAW', 'ALL'], add: ['NET_BIND_SERVICE'] } }),
      findings: [],
    },
  ],

  windows: [
    {
      sentence: 'leaves Linux settings out for a pod that declares Windows since 1.25',
      level: 'restricted',
      version: 'v1.25',
      spec: plain({ os: { name: 'windows' }, securityContext: { runAsNonRoot: true } }),
      findings: [],
    },
    {
      sentence: 'asks a pod that declares Windows for them before 1.25',
      level: 'restricted',
      version: 'v1.24',
      spec: plain({ os: { name: 'windows' }, securityContext: { runAsNonRoot: true } }),
      findings: [
        [
          'privilege-escalation',
          'containers[0].securityContext.allowPrivilegeEscalation',
          'leaving allowPrivilegeEscalation unset is not allowed',
        ],
        [
          'capabilities-restricted',
          'containers[0].securityContext.capabilities.drop',
          'capabilities.drop without ALL is not allowed',
        ],
        ['seccomp-restricted', 'securityContext', 'leaving seccompProfile unset is not allowed'],
      ],
    },
    {
      sentence: 'asks a pod that declares Linux for them',
      level: 'restricted',
      spec: plain({
        os: { name: 'linux' },
        securityContext: restrictedPodContext,
        containers: [{ securityContext: { capabilities: { drop: ['ALL'] } } }],
      }),
      findings: [
        [
          'privilege-escalation',
          'containers[0].securityContext.allowPrivilegeEscalation',
          'leaving allowPrivilegeEscalation unset is not allowed',
        ],
      ],
    },
  ],
}

/** For each check of containers: a container that breaks it and nothing else. */
const badContainers: readonly (readonly [
  check: string,
  level: PodSecurityLevel,
  field: string,
  container: Container,
])[] = [
  ['privileged', 'baseline', 'securityContext.privileged', { securityContext: { privileged: true } }],
  [
    'capabilities',
    'baseline',
    'securityContext.capabilities.add[0]',
    { securityContext: { capabilities: { add: ['BPF'] } } },
  ],
  ['host-ports', 'baseline', 'ports[0].hostPort', { ports: [{ hostPort: 22 }] }],
  ['host-probes', 'baseline', 'livenessProbe.tcpSocket.host', { livenessProbe: { tcpSocket: { host: 'db' } } }],
  [
    'app-armor',
    'baseline',
    'securityContext.appArmorProfile.type',
    { securityContext: { appArmorProfile: { type: 'Unconfined' } } },
  ],
  [
    'se-linux',
    'baseline',
    'securityContext.seLinuxOptions.type',
    { securityContext: { seLinuxOptions: { type: 'spc_t' } } },
  ],
  ['proc-mount', 'baseline', 'securityContext.procMount', { securityContext: { procMount: 'Unmasked' } }],
  [
    'seccomp',
    'baseline',
    'securityContext.seccompProfile.type',
    { securityContext: { seccompProfile: { type: 'Unconfined' } } },
  ],
  [
    'windows-host-process',
    'baseline',
    'securityContext.windowsOptions.hostProcess',
    { securityContext: { windowsOptions: { hostProcess: true } } },
  ],
  [
    'privilege-escalation',
    'restricted',
    'securityContext.allowPrivilegeEscalation',
    { securityContext: { capabilities: { drop: ['ALL'] } } },
  ],
  [
    'run-as-non-root',
    'restricted',
    'securityContext.runAsNonRoot',
    { securityContext: { ...restrictedContext, runAsNonRoot: false } },
  ],
  [
    'run-as-user',
    'restricted',
    'securityContext.runAsUser',
    { securityContext: { ...restrictedContext, runAsUser: 0 } },
  ],
  [
    'capabilities-restricted',
    'restricted',
    'securityContext.capabilities.drop',
    { securityContext: { allowPrivilegeEscalation: false } },
  ],
  [
    'seccomp-restricted',
    'restricted',
    'securityContext.seccompProfile.type',
    { securityContext: { ...restrictedContext, seccompProfile: { type: 'Unconfined' } } },
  ],
  [
    'proc-mount-restricted',
    'restricted',
    'securityContext.procMount',
    { securityContext: { ...restrictedContext, procMount: 'Unmasked' } },
  ],
]

describe('checkPodSecurity', () => {
  for (const [name, list] of Object.entries(cases)) {
    describe(name, () => {
      for (const { sentence, level, version = 'latest', spec, annotations = {}, findings } of list) {
        it(sentence, () => {
          const found = checkPodSecurity({ spec, annotations }, level, version, path)
          expect(found.map((each) => [each.check, each.path, each.message])).to.deep.equal(
            findings.map(([check, at, message]) => [check, absolute(at), `${message} at level ${level}`]),
          )
        })
      }
    })
  }

  describe('every list of containers', () => {
    for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
      for (const [check, level, field, container] of badContainers) {
        it(`applies ${check} to ${list}`, () => {
          const spec = restricted({ [list]: [restrictedApp, container] })
          const found = checkPodSecurity({ spec, annotations: {} }, level, 'latest', path)
          expect(found.map((each) => [each.check, each.path])).to.deep.equal([[check, `${path}.${list}[1].${field}`]])
        })
      }
    }
  })

  it('names fields from where the pod spec of the object stands', () => {
    const annotations = { 'container.apparmor.security.beta.kubernetes.io/app': 'unconfined' }
    const found = checkPodSecurity({ spec: plain({ hostIPC: true }), annotations }, 'baseline', 'latest', 'spec')
    expect(found.map((each) => each.path)).to.deep.equal([
      'spec.hostIPC',
      'metadata.annotations[container.apparmor.security.beta.kubernetes.io/app]',
    ])
  })

  it('carries severity and remedy of the catalogue', () => {
    const [found] = checkPodSecurity({ spec: plain({ hostIPC: true }), annotations: {} }, 'baseline', 'latest', path)
    const listed = podSecurityChecks.find(({ id }) => id === 'host-namespaces')
    expect(found).to.include({ severity: 'High', remedy: 'Remove hostNetwork, hostPID and hostIPC' })
    expect(listed).to.include({ severity: found?.severity, remedy: found?.remedy })
  })
})

describe('podSecurityChecks', () => {
  it('holds the nineteen checks of Kubernetes 1.36, each once', () => {
    expect(podSecurityChecks.map(({ upstream }) => upstream).sort()).to.deep.equal([
      'allowPrivilegeEscalation',
      'appArmorProfile',
      'capabilities_baseline',
      'capabilities_restricted',
      'hostNamespaces',
      'hostPathVolumes',
      'hostPorts',
      'hostProbesAndHostLifecycle',
      'privileged',
      'procMount',
      'procMount_restricted',
      'restrictedVolumes',
      'runAsNonRoot',
      'runAsUser',
      'seLinuxOptions',
      'seccompProfile_baseline',
      'seccompProfile_restricted',
      'sysctls',
      'windowsHostProcess',
    ])
    expect(new Set(podSecurityChecks.map(({ id }) => id)).size).to.equal(19)
  })

  it('overrides only checks of baseline by checks of restricted', () => {
    for (const { level, overrides } of podSecurityChecks) {
      if (overrides === undefined) continue
      expect(level).to.equal('restricted')
      expect(podSecurityChecks.find(({ id }) => id === overrides)?.level).to.equal('baseline')
    }
  })

  it('gives every check a title and a remedy of one line', () => {
    for (const { id, title, remedy } of podSecurityChecks) {
      expect(title, id).to.match(/^[A-Z].*[^.]$/)
      expect(remedy, id).to.match(/^[A-Z].*[^.]$/)
    }
  })
})

/** `^` leads out of the pod spec to its neighbour. */
function absolute(at: string): string {
  return at.startsWith('^') ? `spec.template.${at.slice(1)}` : `${path}.${at}`
}
