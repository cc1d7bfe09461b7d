import { X509Certificate } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { expect } from 'chai'
import { loadAll, YAML11_SCHEMA } from 'js-yaml'

import { kinds } from '../../src/api/v1alpha1/crds.ts'
import { serviceAccountGroups, serviceAccountUsername } from '../../src/core/identity.ts'
import { ApiError, type AdminApi, type KubeObject } from '../support/admin-api.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { everyKind } from '../support/guarded-cluster.ts'
import { chartPath, installChart, uninstallChart, upgradeChart } from '../support/installation.ts'

const rbac = '/apis/rbac.authorization.k8s.io/v1'
const webhookConfigurations = {
  validating: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/lapse',
  mutating: '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/lapse',
}

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[] | null
}

/** The chart with every value that adds an object or a rule. */
const everything = {
  grantable: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }],
  bindableClusterRoles: ['log-reader', 'log-writer'],
  pool: { size: 3 },
  networkPolicy: { enabled: true, metricsFrom: [{ namespaceSelector: {} }] },
}

/** What these rules let be done to ClusterRoleBindings. */
function overClusterRoleBindings(rules: readonly Rule[]): readonly (readonly string[])[] {
  return rules.filter(({ resources }) => resources.includes('clusterrolebindings')).map(({ verbs }) => verbs)
}

/** What the chart makes for credentials. */
function credentialRights(objects: readonly KubeObject[]): readonly KubeObject[] {
  return objects.filter(({ metadata }) => metadata!.name === 'lapse-credentials')
}

/** What the controller may do everywhere. */
function rulesOf(objects: readonly KubeObject[]): readonly Rule[] {
  return find(objects, 'ClusterRole', 'lapse-controller')['rules'] as readonly Rule[]
}

