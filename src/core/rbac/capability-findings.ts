import type { Finding, Severity } from '../finding.ts'
import { describeIdentity } from '../identity.ts'
import type { Identity } from '../identity.ts'
import { describeProvenance } from './authorize.ts'
import { capabilityCatalogue } from './capability-catalogue.ts'
import type { CapabilityId } from './capability.ts'
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
  const deeds = evidence.map((one) => deedOf(one, held.capability)).join(' and ')
  return `can ${deeds}${describePlace(held)} (${[...sources].join('; ')})`
}

function deedOf({ request, by }: Evidence, capability: CapabilityId): string {
  if (request === null) return deedByItself(describeRule(by.rule), capability)
  if (request.verb === '*') return 'do anything'
  const resource = request.subresource === '' ? request.resource : `${request.resource}/${request.subresource}`
  const isNamed = request.name !== '' && request.resource !== 'namespaces'
  return `${request.verb} ${qualifiedResource(request.apiGroup, resource)}${isNamed ? ` named ${request.name}` : ''}`
}

function deedByItself(rule: string, capability: CapabilityId): string {
  switch (capabilityCatalogue[capability].judgedBy) {
    case 'Requests':
    case 'Rules':
      return `use the wildcard rule "${rule}"`
    case 'BroadGroups':
      return `use the rule "${rule}", as everybody can,`
    case 'Aggregation':
      return 'use a role that labels on other ClusterRoles add to'
  }
}

function describePlace({ namespace, reach }: HeldCapability): string {
  if (namespace !== '') return ` in ${namespace}`
  return reach === 'Cluster' ? '' : ' in every namespace'
}

/** Info is for what is no breach, and nothing that a policy forbids falls so low. */
const oneLower: Readonly<Record<Severity, Severity>> = {
  Critical: 'High',
  High: 'Medium',
  Medium: 'Low',
  Low: 'Low',
  Info: 'Info',
}

/** Whoever holds it in kube-system soon holds it everywhere. */
function severityOf({ capability, namespace, isHarmless }: HeldCapability): Severity {
  if (isHarmless) return 'Info'
  const { severity } = capabilityCatalogue[capability]
  return namespace === '' || namespace === 'kube-system' ? severity : oneLower[severity]
}
