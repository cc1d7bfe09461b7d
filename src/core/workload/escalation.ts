import { highFinding, type Finding, type Severity } from '../finding.ts'
import { describeIdentity, type Identity } from '../identity.ts'
import type { AuthorizeOptions } from '../rbac/authorize.ts'
import { capabilityCatalogue } from '../rbac/capability-catalogue.ts'
import { capabilityFindings } from '../rbac/capability-findings.ts'
import type { CapabilityId } from '../rbac/capability.ts'
import { closureOf, mostActors, type Escalation } from '../rbac/closure.ts'
import type { RbacView } from '../rbac/objects.ts'

/**
 * What the identity can reach that is forbidden, though it does not hold it: one finding for each identity that it can
 * become and that brings something, with the way there. Who can become more than can be looked at is found as well.
 */
export function escalationFindings(
  identity: Identity,
  forbidden: readonly CapabilityId[],
  path: string,
  view: RbacView,
  options: AuthorizeOptions,
): readonly Finding[] {
  const { escalations, isComplete } = closureOf(identity, forbidden, view, options)
  const findings = escalations.map((escalation) => findingOf(escalation, path))
  return isComplete ? findings : [...findings, tooMany(identity, path)]
}

function findingOf({ to, path: steps, held }: Escalation, path: string): Finding {
  const ways = steps.map(({ from, by }, index) => {
    const next = steps[index + 1]?.from ?? to
    const result =
      describeIdentity(from) === describeIdentity(next) ? 'widen its own access' : `act as ${describeIdentity(next)}`
    return `${capabilityFindings(from, [by], path)[0]?.message} and so ${result}`
  })
  const brought = capabilityFindings(to, held, path)
  const [first, ...further] = brought
  const rest = further.length === 0 ? '' : `; it holds ${further.map(({ check }) => check).join(', ')} too`
  const remedy = steps[0] === undefined ? '' : capabilityCatalogue[steps[0].by.capability].remedy
  return {
    check: 'escalation',
    severity: worst(brought),
    path,
    message: `${ways.join('; ')}; ${first?.message}${rest}`,
    remedy,
  }
}

const severities: readonly Severity[] = ['Critical', 'High', 'Medium', 'Low', 'Info']

function worst(findings: readonly Finding[]): Severity {
  return severities.find((severity) => findings.some((finding) => finding.severity === severity)) ?? 'High'
}

function tooMany(identity: Identity, path: string): Finding {
  const message = `${describeIdentity(identity)} can become more than the ${mostActors} identities that are looked at`
  return highFinding('escalation', path, message, 'Bind what lets it act as others in single namespaces')
}