describe('charts/lapse', () => {
  // Its own: an installed chart without a running webhook refuses workloads in the whole cluster.
  let controlPlane: ControlPlane
  before(async function () {
    this.timeout(120_000)
    controlPlane = await startControlPlane()
  })
  after(() => controlPlane?.stop())

  const template = (values: object, ...args: readonly string[]) =>
    controlPlane.helm(['template', 'lapse', chartPath, '--namespace', 'lapse-system', '--values', '-', ...args], {
      input: JSON.stringify(values),
    })

  async function rendered(values: object): Promise<readonly KubeObject[]> {
    const result = await template(values)
    if (result.code !== 0) throw new Error(result.stderr)
    return objectsIn(result.stdout)
  }

  async function podOf(audit?: object): Promise<KubeObject> {
    return find(await rendered({ ...(audit && { audit }) }), 'Deployment', 'lapse-controller')['spec'].template.spec
  }

  describe('rendered', () => {
    it('passes helm lint', async () => {
      const result = await controlPlane.helm(['lint', '--strict', chartPath])
      expect(result.code, result.stdout + result.stderr).to.equal(0)
    })

    it('gives the controller these rules and no other', async () => {
      const role = find(await rendered(everything), 'ClusterRole', 'lapse-controller')
      expect(role['rules']).to.deep.equal(controllerRules)
    })

    it('lets the controller have its own lease, in its own namespace, and no other', async () => {
      const role = find(await rendered(everything), 'Role', 'lapse-controller')
      expect(role.metadata!['namespace']).to.equal('lapse-system')
      const leases = { apiGroups: ['coordination.k8s.io'], resources: ['leases'] }
      expect(role['rules']).to.deep.equal([
        { ...leases, verbs: ['create'] },
        { ...leases, verbs: ['get', 'list', 'watch', 'update'], resourceNames: ['lapse-controller'] },
      ])
    })

    it('gives the controller what it may hand out, word for word, in a role of its own', async () => {
      const objects = await rendered(everything)
      expect(find(objects, 'ClusterRole', 'lapse-grantable')['rules']).to.deep.equal(everything.grantable)
      expect(find(objects, 'ClusterRoleBinding', 'lapse-grantable')['subjects']).to.deep.equal([
        { kind: 'ServiceAccount', namespace: 'lapse-system', name: 'lapse-controller' },
      ])
    })

    it('spreads the pods of a version over nodes, and not those of an old one and a new one', async () => {
      for (const name of ['lapse-controller', 'lapse-reaper', 'lapse-webhook']) {
        const pods = find(await rendered({}), 'Deployment', name)['spec'].template
        const [constraint] = pods.spec.topologySpreadConstraints
        expect(constraint.matchLabelKeys).to.deep.equal(['pod-template-hash'])
        expect(pods.metadata.labels).to.include(constraint.labelSelector.matchLabels)
      }
    })

    it('gives nothing to hand out by omission', async () => {
      const names = (await rendered({})).map((object) => `${object.kind} ${object.metadata!.name}`)
      expect(names.filter((name) => name.includes('grantable'))).to.deep.equal([])
    })

    it('lets the controller watch Jobs and what the values name so that grants can end with it, and nothing by omission', async () => {
      const configMaps = { apiGroups: [''], resources: ['configmaps'] }
      const verbs = ['list', 'watch']
      const cases: readonly (readonly [until: object, rules: readonly Rule[]])[] = [
        [{}, [{ apiGroups: ['batch'], resources: ['jobs'], verbs }]],
        [{ jobs: false }, []],
        [
          { jobs: false, pods: true, resources: [configMaps] },
          [
            { apiGroups: [''], resources: ['pods'], verbs },
            { ...configMaps, verbs },
          ],
        ],
      ]
      for (const [until, expected] of cases) {
        const role = find(await rendered({ until }), 'ClusterRole', 'lapse-controller')
        const watched = (role['rules'] as readonly Rule[]).filter((rule) => rule.verbs.join() === 'list,watch')
        expect(watched.filter(({ resourceNames }) => resourceNames === undefined)).to.deep.equal(expected)
      }
    })

    it('lets the webhook read and do nothing else', async () => {
      const rules = find(await rendered(everything), 'ClusterRole', 'lapse-webhook')['rules'] as readonly Rule[]
      expect(new Set(rules.flatMap((rule) => rule.verbs))).to.deep.equal(new Set(['get', 'list', 'watch']))
      expect(rules.flatMap((rule) => rule.resources)).not.to.include('secrets')
    })

    it('lets the scan list, and write nothing but reports', async () => {
      const rules = find(await rendered(everything), 'ClusterRole', 'lapse-scan')['rules'] as readonly Rule[]
      const writing = rules.filter(({ verbs }) => verbs.some((verb) => !['list', 'watch'].includes(verb)))
      expect(writing).to.deep.equal([
        {
          apiGroups: ['openreports.io'],
          resources: ['reports', 'clusterreports'],
          verbs: ['list', 'create', 'update', 'delete'],
        },
      ])
      expect(rules.flatMap((rule) => rule.resources)).not.to.include('secrets')
    })

    it('offers roles to people, and binds and aggregates none of them', async () => {
      const objects = await rendered(everything)
      for (const [name, rules] of Object.entries(userRoles)) {
        const role = find(objects, 'ClusterRole', name)
        const told = (role['rules'] as readonly Rule[]).flatMap(({ resources, verbs }) =>
          resources.map((resource) => `${verbs.join()} ${resource}`),
        )
        expect(told, name).to.deep.equal(rules)
        expect(Object.keys(role.metadata!.labels!).filter((label) => label.startsWith('rbac.'))).to.deep.equal([])
      }
      const bound = objects.flatMap((object) => object['roleRef']?.name ?? [])
      expect(bound.filter((name) => name in userRoles)).to.deep.equal([])
    })

    it('lets the reaper list, watch and delete bindings, and nothing else', async () => {
      const objects = await rendered(everything)
      expect(find(objects, 'ClusterRole', 'lapse-reaper')['rules']).to.deep.equal([
        {
          apiGroups: ['rbac.authorization.k8s.io'],
          resources: ['rolebindings', 'clusterrolebindings'],
          verbs: ['list', 'watch', 'delete'],
        },
      ])
      const bound = objects.filter((object) => JSON.stringify(object['subjects'] ?? []).includes('lapse-reaper'))
      expect(bound.map(({ kind, metadata }) => `${kind} ${metadata!.name}`)).to.deep.equal([
        'ClusterRoleBinding lapse-reaper',
      ])
    })

    it('leaves the reaper out when it is told to', async () => {
      const names = (await rendered({ reaper: { enabled: false } })).map((object) => object.metadata!.name)
      expect(names).not.to.include('lapse-reaper')
    })

    it('lets the controller write audit records to stdout, or into a file of a volume that must be given', async () => {
      const byDefault = await podOf()
      expect(JSON.stringify(byDefault)).not.to.include('LAPSE_AUDIT_LOG')
      const persistentVolumeClaim = { claimName: 'lapse-audit' }
      const pod = await podOf({ path: '/var/log/lapse/audit.jsonl', volume: { persistentVolumeClaim } })
      const [container] = pod['containers'] as readonly KubeObject[]
      expect(container!['env']).to.deep.include({ name: 'LAPSE_AUDIT_LOG', value: '/var/log/lapse/audit.jsonl' })
      expect(container!['volumeMounts']).to.deep.equal([{ name: 'audit', mountPath: '/var/log/lapse' }])
      expect(pod['volumes']).to.deep.equal([{ name: 'audit', persistentVolumeClaim }])
      const without = await template({ audit: { path: '/var/log/lapse/audit.jsonl' } })
      expect(without.stderr).to.include('audit.path needs audit.volume')
    })

    it('gives rights over accounts and Secrets in the namespaces that credentials names, and none to read a Secret', async () => {
      expect(credentialRights(await rendered({}))).to.deep.equal([])
      const objects = await rendered({ credentials: { namespaces: ['ci', 'payments'] } })
      const roles = credentialRights(objects).filter(({ kind }) => kind === 'Role')
      expect(roles.map(({ metadata }) => metadata!['namespace'])).to.deep.equal(['ci', 'payments'])
      for (const { rules } of roles)
        expect(rules).to.deep.equal([
          { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['create', 'delete'] },
          { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] },
          { apiGroups: [''], resources: ['secrets'], verbs: ['create', 'update', 'delete'] },
        ])
      const bindings = credentialRights(objects).filter(({ kind }) => kind === 'RoleBinding')
      expect(bindings.map(({ roleRef, subjects }) => [roleRef.kind, roleRef.name, subjects])).to.deep.equal(
        Array.from({ length: 2 }, () => [
          'Role',
          'lapse-credentials',
          [{ kind: 'ServiceAccount', namespace: 'lapse-system', name: 'lapse-controller' }],
        ]),
      )
      for (const name of ['lapse-controller', 'lapse-webhook']) {
        const [container] = find(objects, 'Deployment', name)['spec'].template.spec.containers
        expect(container.args).to.include('--credential-namespaces=ci,payments')
      }
    })

    it('lets the controller bind in the whole cluster only when it is told to, and tells both processes', async () => {
      const [off, on] = [await rendered({}), await rendered({ clusterGrants: { enabled: true } })]
      expect(overClusterRoleBindings(rulesOf(off))).to.deep.equal([['list']])
      expect(overClusterRoleBindings(rulesOf(on))).to.deep.equal([['get', 'list', 'watch', 'create', 'delete']])
      for (const name of ['lapse-controller', 'lapse-webhook']) {
        const argsOf = (objects: readonly KubeObject[]): readonly string[] =>
          find(objects, 'Deployment', name)['spec'].template.spec.containers[0].args
        expect(argsOf(off)).not.to.include('--cluster-grants')
        expect(argsOf(on)).to.include.members(['--cluster-grants', '--approval-namespace=lapse-system'])
      }
    })

    it('lets the controller evict Pods only when it is told to', async () => {
      const before = rulesOf(await rendered({}))
      expect(before.flatMap(({ resources }) => resources)).not.to.include.members(['pods'])
      const known = new Set(before.map((rule) => JSON.stringify(rule)))
      const added = rulesOf(await rendered({ evictPods: { enabled: true } })).filter(
        (rule) => !known.has(JSON.stringify(rule)),
      )
      expect(added).to.deep.equal([
        { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
        { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
      ])
    })

    it('leaves the scan out when it is told to', async () => {
      const names = (await rendered({ scan: { enabled: false } })).map((object) => object.metadata!.name)
      expect(names).not.to.include('lapse-scan')
    })

    it('holds no wildcard, no escalate, no impersonate, and bind by name only', async () => {
      const roles = (await rendered(everything)).filter((object) => /^(Cluster)?Role$/.test(object.kind!))
      expect(roles.map((role) => `${role.kind} ${role.metadata!.name}`)).to.have.members([
        'ClusterRole lapse-controller',
        'Role lapse-controller',
        'ClusterRole lapse-grantable',
        'ClusterRole lapse-reaper',
        'ClusterRole lapse-scan',
        'ClusterRole lapse-webhook',
        ...Object.keys(userRoles).map((name) => `ClusterRole ${name}`),
      ])
      for (const rule of roles.flatMap((role) => role['rules'] as readonly Rule[])) {
        const words = [...rule.apiGroups, ...rule.resources, ...rule.verbs, ...(rule.resourceNames ?? [])]
        expect(words.filter((word) => word.includes('*'))).to.deep.equal([])
        expect(rule.verbs.filter((verb) => /^(escalate|impersonate)/.test(verb))).to.deep.equal([])
        if (rule.verbs.includes('bind')) expect(rule.resourceNames).to.be.an('array').that.is.not.empty
      }
    })

    it('lets only workloads through unjudged when it is told to, whatever else happens to the webhook', async () => {
      const objects = await rendered({ ...everything, webhook: { failurePolicy: 'Ignore' } })
      const webhooks = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'].flatMap(
        (kind) => find(objects, kind, 'lapse')['webhooks'] as readonly KubeObject[],
      )
      expect(webhooks.map((webhook) => [webhook['name'], webhook['failurePolicy']])).to.deep.equal([
        ['requester.lapse.dev', 'Fail'],
        ['own-kinds.lapse.dev', 'Fail'],
        ['approvals.lapse.dev', 'Fail'],
        ['reviews.lapse.dev', 'Ignore'],
        ['suspensions.lapse.dev', 'Ignore'],
        ['own-definitions.lapse.dev', 'Fail'],
        ['namespaces.lapse.dev', 'Ignore'],
        ['workloads.lapse.dev', 'Ignore'],
        ['access.lapse.dev', 'Fail'],
        ['standing.lapse.dev', 'Fail'],
        ['service-accounts.lapse.dev', 'Ignore'],
        ['token-secrets.lapse.dev', 'Fail'],
      ])
    })

    it('asks about the kinds that podTemplates names, in every version, and tells the webhook where to look', async () => {
      const rollout = { group: 'argoproj.io', resource: 'rollouts', kind: 'Rollout', path: 'spec.template' }
      const job = { group: 'batch.volcano.sh', resource: 'jobs', kind: 'Job', path: 'spec.tasks[*].template' }
      const objects = await rendered({ webhook: { podTemplates: [rollout, job] } })
      const webhooks = find(objects, 'ValidatingWebhookConfiguration', 'lapse')['webhooks'] as readonly KubeObject[]
      const { rules } = webhooks.find(({ name }) => name === 'workloads.lapse.dev')!
      expect(rules.slice(-2)).to.deep.equal(
        [rollout, job].map(({ group, resource }) => ({
          apiGroups: [group],
          apiVersions: ['*'],
          operations: ['CREATE', 'UPDATE'],
          resources: [resource],
          scope: 'Namespaced',
        })),
      )
      const { args } = find(objects, 'Deployment', 'lapse-webhook')['spec'].template.spec.containers[0]
      expect(args).to.include('--pod-templates=argoproj.io/Rollout=spec.template')
      expect(args).to.include('--pod-templates=batch.volcano.sh/Job=spec.tasks[*].template')
    })

    it('leaves out of the guard over the CRDs the cluster admins, and whom it is told', async () => {
      const objects = await rendered({
        crds: { changedBy: { groups: ['platform'], users: ['system:serviceaccount:a:b'] } },
      })
      const webhooks = find(objects, 'ValidatingWebhookConfiguration', 'lapse')['webhooks'] as readonly KubeObject[]
      const { matchConditions } = webhooks.find(({ name }) => name === 'own-definitions.lapse.dev')!
      expect((matchConditions as readonly KubeObject[]).at(-1)!['expression']).to.equal(
        `!request.userInfo.groups.exists(group, group in ['system:masters', 'platform']) && !(request.userInfo.username in ['system:serviceaccount:a:b'])`,
      )
    })

    it('tells the controller which webhooks it registers, all of them', async () => {
      const objects = await rendered(everything)
      const { env } = find(objects, 'Deployment', 'lapse-controller')['spec'].template.spec.containers[0]
      const value = (env as readonly KubeObject[]).find(({ name }) => name === 'LAPSE_EXPECTED_WEBHOOKS')!['value']
      const expected = JSON.parse(value as string) as Readonly<Record<string, readonly KubeObject[]>>
      for (const kind of ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration']) {
        const registered = find(objects, kind, 'lapse')['webhooks'] as readonly KubeObject[]
        const bare = registered.map((webhook) => {
          const { caBundle: _, ...clientConfig } = webhook['clientConfig']
          return { ...webhook, clientConfig }
        })
        expect(expected[kind]).to.deep.equal(bare)
      }
    })

    it('refuses an empty pool even unasked for, since a rule without names is a rule for every name', async () => {
      const result = await template({ pool: { size: 0 } }, '--skip-schema-validation')
      expect(result.code).to.equal(1)
      expect(result.stderr).to.include('pool.size must be at least 1')
    })

    const refused: readonly (readonly [sentence: string, values: object, reason: RegExp])[] = [
      ['a value that it does not know', { replicas: 3 }, /additional properties 'replicas' not allowed/],
      [
        'a nested value that it does not know',
        { webhook: { failPolicy: 'Ignore' } },
        /additional properties 'failPolicy'/,
      ],
      ['to run without a controller', { controller: { replicas: 0 } }, /controller\/replicas.*minimum: got 0, want 1/s],
      ['a pool of nothing', { pool: { size: 0 } }, /pool\/size.*minimum: got 0, want 1/s],
      ['a pool that is too large', { pool: { size: 1025 } }, /pool\/size.*maximum: got 1,025, want 1,024/s],
      ['to hand out every verb', ruleWith({ verbs: ['*'] }), /grantable\/0\/verbs\/0.*does not match pattern/s],
      ['to hand out every resource', ruleWith({ resources: ['*'] }), /grantable\/0\/resources\/0.*does not match/s],
      [
        'to hand out a subresource of everything',
        ruleWith({ resources: ['*/scale'] }),
        /resources\/0.*does not match/s,
      ],
      ['to hand out every API group', ruleWith({ apiGroups: ['*'] }), /grantable\/0\/apiGroups\/0.*does not match/s],
      ['to hand out escalate', ruleWith({ verbs: ['get', 'escalate'] }), /grantable\/0\/verbs\/1.*'not' failed/s],
      ['to hand out bind', ruleWith({ verbs: ['bind'] }), /grantable\/0\/verbs\/0.*'not' failed/s],
      ['to hand out impersonate', ruleWith({ verbs: ['impersonate'] }), /grantable\/0\/verbs\/0.*'not' failed/s],
      ['a rule without verbs', ruleWith({ verbs: [] }), /grantable\/0\/verbs.*minItems: got 0, want 1/s],
      ['names that are none, which would be all', ruleWith({ resourceNames: [] }), /resourceNames.*minItems: got 0/s],
      [
        'URLs that no grant could carry',
        ruleWith({ nonResourceURLs: ['/metrics'] }),
        /additional properties 'nonResourceURLs'/,
      ],
      [
        'to watch everything for grants',
        untilWith({ resources: ['*'] }),
        /until\/resources\/0\/resources\/0.*does not/s,
      ],
      ['to watch every API group', untilWith({ apiGroups: ['*'] }), /until\/resources\/0\/apiGroups\/0.*does not/s],
      ['to watch Secrets', untilWith({ resources: ['secrets'] }), /until\/resources\/0\/resources\/0.*'not' failed/s],
      ['to bind cluster-admin', { bindableClusterRoles: ['cluster-admin'] }, /bindableClusterRoles\/0.*'not' failed/s],
      [
        'to bind its own roles',
        { bindableClusterRoles: ['lapse-controller'] },
        /bindableClusterRoles\/0.*'not' failed/s,
      ],
      ['two roles in one name', { bindableClusterRoles: ['view,admin'] }, /bindableClusterRoles\/0.*does not match/s],
      [
        'a pod template of a kind of Kubernetes itself',
        {
          webhook: {
            podTemplates: [{ group: 'apps', resource: 'deployments', kind: 'Deployment', path: 'spec.template' }],
          },
        },
        /podTemplates\/0\/group.*does not match/s,
      ],
      [
        'a pod template at a place that cannot be',
        { webhook: { podTemplates: [{ group: 'a.b', resource: 'c', kind: 'C', path: 'spec.tasks[0]' }] } },
        /podTemplates\/0\/path.*does not match/s,
      ],
      [
        'a name that would end the expression that it is put into',
        { crds: { changedBy: { users: ["x']) || true || ('"] } } },
        /changedBy\/users\/0.*does not match/s,
      ],
      [
        'to make tokens where the cluster has its own',
        { credentials: { namespaces: ['ci', 'kube-system'] } },
        /credentials.namespaces must not name kube-system/,
      ],
      [
        'to make tokens of the operator',
        { credentials: { namespaces: ['lapse-system'] } },
        /credentials.namespaces must not name lapse-system/,
      ],
      ['a failure policy that there is not', { webhook: { failurePolicy: 'Warn' } }, /webhook\/failurePolicy/],
      [
        'a Secret of unknown authority',
        { certificate: { existingSecret: 'mine' } },
        /certificate.existingSecret needs certificate.caBundle/,
      ],
      [
        'a CA for its own certificate',
        { certificate: { caBundle: 'QUJD' } },
        /caBundle is for certificate.existingSecret/,
      ],
    ]
    for (const [sentence, values, reason] of refused) {
      it(`refuses ${sentence}`, async () => {
        const result = await template(values)
        expect(result.stderr).to.match(reason)
        expect(result.code).to.equal(1)
      })
    }

    const images: readonly (readonly [image: object, expected: string])[] = [
      [{}, 'lapse:0.1.0'],
      [{ repository: 'mirror.example.com/lapse', tag: '0.1.1' }, 'mirror.example.com/lapse:0.1.1'],
      [{ tag: '0.1.1', digest: `sha256:${'0'.repeat(64)}` }, `lapse@sha256:${'0'.repeat(64)}`],
    ]
    for (const [image, expected] of images) {
      it(`runs ${expected} for ${JSON.stringify(image)}`, async () => {
        const deployments = (await rendered({ image })).filter((object) => object.kind === 'Deployment')
        expect(deployments.map((deployment) => deployment['spec'].template.spec.containers[0].image)).to.deep.equal([
          expected,
          expected,
          expected,
          expected,
        ])
      })
    }

    it('installs every CRD that it carries, to be kept for as long as somebody does not delete it by hand', async () => {
      const files = await readdir(join(chartPath, 'files/crds'))
      const crds = (await rendered({})).filter((object) => object.kind === 'CustomResourceDefinition')
      expect(crds.map((crd) => crd.metadata!.name)).to.have.members(kinds.map(({ plural }) => `${plural}.lapse.dev`))
      expect(crds).to.have.length(files.length)
      for (const crd of crds) expect(crd.metadata!.annotations).to.include({ 'helm.sh/resource-policy': 'keep' })
    })

    it('leaves the CRDs to others when told so', async () => {
      const rest = (await rendered({ crds: { install: false } })).map((object) => object.kind)
      expect(rest).not.to.include('CustomResourceDefinition')
    })

    it('uses the Secret and CA that it is given', async () => {
      const objects = await rendered({ certificate: { existingSecret: 'mine', caBundle: 'QUJD' } })
      expect(objects.map((object) => object.kind)).not.to.include('Secret')
      expect(new Set(caBundles(objects))).to.deep.equal(new Set(['QUJD']))
      expect(find(objects, 'Deployment', 'lapse-webhook')['spec'].template.spec.volumes[0].secret.secretName).to.equal(
        'mine',
      )
    })

    it('leaves the CA to cert-manager when told so', async () => {
      const annotations = { 'cert-manager.io/inject-ca-from': 'lapse-system/webhook' }
      const objects = await rendered({ certificate: { existingSecret: 'mine' }, webhook: { annotations } })
      expect(new Set(caBundles(objects))).to.deep.equal(new Set([undefined]))
      expect(find(objects, 'ValidatingWebhookConfiguration', 'lapse').metadata!.annotations).to.deep.equal(annotations)
    })
  })

  describe('installed, with nobody to answer for the webhook', function () {
    this.timeout(120_000) // each upgrade by Helm takes seconds
    const namespace = 'lapse-system'
    const operator = {
      user: serviceAccountUsername(namespace, 'lapse-controller'),
      groups: serviceAccountGroups(namespace),
    }
    let admin: AdminApi
    let asTheApiServer: AdminApi
    let tenant: string

    before(async () => {
      admin = controlPlane.admin
      asTheApiServer = admin.as({ user: 'system:apiserver', groups: ['system:masters'] })
      await admin.create('/api/v1/namespaces', {
        metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
      })
      tenant = await controlPlane.namespace()
      await admin.create(`/api/v1/namespaces/${tenant}/serviceaccounts`, { metadata: { name: 'api' } })
      for (const [resource, object] of Object.entries(everyKind())) await admin.create(of(resource), object)
      await installChart(controlPlane, { namespace })
      await eventually('the API server heeds the webhook configuration', async () =>
        (await outcome(createPod(tenant))) === 'done' ? undefined : true,
      )
    })

    const of = (resource: string): string => {
      const [plural, version] = resource.split('/').toReversed()
      const root = version === undefined ? '/api/v1' : `/apis/${resource.slice(0, resource.lastIndexOf('/'))}`
      return `${root}/namespaces/${tenant}/${plural}`
    }
    const createPod = (where: string) =>
      admin.create(`/api/v1/namespaces/${where}/pods?dryRun=All`, {
        metadata: { name: 'any' },
        spec: restrictedPod,
      })
    const bind = (api: AdminApi, role: string, where = tenant) =>
      api.create(`${rbac}/namespaces/${where}/rolebindings`, {
        metadata: { generateName: 'any-' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      })

    it('reads back from the API server as it was sent', async () => {
      const manifest = await controlPlane.helm(['get', 'manifest', 'lapse', '--namespace', namespace])
      for (const sent of objectsIn(manifest.stdout)) {
        const got = await controlPlane.kubectl([
          'get',
          `${sent.kind}/${sent.metadata!.name}`,
          '--namespace',
          namespace,
          '--output',
          'json',
        ])
        expect(JSON.parse(got.stdout), `${sent.kind} ${sent.metadata!.name}`).to.satisfy((live: unknown) =>
          contains(live, sent),
        )
      }
    })

    it('has pods that pass Pod Security at level restricted, and that the webhook need not pass', async () => {
      const pods = await eventually(
        'the pods of all Deployments are there',
        async () => {
          const found = await admin.list(`/api/v1/namespaces/${namespace}/pods`)
          return found.length === 6 ? found : undefined
        },
        40_000,
      )
      const components = pods.map((pod) => pod.metadata!.labels!['app.kubernetes.io/component'])
      expect(components).to.have.members(['controller', 'controller', 'reaper', 'scan', 'webhook', 'webhook'])
    })

    it('serves with a P-256 certificate for the Service, signed by the CA that the API server is told', async () => {
      const data = (await admin.get(`/api/v1/namespaces/${namespace}/secrets/lapse-webhook-tls`))['data']
      const [leaf, ca] = [certificate(data['tls.crt']), certificate(data['ca.crt'])]
      expect(leaf.checkHost(`lapse-webhook.${namespace}.svc`)).to.equal(`lapse-webhook.${namespace}.svc`)
      expect(leaf.checkIssued(ca) && leaf.verify(ca.publicKey)).to.equal(true)
      for (const each of [leaf, ca])
        expect(each.publicKey.asymmetricKeyDetails).to.deep.equal({ namedCurve: 'prime256v1' })
      const configurations = await Promise.all(Object.values(webhookConfigurations).map((path) => admin.get(path)))
      expect(new Set(caBundles(configurations))).to.deep.equal(new Set([data['ca.crt']]))
    })

    it('keeps the certificate when it is upgraded', async () => {
      const read = async (): Promise<unknown> => [
        (await admin.get(`/api/v1/namespaces/${namespace}/secrets/lapse-webhook-tls`))['data'],
        caBundles([await admin.get(webhookConfigurations.validating), await admin.get(webhookConfigurations.mutating)]),
      ]
      const before = await read()
      await upgradeChart(controlPlane, { namespace, values: { logLevel: 'debug' } })
      const deployment = await admin.get(`/apis/apps/v1/namespaces/${namespace}/deployments/lapse-webhook`)
      expect(deployment['spec'].template.spec.containers[0].args).to.include('--log-level=debug')
      expect(await read()).to.deep.equal(before)
    })

    it('makes another certificate when the old one has been deleted', async () => {
      const path = `/api/v1/namespaces/${namespace}/secrets/lapse-webhook-tls`
      const before = await admin.get(path)
      await admin.delete(path)
      await upgradeChart(controlPlane, { namespace })
      const data = (await admin.get(path))['data']
      expect(data['ca.crt']).not.to.equal(before['data']['ca.crt'])
      const found = caBundles([await admin.get(webhookConfigurations.validating)])
      expect(new Set(found)).to.deep.equal(new Set([data['ca.crt']]))
    })

    it('refuses workloads while the webhook does not answer', async () => {
      expect(await outcome(createPod(tenant))).to.include('failed calling webhook "workloads.lapse.dev"')
    })

    const update = (resource: string, change: object) => outcome(admin.patch(`${of(resource)}/api?dryRun=All`, change))
    for (const resource of Object.keys(everyKind())) {
      it(`leaves alone updates of ${resource} that do not change what Pods will be, and no others`, async () => {
        expect(await update(resource, { metadata: { labels: { a: 'b' }, finalizers: ['example.com/f'] } })).to.equal(
          'done',
        )
        const annotated = { metadata: { annotations: { a: 'b' } } }
        const changes: Readonly<Record<string, readonly object[]>> = {
          pods: [annotated, { spec: { activeDeadlineSeconds: 5 } }],
          podtemplates: [{ template: annotated }],
          'batch/v1/cronjobs': [{ spec: { jobTemplate: { spec: { template: annotated } } } }],
        }
        for (const change of changes[resource] ?? [{ spec: { template: annotated } }])
          expect(await update(resource, change)).to.include('failed calling webhook "workloads.lapse.dev"')
      })
    }

    it('leaves scaling alone, and suspension', async () => {
      const updates: readonly (readonly [path: string, spec: object])[] = [
        [`${of('apps/v1/deployments')}/api`, { replicas: 2 }],
        [`${of('apps/v1/deployments')}/api/scale`, { replicas: 2 }],
        [`${of('apps/v1/replicasets')}/api`, { replicas: 2 }],
        [`${of('replicationcontrollers')}/api`, { replicas: 2 }],
        [`${of('batch/v1/cronjobs')}/api`, { suspend: true }],
      ]
      for (const [path, spec] of updates)
        expect(await outcome(admin.patch(`${path}?dryRun=All`, { spec })), path).to.equal('done')
    })

    for (const exempt of ['kube-system', 'kube-public', 'kube-node-lease', namespace]) {
      it(`cannot lock out ${exempt}`, async () => {
        await eventually(`${exempt} has its ServiceAccount`, () =>
          admin.get(`/api/v1/namespaces/${exempt}/serviceaccounts/default`),
        )
        expect(await outcome(createPod(exempt))).to.equal('done')
      })
    }

    it('is not fooled by a namespace that bears the name of another as a label', async () => {
      const liar = await controlPlane.namespace({ 'kubernetes.io/metadata.name': 'kube-system' })
      await admin.patch(`/api/v1/namespaces/${liar}`, {
        metadata: { labels: { 'kubernetes.io/metadata.name': 'kube-system' } },
      })
      expect(await outcome(createPod(liar))).to.include('failed calling webhook "workloads.lapse.dev"')
    })

    it('leaves out a namespace that the values name', async () => {
      await upgradeChart(controlPlane, { namespace, values: { webhook: { excludeNamespaces: [tenant] } } })
      await eventually('pods are let through', async () =>
        (await outcome(createPod(tenant))) === 'done' ? true : undefined,
      )
      await upgradeChart(controlPlane, { namespace })
      await eventually('pods are refused', async () =>
        (await outcome(createPod(tenant))) === 'done' ? undefined : true,
      )
    })

    it('judges its own kinds everywhere', async () => {
      const configuration = await admin.get(webhookConfigurations.validating)
      const own = configuration['webhooks'].find((webhook: KubeObject) => webhook['name'] === 'own-kinds.lapse.dev')
      expect(own.namespaceSelector).to.deep.equal({})
      expect(own.objectSelector).to.deep.equal({})
    })

    it('stands in front of nothing that takes access away', async () => {
      for (const path of Object.values(webhookConfigurations)) {
        const rules = (await admin.get(path))['webhooks'].flatMap((webhook: KubeObject) => webhook['rules'])
        const deletes = rules.filter((rule: { operations: string[] }) => /DELETE|\*/.test(rule.operations.join()))
        expect(deletes.flatMap((rule: { resources: string[] }) => rule.resources)).to.deep.equal(
          path === webhookConfigurations.validating
            ? [
                'accesspolicyrevisions',
                'nhigrantapprovals',
                'nhigrants', // those that are to be reviewed, which spec.revoke ends, and only while the webhook answers
                'clusternhigrants',
                'nhisuspensions', // by their own subject, and only while the webhook answers
                'customresourcedefinitions',
                'customresourcedefinitions/status',
              ]
            : [],
        )
      }
    })

    describe('to those who write roles and bindings', () => {
      const rules: readonly Rule[] = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }]
      const labels = { [`to-${namespace}`]: 'true' }
      const aggregated = {
        metadata: { name: 'aggregated' },
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: labels }] },
      }

      it('lets the API server keep the roles that it ships with, without which it does not come up', async () => {
        const role = { metadata: { name: 'shipped' }, rules }
        expect(await outcome(admin.create(`${rbac}/clusterroles`, role))).to.include('"standing.lapse.dev"')
        expect(await outcome(asTheApiServer.create(`${rbac}/clusterroles`, role))).to.equal('done')
      })

      it('lets the controller of the cluster aggregate', async () => {
        await asTheApiServer.create(`${rbac}/clusterroles`, { ...aggregated, rules: [] })
        await asTheApiServer.create(`${rbac}/clusterroles`, { metadata: { name: 'part', labels }, rules })
        await eventually('the rules are there', async () => {
          const found = (await admin.get(`${rbac}/clusterroles/aggregated`))['rules'] as readonly Rule[] | null
          return found?.length === 1 ? true : undefined
        })
      })

      it('lets everybody write what gives nothing, and remove what does', async () => {
        const path = `${rbac}/clusterroles/shipped`
        expect(await outcome(admin.patch(path, { metadata: { annotations: { a: 'b' } } }))).to.equal('done')
        expect(await outcome(admin.patch(path, { metadata: { labels } }))).to.include('"standing.lapse.dev"')
        expect(await outcome(admin.delete(path))).to.equal('done')
      })

      it('lets an upgrade mend the RBAC of Lapse itself, and nobody else take it for that', async () => {
        const read = async () => (await admin.get(`${rbac}/clusterroles/lapse-controller`))['rules'] as readonly Rule[]
        const values = { pool: { size: 300 }, credentials: { namespaces: ['default'] } }
        await upgradeChart(controlPlane, { namespace, values })
        const credentials = await admin.get(`${rbac}/namespaces/default/roles/lapse-credentials`)
        expect(credentials['rules']).to.have.length(3)
        expect((await read()).flatMap(({ resourceNames }) => resourceNames ?? [])).to.include('lapse-set-299')
        await upgradeChart(controlPlane, { namespace })
        await asTheApiServer.create(`${rbac}/clusterrolebindings`, {
          metadata: { name: 'deployers' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
          subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'deployers' }],
        })
        const deployer = admin.as({ user: 'dan', groups: ['deployers'] })
        const named = { metadata: { name: 'lapse-webhook' }, rules }
        await eventually('the deployer may write roles', async () =>
          (await outcome(deployer.create(`${rbac}/namespaces/${namespace}/roles`, named))).includes(
            'standing.lapse.dev',
          )
            ? true
            : undefined,
        )
      })
    })

    describe('to the operator, whose writes do not depend on the webhook,', () => {
      const role = (name: string, ...rules: readonly Rule[]) =>
        admin.as(operator).create(`${rbac}/clusterroles`, { metadata: { name }, rules })
      const held: Rule = { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'patch'] }
      const secrets: Rule = { apiGroups: [''], resources: ['secrets'], verbs: ['get'] }

      before(async () => {
        await asTheApiServer.create(`${rbac}/clusterroles`, { metadata: { name: 'view-logs-test' }, rules: [secrets] })
        await asTheApiServer.create(`${rbac}/clusterroles`, { metadata: { name: 'someone-elses' }, rules: [held] })
      })

      it('allows a role of the pool with rules that it holds, its binding, and the removal of both', async () => {
        await role('lapse-set-0', held)
        const binding = await bind(admin.as(operator), 'lapse-set-0')
        const bindings = `${rbac}/namespaces/${tenant}/rolebindings`
        expect(await outcome(admin.as(operator).delete(`${bindings}/${binding.metadata!.name}`))).to.equal('done')
        expect(await outcome(admin.as(operator).delete(`${rbac}/clusterroles/lapse-set-0`))).to.equal('done')
      })

      it('allows to bind a role that the values name, though it does not hold its rules', async () => {
        expect(await outcome(bind(admin.as(operator), 'view-logs-test'))).to.equal('done')
      })

      const forbidden: readonly (readonly [sentence: string, act: () => Promise<KubeObject>, reason: RegExp])[] = [
        [
          'a role with a rule that it does not hold',
          () => role('lapse-set-1', secrets),
          /attempting to grant RBAC permissions not/,
        ],
        [
          'a role with a wildcard',
          () => role('lapse-set-1', { apiGroups: ['apps'], resources: ['*'], verbs: ['get'] }),
          /attempting to grant RBAC permissions not currently held/,
        ],
        [
          'to bind cluster-admin',
          () => bind(admin.as(operator), 'cluster-admin'),
          /attempting to grant RBAC permissions not/,
        ],
        ['to bind beyond the pool', () => bind(admin.as(operator), 'lapse-set-256'), /"lapse-set-256" not found/],
        [
          'to bind a role of the pool cluster-wide',
          () =>
            admin.as(operator).create(`${rbac}/clusterrolebindings`, {
              metadata: { name: 'any' },
              roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'lapse-set-0' },
            }),
          /cannot create resource "clusterrolebindings"/,
        ],
        [
          'to delete a role outside the pool',
          () => admin.as(operator).delete(`${rbac}/clusterroles/someone-elses`),
          /cannot delete resource "clusterroles"/,
        ],
        [
          'to change its own role',
          () => admin.as(operator).patch(`${rbac}/clusterroles/lapse-controller`, { rules: [] }),
          /cannot patch resource "clusterroles"/,
        ],
        [
          'to read Secrets',
          () => admin.as(operator).get(`/api/v1/namespaces/${namespace}/secrets`),
          /cannot list resource "secrets"/,
        ],
        [
          'to touch the webhook configurations',
          () => admin.as(operator).delete(webhookConfigurations.validating),
          /cannot delete resource "validatingwebhookconfigurations"/,
        ],
      ]
      for (const [sentence, act, reason] of forbidden) {
        it(`forbids ${sentence}`, async () => {
          expect(await outcome(act())).to.match(reason)
        })
      }

      it('leaves every other binding of a pool role and of any other role to the webhook', async () => {
        await role('lapse-set-2', held)
        expect(await outcome(bind(admin, 'lapse-set-2'))).to.include('failed calling webhook "access.lapse.dev"')
        expect(await outcome(bind(admin, 'someone-elses'))).to.include('failed calling webhook "standing.lapse.dev"')
      })
    })

    describe('and taken away,', () => {
      it('is out of the way after the one command of docs/install.md, and back after an upgrade', async () => {
        const removal = await controlPlane.kubectl([
          'delete',
          'validatingwebhookconfigurations,mutatingwebhookconfigurations',
          'lapse',
        ])
        expect(removal.code, removal.stderr).to.equal(0)
        await eventually('pods are let through', async () =>
          (await outcome(createPod(tenant))) === 'done' ? true : undefined,
        )
        await upgradeChart(controlPlane, { namespace })
        await eventually('pods are refused', async () =>
          (await outcome(createPod(tenant))) === 'done' ? undefined : true,
        )
      })

      it('leaves its CRDs and nothing else when it is uninstalled', async () => {
        await uninstallChart(controlPlane, namespace)
        const replicaSets = `/apis/apps/v1/namespaces/${namespace}/replicasets`
        await eventually(
          'the garbage collector has taken what the Deployments had made',
          async () => ((await admin.list(replicaSets)).length === 0 ? true : undefined),
          40_000,
        )
        const left = await controlPlane.kubectl([
          'get',
          'all,crds,secrets,serviceaccounts,poddisruptionbudgets,clusterroles,clusterrolebindings,validatingwebhookconfigurations,mutatingwebhookconfigurations',
          '--namespace',
          namespace,
          '--selector',
          'app.kubernetes.io/name=lapse',
          '--output',
          'jsonpath={range .items[?(@.kind!="Pod")]}{.kind}{"\\n"}{end}', // the garbage collector takes the pods, in its own time
        ])
        expect(new Set(left.stdout.trim().split('\n'))).to.deep.equal(new Set(['CustomResourceDefinition']))
      })
    })
  })
})

