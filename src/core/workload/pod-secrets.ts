import { secretInEnv } from '../check-entries/token.ts'
import type { Finding, Severity } from '../finding.ts'
import { quoted } from './pod-security/check.ts'
import { forEachContainer, type PodSpec } from './pod-spec.ts'

/** A field of a pod that names a Secret. */
export interface SecretReference {
  readonly secret: string
  readonly path: string
  /** The environment variable that it fills; null: a volume, or every key of the Secret. */
  readonly variable: string | null
  readonly kind: 'Volume' | 'Environment'
}

/** Every Secret that a pod mounts or reads into its environment, by name. `path` is the field path of the spec. */
export function secretReferences(pod: PodSpec, path: string): readonly SecretReference[] {
  const found: SecretReference[] = []
  const add = (
    kind: SecretReference['kind'],
    at: string,
    secret: string | null | undefined,
    variable: string | null,
  ) => {
    if (secret) found.push({ kind, path: at, secret, variable })
  }
  for (const [index, { secret, projected }] of (pod.volumes ?? []).entries()) {
    add('Volume', `${path}.volumes[${index}].secret.secretName`, secret?.secretName, null)
    for (const [source, each] of (projected?.sources ?? []).entries())
      add('Volume', `${path}.volumes[${index}].projected.sources[${source}].secret.name`, each.secret?.name, null)
  }
  forEachContainer(pod, path, ({ env, envFrom }, at) => {
    for (const [index, { name, valueFrom }] of (env ?? []).entries()) {
      const variable = name ?? ''
      add('Environment', `${at}.env[${index}].valueFrom.secretKeyRef`, valueFrom?.secretKeyRef?.name, variable)
    }
    for (const [index, { secretRef }] of (envFrom ?? []).entries())
      add('Environment', `${at}.envFrom[${index}].secretRef`, secretRef?.name, null)
  })
  return found
}

/** Secrets in the environment of a pod: by reference, or plainly in its manifest. Messages never show a value. */
export function secretsInEnvironment(pod: PodSpec, path: string): readonly Finding[] {
  return [...plainCredentials(pod, path), ...referredSecrets(pod, path)]
}

/** What the name of a credential ends in; `TOKEN_URL` and `PASSWORD_FILE` only tell where one is. */
const credential = /(^|_)(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?)$/i

function plainCredentials(pod: PodSpec, path: string): readonly Finding[] {
  const findings: Finding[] = []
  forEachContainer(pod, path, ({ env }, at) => {
    for (const [index, { name, value }] of (env ?? []).entries()) {
      if (!credential.test(name ?? '') || !value || isReference(value)) continue
      const message = `${quoted(name ?? '')} has the name of a credential, and its value stands in the manifest`
      findings.push(finding('High', `${at}.env[${index}].value`, message))
    }
  })
  return findings
}

/** `$(OTHER)`, which Kubernetes replaces by the value of another variable. */
function isReference(value: string): boolean {
  return /^\$\([^()]+\)$/.test(value)
}

function referredSecrets(pod: PodSpec, path: string): readonly Finding[] {
  return secretReferences(pod, path)
    .filter(({ kind }) => kind === 'Environment')
    .map(({ secret, variable, path: at }) => {
      const what = variable === null ? 'the environment takes every key' : `${quoted(variable)} is taken`
      return finding('Medium', at, `${what} from Secret ${secret}`)
    })
}

function finding(severity: Severity, path: string, message: string): Finding {
  return { check: secretInEnv.id, severity, path, message, remedy: secretInEnv.remedy }
}
