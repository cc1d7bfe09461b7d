/** Names that mean something to JavaScript, to Kubernetes or to a careless reader. */
export const oddNames: readonly string[] = [
  '',
  ' ',
  'hostPath ',
  ...'__proto__ constructor prototype toString hasOwnProperty valueOf toJSON then length . 0 -1'.split(' '),
  ...'HostPath hostpath Spec volumes serviceaccountname privileged metadata status'.split(' '),
  ...'deletionTimestamp ownerReferences oldObject subResource dryRun'.split(' '),
]

/** Texts that are empty, invisible, turn or merge characters, or mean something to somebody. */
export const oddTexts: readonly string[] = [
  '',
  ' ',
  '\r\nX-A: b',
  ...'\u0000 \u200b \u202e \ufeff \ud800 \ufb01 e\u0301 \u0130'.split(' '),
  ...'%00 ../.. ${a} {{a}} * system:masters default kube-system null true 0 __proto__ v1 apps/v1'.split(' '),
]

export const oddKinds: readonly string[] = [
  ...'Pod Deployment CronJob Job ReplicaSet NHIGrant AccessPolicy AccessPolicyRevision Role RoleBinding'.split(' '),
  ...'ClusterRole Secret ServiceAccount Namespace ConfigMap pod Scale constructor'.split(' '),
]

export const oddOperations: readonly string[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT', 'create', '', 'PATCH']