/** What people may do with each, of lapse.dev. */
const userRoles: Readonly<Record<string, readonly string[]>> = {
  'lapse-requester': ['create,get,list,watch nhigrants', 'get,list accesspolicies'],
  'lapse-approver': [
    'create,get,list nhigrantapprovals',
    'get,list nhigrants',
    'get,list clusternhigrants',
    'get,list accesspolicies',
  ],
  'lapse-suspender': [
    'create,delete,get,list nhisuspensions',
    'get,list,watch nhigrants',
    'get,list,watch clusternhigrants',
  ],
  'lapse-viewer': [
    'accesspolicies',
    'accesspolicyrevisions',
    'nhigrants',
    'clusternhigrants',
    'nhigrantapprovals',
    'nhisuspensions',
  ].map((kind) => `get,list,watch ${kind}`),
}

const poolNames = ['lapse-set-0', 'lapse-set-1', 'lapse-set-2']

/** Under the values of `everything`. */
const controllerRules: readonly Rule[] = [
  {
    apiGroups: ['lapse.dev'],
    resources: [
      'accesspolicies',
      'accesspolicyrevisions',
      'nhigrants',
      'clusternhigrants',
      'nhigrantapprovals',
      'nhisuspensions',
    ],
    verbs: ['get', 'list', 'watch'],
  },
  { apiGroups: ['lapse.dev'], resources: ['nhigrants', 'clusternhigrants'], verbs: ['delete'] },
  {
    apiGroups: ['lapse.dev'],
    resources: ['accesspolicies/status', 'accesspolicyrevisions/status', 'nhigrants/status', 'clusternhigrants/status'],
    verbs: ['update'],
  },
  { apiGroups: ['lapse.dev'], resources: ['accesspolicyrevisions'], verbs: ['create'] },
  { apiGroups: [''], resources: ['namespaces', 'serviceaccounts'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
  {
    apiGroups: ['admissionregistration.k8s.io'],
    resources: ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'],
    verbs: ['list', 'watch'],
    resourceNames: ['lapse'],
  },
  {
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['rolebindings'],
    verbs: ['get', 'list', 'watch', 'create', 'delete'],
  },
  {
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['roles'],
    verbs: ['get', 'list', 'watch', 'create', 'delete'],
  },
  { apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterrolebindings'], verbs: ['list'] },
  { apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], verbs: ['get', 'list', 'watch', 'create'] },
  {
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['clusterroles'],
    verbs: ['bind', 'delete'],
    resourceNames: poolNames,
  },
  { apiGroups: ['batch'], resources: ['jobs'], verbs: ['list', 'watch'] },
  {
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['clusterroles'],
    verbs: ['bind'],
    resourceNames: ['log-reader', 'log-writer'],
  },
]

const restrictedPod = {
  securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'any',
      image: 'any',
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
}

/** A rule that may be handed out, but for the change. */
function ruleWith(change: object): object {
  return { grantable: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'], ...change }] }
}

function untilWith(change: object): object {
  return { until: { resources: [{ apiGroups: [''], resources: ['configmaps'], ...change }] } }
}

function objectsIn(manifest: string): readonly KubeObject[] {
  return (loadAll(manifest, { schema: YAML11_SCHEMA }) as (KubeObject | null)[]).filter((object) => object !== null)
}

function find(objects: readonly KubeObject[], kind: string, name: string): KubeObject {
  const found = objects.find((object) => object.kind === kind && object.metadata?.name === name)
  if (found === undefined) throw new Error(`no ${kind} ${name}`)
  return found
}

/** Of every webhook of every configuration. */
function caBundles(objects: readonly KubeObject[]): readonly unknown[] {
  const webhooks = objects.flatMap((object) => (object['webhooks'] ?? []) as readonly KubeObject[])
  return webhooks.map((webhook) => webhook['clientConfig'].caBundle)
}

function certificate(base64: string): X509Certificate {
  return new X509Certificate(Buffer.from(base64, 'base64'))
}

/** `done`, or why the API server did not do it. */
function outcome(request: Promise<KubeObject>): Promise<string> {
  return request.then(
    () => 'done',
    (error: unknown) => (error instanceof ApiError ? error.message : Promise.reject(error as Error)),
  )
}

/** Whether `live` has every field of `sent`; the API server adds its defaults. Empty and absent are the same to it. */
function contains(live: unknown, sent: unknown): boolean {
  if (sent === null || sent === '') return live === undefined || live === sent
  if (typeof sent !== 'object') return live === sent
  if (Array.isArray(sent))
    return (
      sent.length === 0 ||
      (Array.isArray(live) && live.length === sent.length && sent.every((item, i) => contains(live[i], item)))
    )
  const fields = (live ?? {}) as Readonly<Record<string, unknown>>
  return Object.entries(sent).every(([name, value]) => contains(fields[name], value))
}
