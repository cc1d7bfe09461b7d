import type { ObjectSchema } from '../schema.ts'
import { accessPolicyRevisionSchema } from './access-policy-revision.schema.ts'
import { accessPolicySchema } from './access-policy.schema.ts'
import { clusterNHIGrantSchema } from './cluster-nhi-grant.schema.ts'
import { nhiGrantApprovalSchema } from './nhi-grant-approval.schema.ts'
import { nhiGrantSchema } from './nhi-grant.schema.ts'
import { nhiSuspensionSchema } from './nhi-suspension.schema.ts'
import { group } from './objects.ts'

/** A column of `kubectl get`; priority 1 is shown with -o wide only. */
interface PrinterColumn {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date'
  readonly jsonPath: string
  readonly description: string
  readonly priority?: 1
}

/** One kind of the API: everything that its CustomResourceDefinition says. */
export interface Kind {
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortName: string
  readonly scope: 'Cluster' | 'Namespaced'
  readonly schema: ObjectSchema
  readonly columns: readonly PrinterColumn[]
  readonly selectableFields: readonly string[]
}

function column(
  name: string,
  jsonPath: string,
  description: string,
  type: PrinterColumn['type'] = 'string',
): PrinterColumn {
  return { name, type, jsonPath, description }
}

const age = column('Age', '.metadata.creationTimestamp', 'Time since its creation.', 'date')
const ready = column('Ready', ".status.conditions[?(@.type=='Ready')].status", 'Whether it is in force.')

const grantColumns: readonly PrinterColumn[] = [
  column('Subject', '.spec.subject.name', 'Who gets the access.'),
  column('Policy', '.spec.policy.name', 'The policy that was asked.'),
  column('State', '.status.state', 'Where it is in its life.'),
  column('Until', '.status.notAfter', 'When the access is over.'),
  column('Overstay', '.status.revocation.overstay', 'How long the access outlived its end.'),
  age,
  { ...column('Reason', '.status.endedReason', 'Why it ended.'), priority: 1 },
  { ...column('Requested-By', '.spec.requestedBy', 'Who created it.'), priority: 1 },
]

export const kinds: readonly Kind[] = [
  {
    kind: 'AccessPolicy',
    plural: 'accesspolicies',
    singular: 'accesspolicy',
    shortName: 'nhip',
    scope: 'Cluster',
    schema: accessPolicySchema,
    columns: [
      column('Version', '.spec.version', 'The version asked for.'),
      column('Active', '.status.activeVersion', 'The version that decisions are made by.'),
      ready,
      column('Owner', '.spec.owner.name', 'Who answers for it.'),
      column('Grants', '.status.grants.active', 'Active grants under it.', 'integer'),
      column('Review', '.spec.change.expiresAt', 'When it must have been reviewed; it issues nothing from then on.'),
      age,
      {
        ...column('Reason', ".status.conditions[?(@.type=='Ready')].message", 'Why it is, or is not, ready.'),
        priority: 1,
      },
    ],
    selectableFields: ['.spec.version'],
  },
  {
    kind: 'AccessPolicyRevision',
    plural: 'accesspolicyrevisions',
    singular: 'accesspolicyrevision',
    shortName: 'nhir',
    scope: 'Cluster',
    schema: accessPolicyRevisionSchema,
    columns: [
      column('Policy', '.spec.policyName', 'Whose version it is.'),
      column('Version', '.spec.policy.version', 'The version.'),
      column('Applied-By', '.spec.appliedBy', 'Who applied it.'),
      column('Change', '.spec.policy.change.request', 'The ticket or pull request.'),
      column('Superseded', '.status.supersededAt', 'When a newer version took its place.', 'date'),
      column('Withdrawn', '.status.revokedAt', 'When the policy was deleted.', 'date'),
      age,
    ],
    selectableFields: ['.spec.policyName'],
  },
  {
    kind: 'NHIGrant',
    plural: 'nhigrants',
    singular: 'nhigrant',
    shortName: 'nhig',
    scope: 'Namespaced',
    schema: nhiGrantSchema,
    columns: grantColumns,
    selectableFields: ['.spec.policy.name', '.status.state'],
  },
  {
    kind: 'ClusterNHIGrant',
    plural: 'clusternhigrants',
    singular: 'clusternhigrant',
    shortName: 'nhicg',
    scope: 'Cluster',
    schema: clusterNHIGrantSchema,
    columns: grantColumns,
    selectableFields: ['.spec.policy.name', '.status.state'],
  },
  {
    kind: 'NHIGrantApproval',
    plural: 'nhigrantapprovals',
    singular: 'nhigrantapproval',
    shortName: 'nhia',
    scope: 'Namespaced',
    schema: nhiGrantApprovalSchema,
    columns: [
      column('Grant', '.spec.grant.name', 'The grant that is meant.'),
      column('Decision', '.spec.decision', 'What is said of it.'),
      column('Approver', '.spec.approver', 'Who says it.'),
      age,
      { ...column('Reason', '.spec.reason', 'Why.'), priority: 1 },
    ],
    selectableFields: ['.spec.grant.name'],
  },
  {
    kind: 'NHISuspension',
    plural: 'nhisuspensions',
    singular: 'nhisuspension',
    shortName: 'nhis',
    scope: 'Cluster',
    schema: nhiSuspensionSchema,
    columns: [
      column('Kind', '.spec.subject.kind', 'The kind of identity that is suspended.'),
      column('Namespace', '.spec.subject.namespace', 'Its namespace, of a ServiceAccount.'),
      column('Subject', '.spec.subject.name', 'Its name.'),
      column('Set-By', '.spec.setBy', 'Who set it.'),
      age,
      { ...column('Reason', '.spec.reason', 'Why.'), priority: 1 },
    ],
    selectableFields: [],
  },
]

/** The CustomResourceDefinition of a kind, as plain data. */
export function customResourceDefinition(kind: Kind): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${group}` },
    spec: {
      group,
      scope: kind.scope,
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.singular,
        shortNames: [kind.shortName],
        categories: ['nhi'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          ...('status' in kind.schema.properties && { subresources: { status: {} } }),
          additionalPrinterColumns: kind.columns,
          ...(kind.selectableFields.length > 0 && {
            selectableFields: kind.selectableFields.map((jsonPath) => ({ jsonPath })),
          }),
          schema: { openAPIV3Schema: withTypeMeta(kind.schema) },
        },
      ],
    },
  }
}

function withTypeMeta(schema: ObjectSchema): object {
  const meta = {
    apiVersion: { type: 'string', description: `The version of this schema: ${group}/v1alpha1.` },
    kind: { type: 'string', description: 'The kind of this object.' },
    metadata: { type: 'object' },
  }
  return { ...schema, properties: { ...meta, ...schema.properties } }
}
