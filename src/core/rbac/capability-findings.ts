import type { Finding, Severity } from '../finding.ts'
import { describeIdentity } from '../identity.ts'
import type { Identity } from '../identity.ts'
import { describeProvenance } from './authorize.ts'
import { capabilityCatalogue } from './capability-catalogue.ts'
import type { Evidence, HeldCapability } from './held-capabilities.ts'
import { describeRule, qualifiedResource } from './rule.ts'

/** One finding for each held capability, in the same order, at the field path that names the identity. */
export function capabilityFindings(
  identity: Identity,
  held: readonly HeldCapability[],
  path: string,
): readonly Finding[] {
  return held.map((capability) => {
    const { id, remedy } = capabilityCatalogue[capability.capability]
    const message = `${describeIdentity(identity)} ${describeHeld(capability)}`
    return { check: id, severity: severityOf(capability), path, message, remedy }
  })
}

/** `can list secrets in payments (RoleBinding payments/legacy → Role reader)`. */
function describeHeld(held: HeldCapability): string {
  const evidence = [held, ...held.also]
  const sources = new Set(evidence.map(({ by }) => describeProvenance(by)))
  return `${describeDeed(evidence)}${describePlace(held)} (${[...sources].join('; ')})`
}

function describeDeed(evidence: readonly Evidence[]): string {
  return evidence.map((one, index) => (index === 0 ? `can ${deedOf(one)}` : deedOf(one))).join(' and ')
}

function deedOf({ request, by }: Evidence): string {
  if (request === null) return `use the wildcard rule "${describeRule(by.rule)}"`
  if (request.verb === '*') return 'do anything'
  const resource = request.subresource === '' ? request.resource : `${request.resource}/${request.subresource}`
  const isNamed = request.name !== '' && request.resource !== 'namespaces'
  return `${request.verb} ${qualifiedResource(request.apiGroup, resource)}${isNamed ? ` named ${request.name}` : ''}`
}

function describePlace({ namespace, reach }: HeldCapability): string {
  if (namespace !== '') return ` in ${namespace}`
  return reach === 'Cluster' ? '' : ' in every namespace'
}

const oneLower: Readonly<Record<Severity, Severity>> = {
  Critical: 'High',
  High: 'Medium',
  Medium: 'Low',
  Low: 'Info',
  Info: 'Info',
}

/** Whoever holds it in kube-system soon holds it everywhere. */
function severityOf({ capability, namespace }: HeldCapability): Severity {
  const { severity } = capabilityCatalogue[capability]
  return namespace === '' || namespace === 'kube-system' ? severity : oneLower[severity]
}
