import { ApiError, type AdminApi, type KubeObject } from './admin-api.ts'
import { eventually } from './eventually.ts'

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

function versionOf(name: string, storage: boolean): KubeObject {
  return { name, served: true, storage, schema: { openAPIV3Schema: anything } }
}

/** A kind of somebody else with pod templates in it, in two versions of one form. */
export async function installCrew(admin: AdminApi, names = { plural: 'crews', kind: 'Crew' }): Promise<void> {
  const name = `${names.plural}.crew.example.com`
  const crd: KubeObject = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name },
    spec: {
      group: 'crew.example.com',
      names: { ...names, singular: names.kind.toLowerCase(), listKind: `${names.kind}List` },
      scope: 'Namespaced',
      versions: [versionOf('v1', true), versionOf('v1beta1', false)],
    },
  }
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  await admin.create(definitions, crd).catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.status !== 409) throw error
  })
  // kubectl asks by what discovery lists, which comes after what is served
  for (const each of ['v1', 'v1beta1'])
    await eventually(`${name} is served and listed in ${each}`, async () => {
      await admin.get(`/apis/crew.example.com/${each}/${names.plural}`)
      const { resources } = await admin.get(`/apis/crew.example.com/${each}`)
      return (resources as readonly KubeObject[]).some((resource) => resource['name'] === names.plural) || undefined
    })
}

/** With these pod templates, one a task. */
export function crewOf(templates: readonly unknown[], version = 'v1', kind = 'Crew'): KubeObject {
  const tasks = templates.map((template, index) => ({ name: `task-${index}`, template }))
  return { apiVersion: `crew.example.com/${version}`, kind, metadata: { name: 'api' }, spec: { tasks } }
}
