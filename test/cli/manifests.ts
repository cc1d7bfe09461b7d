/** Manifests as people write them: text, since what is tested is also where in the text something stands. */

export const namespace = `apiVersion: v1
kind: Namespace
metadata: {name: payments, labels: {team: payments}}
`

export const serviceAccount = `apiVersion: v1
kind: ServiceAccount
metadata: {namespace: payments, name: api, labels: {app: api}}
`

/** Governs every ServiceAccount of the namespaces with the label. `workloads` and `grants` are YAML in flow style. */
export function policy({
  name = 'deploy',
  version = '1.4.0',
  workloads = '{podSecurity: {level: baseline}}',
  grants = '',
} = {}): string {
  return `apiVersion: lapse.dev/v1alpha1
kind: AccessPolicy
metadata: {name: ${name}}
spec:
  version: ${version}
  owner: {name: platform, contact: oncall@example.com}
  change:
    request: CHG-1
    reason: first
    approvedBy: [ana@example.com]
    expiresAt: 2027-03-01T00:00:00Z
  subjects:
  - kind: ServiceAccount
    namespaceSelector: {matchLabels: {team: payments}}
    selector: {}
  workloads: ${workloads}
${grants}`
}

/** The further fields of a policy that issues grants to those in `requesters`, YAML in flow style. */
export function grantTerms({ requesters = '[{kind: Self}]', maxActivePerSubject = 1 } = {}): string {
  return `  scope: {namespaceSelector: {matchLabels: {team: payments}}}
  permissions:
  - name: rollout
    rules:
    - {apiGroups: [apps], resources: [deployments], verbs: [get, patch]}
  grants: {maxDuration: 1h, maxActivePerSubject: ${maxActivePerSubject}, requesters: ${requesters}}
`
}

export function grant({ name = 'rollout', requestedBy = '', duration = '30m' } = {}): string {
  return `apiVersion: lapse.dev/v1alpha1
kind: NHIGrant
metadata: {namespace: payments, name: ${name}}
spec:
  policy: {name: deploy}
  subject: {kind: ServiceAccount, namespace: payments, name: api}
  permissions: [rollout]
  duration: ${duration}
  reason: Roll out
${requestedBy === '' ? '' : `  requestedBy: ${requestedBy}\n`}`
}

/** `pod`: further fields of the pod spec, indented by six. */
export function deployment({ name = 'api', pod = '' } = {}): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {namespace: payments, name: ${name}}
spec:
  template:
    spec:
      serviceAccountName: api
      containers: [{name: app, image: app}]
${pod}`
}

export function documents(...texts: readonly string[]): string {
  return texts.join('---\n')
}
