import { expect } from 'chai'
import { defaultedPod } from '../../../src/core/workload/defaulted-pod.ts'
import { checkPodSecurity } from '../../../src/core/workload/pod-security.ts'
import type { PodSpec } from '../../../src/core/workload/pod-spec.ts'
import { tokenReachable } from '../../../src/core/workload/token.ts'

const versions = ['v1.0', 'v1.8', 'v1.19', 'v1.22', 'v1.25', 'v1.34', 'v1.35', 'latest']
const levels = ['baseline', 'restricted'] as const

/** What a pod breaks, at every level and version; the same field is told once. */
function broken(spec: PodSpec, annotations: Readonly<Record<string, string>> = {}): readonly string[] {
  return levels.flatMap((level) =>
    versions.flatMap((version) =>
      checkPodSecurity({ spec: defaultedPod(spec), annotations }, level, version, 'spec').map(
        ({ check, path }) => `${level} ${version} ${check} ${path}`,
      ),
    ),
  )
}

const app = { name: 'app' }
const pod = (fields: Partial<PodSpec>): PodSpec => ({ containers: [app], ...fields })

/** What an author writes, what the API server makes of it, and a check that says so of both; null: none does. */
const table: readonly (readonly [sentence: string, written: PodSpec, stored: PodSpec, breaks: string | null])[] = [
  [
    'the ports of a container on the network of the node are ports of the node',
    pod({ hostNetwork: true, containers: [{ ...app, ports: [{ containerPort: 8080 }] }] }),
    pod({ hostNetwork: true, containers: [{ ...app, ports: [{ containerPort: 8080, hostPort: 8080 }] }] }),
    'baseline latest host-ports spec.containers[0].ports[0].hostPort',
  ],
  [
    'and so are those of an init container',
    pod({ hostNetwork: true, initContainers: [{ name: 'i', ports: [{ containerPort: 53, hostPort: 0 }] }] }),
    pod({ hostNetwork: true, initContainers: [{ name: 'i', ports: [{ containerPort: 53, hostPort: 53 }] }] }),
    'restricted v1.0 host-ports spec.initContainers[0].ports[0].hostPort',
  ],
  [
    'a port on another port of the node keeps it',
    pod({ hostNetwork: true, containers: [{ ...app, ports: [{ containerPort: 8080, hostPort: 80 }] }] }),
    pod({ hostNetwork: true, containers: [{ ...app, ports: [{ containerPort: 8080, hostPort: 80 }] }] }),
    'baseline v1.0 host-ports spec.containers[0].ports[0].hostPort',
  ],
  [
    'a port on the network of the pod is none of the node',
    pod({ hostNetwork: false, containers: [{ ...app, ports: [{ containerPort: 8080 }] }] }),
    pod({ containers: [{ ...app, ports: [{ containerPort: 8080, hostPort: 0 }] }] }),
    null,
  ],
  [
    'a volume without a source is an emptyDir',
    pod({ volumes: [{ name: 'scratch' }, { name: 'other', hostPath: null }] }),
    pod({
      volumes: [
        { name: 'scratch', emptyDir: {} },
        { name: 'other', emptyDir: {} },
      ],
    }),
    null,
  ],
  [
    'procMount Default is the default',
    pod({ containers: [{ ...app, securityContext: {} }] }),
    pod({ containers: [{ ...app, securityContext: { procMount: 'Default' } }] }),
    null,
  ],
  [
    'an empty security context is none',
    pod({}),
    pod({ securityContext: {}, containers: [{ ...app, securityContext: {} }] }),
    'restricted latest run-as-non-root spec.securityContext',
  ],
  [
    'null is what is left out',
    pod({
      securityContext: { runAsNonRoot: null, seccompProfile: null, sysctls: null },
      containers: [{ ...app, securityContext: { allowPrivilegeEscalation: null, capabilities: null } }],
    }),
    pod({ securityContext: {}, containers: [{ ...app, securityContext: {} }] }),
    'restricted latest seccomp-restricted spec.securityContext',
  ],
  [
    'false, zero and empty are the defaults of what is optional',
    pod({}),
    pod({
      hostNetwork: false,
      hostPID: false,
      hostIPC: false,
      hostUsers: null,
      securityContext: { seLinuxOptions: { type: '', user: '', role: '' }, windowsOptions: { hostProcess: false } },
      containers: [{ ...app, livenessProbe: { httpGet: { host: '' } }, securityContext: { privileged: false } }],
    }),
    'restricted latest capabilities-restricted spec.containers[0].securityContext.capabilities.drop',
  ],
  [
    'the token that the API server mounts is a volume of an allowed type',
    pod({}),
    pod({
      serviceAccountName: 'default',
      serviceAccount: 'default',
      volumes: [
        {
          name: 'kube-api-access-x7k2p',
          projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3_607 } }] },
        },
      ],
    }),
    'restricted latest run-as-non-root spec.securityContext',
  ],
]

describe('defaultedPod', () => {
  for (const [sentence, written, stored, breaks] of table) {
    it(`knows that ${sentence}`, () => {
      expect(broken(written)).to.deep.equal(broken(stored))
      if (breaks !== null) expect(broken(stored)).to.include(breaks)
      else expect(broken(stored)).to.deep.equal(broken(pod({})))
      expect(tokenReachable(written, null).reachable).to.equal(tokenReachable(stored, null).reachable)
    })
  }

  it('leaves a volume of a type that is not known here as it is', () => {
    const strange = { name: 'x', tape: {} }
    expect(defaultedPod(pod({ volumes: [strange] })).volumes).to.deep.equal([strange])
  })

  it('hands back the very pod that needs nothing', () => {
    const plain = pod({ volumes: [{ name: 'x', emptyDir: {} }] })
    expect(defaultedPod(plain)).to.equal(plain)
  })
})
