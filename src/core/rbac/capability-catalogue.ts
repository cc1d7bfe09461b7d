import { bind, bindingEdit, danglingAggregation, escalate, fullAdmin, wildcard } from './capabilities/authority.ts'
import {
  admissionControl,
  apiExtension,
  namespaceWrite,
  nodesProxy,
  nodeWrite,
  pvCreate,
} from './capabilities/cluster.ts'
import { destroy, systemConfigMap, trafficRedirect } from './capabilities/system.ts'
import { broadGroup } from './capabilities/broad-group.ts'
import { governanceTamper } from './capabilities/governance.ts'
import { csrSign, impersonate, tokenRequest } from './capabilities/identities.ts'
import { exec, podMutate, secretsRead, secretsWrite, workloadCreate } from './capabilities/namespaced.ts'
import type { Capability, CapabilityId } from './capability.ts'

export const capabilityCatalogue: Readonly<Record<CapabilityId, Capability>> = {
  'full-admin': fullAdmin,
  wildcard,
  'secrets-read': secretsRead,
  'secrets-write': secretsWrite,
  'workload-create': workloadCreate,
  'pod-mutate': podMutate,
  exec,
  'token-request': tokenRequest,
  impersonate,
  bind,
  escalate,
  'binding-edit': bindingEdit,
  'nodes-proxy': nodesProxy,
  'csr-sign': csrSign,
  'admission-control': admissionControl,
  'pv-create': pvCreate,
  'namespace-write': namespaceWrite,
  'node-write': nodeWrite,
  'traffic-redirect': trafficRedirect,
  'system-configmap': systemConfigMap,
  'api-extension': apiExtension,
  destroy,
  'broad-group': broadGroup,
  'governance-tamper': governanceTamper,
  'dangling-aggregation': danglingAggregation,
}
