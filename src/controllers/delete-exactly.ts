import { Conflict } from '../cluster/errors.ts'
import type { ClusterClient, ObjectKey } from '../cluster/ports.ts'
import type { ResourceType } from '../cluster/resources.ts'

/** Deletes the object of that UID and no other one. `another`: something else has its name, so that it is gone itself. */
export async function deleteExactly(
  client: Pick<ClusterClient, 'delete'>,
  type: ResourceType,
  { namespace, name }: ObjectKey,
  uid: string,
): Promise<'deleted' | 'held' | 'absent' | 'another'> {
  try {
    return await client.delete(type, { namespace, name }, { uid })
  } catch (error) {
    if (error instanceof Conflict) return 'another'
    throw error
  }
}
