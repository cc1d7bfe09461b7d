/** The part of a Kubernetes PodSpec (core/v1) that the checks read. Absent and null are the same. */
export interface PodSpec {
  readonly containers: readonly Container[]
  readonly initContainers?: readonly Container[] | null
  readonly ephemeralContainers?: readonly Container[] | null
  readonly volumes?: readonly Volume[] | null
  readonly securityContext?: PodSecurityContext | null
  readonly hostNetwork?: boolean | null
  readonly hostPID?: boolean | null
  readonly hostIPC?: boolean | null
  /** false: the pod runs in a user namespace of its own. */
  readonly hostUsers?: boolean | null
  readonly os?: { readonly name?: string | null } | null
  readonly serviceAccountName?: string | null
  /** Deprecated alias of serviceAccountName, read only while that is empty. */
  readonly serviceAccount?: string | null
  readonly automountServiceAccountToken?: boolean | null
}

export interface Container {
  readonly name?: string | null
  readonly securityContext?: ContainerSecurityContext | null
  readonly ports?: readonly ContainerPort[] | null
  readonly env?: readonly EnvironmentVariable[] | null
  readonly envFrom?: readonly { readonly secretRef?: SecretName | null }[] | null
  readonly livenessProbe?: Handler | null
  readonly readinessProbe?: Handler | null
  readonly startupProbe?: Handler | null
  readonly lifecycle?: { readonly postStart?: Handler | null; readonly preStop?: Handler | null } | null
}

export interface ContainerPort {
  readonly containerPort?: number | null
  readonly hostPort?: number | null
}

export interface EnvironmentVariable {
  readonly name?: string | null
  readonly value?: string | null
  readonly valueFrom?: { readonly secretKeyRef?: SecretName | null } | null
}

export interface SecretName {
  readonly name?: string | null
}

/** A probe or a lifecycle hook. */
export interface Handler {
  readonly httpGet?: { readonly host?: string | null } | null
  readonly tcpSocket?: { readonly host?: string | null } | null
}

/** What a pod and a container can both set; the container's value wins. */
export interface SecurityContext {
  readonly runAsNonRoot?: boolean | null
  readonly runAsUser?: number | null
  readonly seccompProfile?: Profile | null
  readonly appArmorProfile?: Profile | null
  readonly seLinuxOptions?: SELinuxOptions | null
  readonly windowsOptions?: { readonly hostProcess?: boolean | null } | null
}

export interface PodSecurityContext extends SecurityContext {
  readonly sysctls?: readonly { readonly name?: string | null }[] | null
}

export interface ContainerSecurityContext extends SecurityContext {
  readonly privileged?: boolean | null
  readonly allowPrivilegeEscalation?: boolean | null
  readonly capabilities?: {
    readonly add?: readonly string[] | null
    readonly drop?: readonly string[] | null
  } | null
  readonly procMount?: string | null
}

export interface Profile {
  readonly type?: string | null
}

export interface SELinuxOptions {
  readonly type?: string | null
  readonly user?: string | null
  readonly role?: string | null
}

/** A volume has one source; sources that are not named here are of a type that level restricted forbids. */
export interface Volume {
  readonly name?: string | null
  readonly hostPath?: { readonly path?: string | null } | null
  readonly projected?: ProjectedVolume | null
  readonly configMap?: object | null
  readonly csi?: object | null
  readonly downwardAPI?: object | null
  readonly emptyDir?: object | null
  readonly ephemeral?: object | null
  readonly image?: object | null
  readonly persistentVolumeClaim?: object | null
  readonly secret?: { readonly secretName?: string | null } | null
}

export interface ProjectedVolume {
  readonly sources?: readonly ProjectedSource[] | null
}

export interface ProjectedSource {
  readonly serviceAccountToken?: ProjectedToken | null
  readonly secret?: SecretName | null
}

export interface ProjectedToken {
  /** Empty: the API server. */
  readonly audience?: string | null
  readonly expirationSeconds?: number | null
}

/** Visits init, main and ephemeral containers, each with its field path, `spec.template.spec.initContainers[0]`. */
export function forEachContainer(
  spec: PodSpec,
  path: string,
  visit: (container: Container, path: string) => void,
): void {
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    spec[list]?.forEach((container, index) => visit(container, `${path}.${list}[${index}]`))
  }
}

/** The field path of the metadata beside a pod spec: `spec.template.metadata` for `spec.template.spec`. */
export function metadataPathOf(specPath: string): string {
  return specPath.replace(/spec$/, 'metadata')
}
