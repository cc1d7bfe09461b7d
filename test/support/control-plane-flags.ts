import { join } from 'node:path'

import type { PartName } from './control-plane.ts'

export interface Ports {
  readonly etcd: number
  readonly etcdPeer: number
  readonly apiServer: number
  readonly controllerManager: number
}

/** Only what the tests need: no node, no volume, no attachment. */
const controllers = [
  'garbage-collector-controller',
  'namespace-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'clusterrole-aggregation-controller',
  'root-ca-certificate-publisher-controller',
  'deployment-controller',
  'replicaset-controller',
  'job-controller',
  'ttl-after-finished-controller',
]

/** The command line of each part; the files it names are those of `certs init` and `configFiles`, all in `directory`. */
export function partFlags(directory: string, ports: Ports): Readonly<Record<PartName, readonly string[]>> {
  const file = (name: string): string => join(directory, name)
  const etcd = `http://127.0.0.1:${ports.etcd}`
  const etcdPeer = `http://127.0.0.1:${ports.etcdPeer}`
  return {
    etcd: [
      '--name=test',
      `--data-dir=${file('etcd')}`,
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      `--listen-peer-urls=${etcdPeer}`,
      `--initial-advertise-peer-urls=${etcdPeer}`,
      `--initial-cluster=test=${etcdPeer}`,
      '--unsafe-no-fsync=true',
      '--log-level=warn',
    ],
    'kube-apiserver': [
      `--etcd-servers=${etcd}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${ports.apiServer}`,
      `--tls-cert-file=${file('kube-apiserver.crt')}`,
      `--tls-private-key-file=${file('kube-apiserver.key')}`,
      `--client-ca-file=${file('ca.crt')}`,
      '--authorization-mode=RBAC',
      '--allow-privileged=true',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--endpoint-reconciler-type=none',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${file('service-accounts.key')}`,
      `--service-account-signing-key-file=${file('service-accounts.key')}`,
      `--egress-selector-config-file=${file('egress.json')}`,
      `--audit-policy-file=${file('audit-policy.json')}`,
      `--audit-log-path=${file('audit.log')}`,
      '--audit-log-mode=blocking',
      '--audit-log-maxsize=10000', // MB: one file, never rotated
    ],
    'kube-controller-manager': [
      `--kubeconfig=${file('admin.kubeconfig')}`,
      `--authentication-kubeconfig=${file('admin.kubeconfig')}`,
      `--authorization-kubeconfig=${file('admin.kubeconfig')}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${ports.controllerManager}`,
      `--tls-cert-file=${file('kube-apiserver.crt')}`,
      `--tls-private-key-file=${file('kube-apiserver.key')}`,
      '--leader-elect=false',
      '--use-service-account-credentials=true', // the audit log then tells the controllers apart
      `--service-account-private-key-file=${file('service-accounts.key')}`,
      `--root-ca-file=${file('ca.crt')}`,
      `--controllers=${controllers.join(',')}`,
    ],
  }
}

/** Configuration files of the API server by name; JSON, which is YAML. `serviceProxySocket` is a unix socket. */
export function configFiles(serviceProxySocket: string): Readonly<Record<string, string>> {
  return {
    'audit-policy.json': JSON.stringify({
      apiVersion: 'audit.k8s.io/v1',
      kind: 'Policy',
      omitStages: ['RequestReceived'],
      rules: [{ level: 'None', nonResourceURLs: ['/readyz*', '/livez*', '/healthz*'] }, { level: 'Metadata' }],
    }),
    'egress.json': JSON.stringify({
      apiVersion: 'apiserver.k8s.io/v1beta1',
      kind: 'EgressSelectorConfiguration',
      egressSelections: [
        {
          name: 'cluster',
          connection: {
            proxyProtocol: 'HTTPConnect',
            transport: { uds: { udsName: serviceProxySocket } },
          },
        },
      ],
    }),
  }
}
