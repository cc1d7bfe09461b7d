import type { ScanClient } from '../cluster/ports.ts'
import type { ResourceType } from '../cluster/resources.ts'
import { WorldIndex, type WorldKind } from '../world/world-index.ts'
import { worldResources } from '../world/world-resources.ts'

/** Everything that decisions look at, as the API server has it now. Not one snapshot: what changes meanwhile is judged by the next scan. */
export async function readWorld(client: Pick<ScanClient, 'pages'>): Promise<WorldIndex> {
  const world = new WorldIndex()
  for (const [kind, type] of Object.entries(worldResources) as [WorldKind, ResourceType][]) {
    for await (const page of client.pages(type)) for (const object of page) world.put(kind, object)
  }
  return world
}
