import type {
  Container,
  ContainerPort,
  ContainerSecurityContext,
  EnvironmentVariable,
  Handler,
  PodSecurityContext,
  PodSpec,
  Profile,
  ProjectedSource,
  ProjectedToken,
  ProjectedVolume,
  SecretName,
  SecurityContext,
  SELinuxOptions,
  Volume,
} from './pod-spec.ts'
import { anyObject, flag, integer, listOf, nonEmptyListOf, objectOf, text } from './shape.ts'

const profile = objectOf<Profile>({ type: text })

const sharedSecurityFields = {
  runAsNonRoot: flag,
  runAsUser: integer,
  seccompProfile: profile,
  appArmorProfile: profile,
  seLinuxOptions: objectOf<SELinuxOptions>({ type: text, user: text, role: text }),
  windowsOptions: objectOf<NonNullable<SecurityContext['windowsOptions']>>({ hostProcess: flag }),
}

const podSecurityContext = objectOf<PodSecurityContext>({
  ...sharedSecurityFields,
  sysctls: listOf(objectOf<{ readonly name?: string | null }>({ name: text })),
})

const containerSecurityContext = objectOf<ContainerSecurityContext>({
  ...sharedSecurityFields,
  privileged: flag,
  allowPrivilegeEscalation: flag,
  capabilities: objectOf<NonNullable<ContainerSecurityContext['capabilities']>>({
    add: listOf(text),
    drop: listOf(text),
  }),
  procMount: text,
})

const secretName = objectOf<SecretName>({ name: text })

const target = objectOf<NonNullable<Handler['httpGet']>>({ host: text })
const handler = objectOf<Handler>({ httpGet: target, tcpSocket: target })

const container = objectOf<Container>({
  name: text,
  securityContext: containerSecurityContext,
  ports: listOf(objectOf<ContainerPort>({ containerPort: integer, hostPort: integer })),
  env: listOf(
    objectOf<EnvironmentVariable>({
      name: text,
      value: text,
      valueFrom: objectOf<NonNullable<EnvironmentVariable['valueFrom']>>({ secretKeyRef: secretName }),
    }),
  ),
  envFrom: listOf(objectOf<{ readonly secretRef?: SecretName | null }>({ secretRef: secretName })),
  livenessProbe: handler,
  readinessProbe: handler,
  startupProbe: handler,
  lifecycle: objectOf<NonNullable<Container['lifecycle']>>({ postStart: handler, preStop: handler }),
})

const volume = objectOf<Volume>({
  name: text,
  hostPath: objectOf<NonNullable<Volume['hostPath']>>({ path: text }),
  projected: objectOf<ProjectedVolume>({
    sources: listOf(
      objectOf<ProjectedSource>({
        serviceAccountToken: objectOf<ProjectedToken>({ audience: text, expirationSeconds: integer }),
        secret: secretName,
      }),
    ),
  }),
  configMap: anyObject,
  csi: anyObject,
  downwardAPI: anyObject,
  emptyDir: anyObject,
  ephemeral: anyObject,
  image: anyObject,
  persistentVolumeClaim: anyObject,
  secret: objectOf<NonNullable<Volume['secret']>>({ secretName: text }),
})

/** The API server accepts no pod without a container, and without one there is nothing to judge. */
export const podSpecShape = objectOf<PodSpec>(
  {
    containers: nonEmptyListOf(container),
    initContainers: listOf(container),
    ephemeralContainers: listOf(container),
    volumes: listOf(volume),
    securityContext: podSecurityContext,
    hostNetwork: flag,
    hostPID: flag,
    hostIPC: flag,
    hostUsers: flag,
    os: objectOf<NonNullable<PodSpec['os']>>({ name: text }),
    serviceAccountName: text,
    serviceAccount: text,
    automountServiceAccountToken: flag,
  },
  ['containers'],
)
