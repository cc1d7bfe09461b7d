import { apiVersion, type NHIGrant } from '../api/v1alpha1/objects.ts'
import { Forbidden } from '../cluster/errors.ts'
import type { AccessQuestion } from '../cluster/ports.ts'
import { gaveNoAccess, questionsOf } from '../controllers/nhi-grant/prove.ts'
import { qualifiedResource } from '../core/rbac/rule.ts'
import type { Millis } from '../core/time.ts'
import { sleep } from '../runtime/sleep.ts'
import type { ClusterSession } from './cluster-session.ts'
import { exitCodes, type CommandIo } from './command.ts'
import { grantName, type GrantRow } from './grant-row.ts'
import { oneLine } from './one-line.ts'

/** What is known of the access of a grant whose object was deleted. */
interface Left {
  readonly kind: 'Nothing' | 'Something' | 'Unknown'
  readonly text: string
}

const codes: Readonly<Record<Left['kind'], number>> = {
  Nothing: exitCodes.ok,
  Something: exitCodes.refused,
  Unknown: exitCodes.waiting,
}

type Asking = Pick<ClusterSession, 'clock'> & { readonly client: Pick<ClusterSession['client'], 'isAllowed'> }

const pause: Millis = 250

/**
 * Says on stderr what is left of a grant whose object was deleted, as it was seen last: nobody else will report its end. The result is
 * the exit code. Throws ClusterError.
 */
export async function reportDeletion(
  row: GrantRow,
  wait: Millis,
  session: Asking,
  io: Pick<CommandIo, 'stderr'>,
): Promise<number> {
  const { kind, text } = await leftByDeletion(row, wait, session)
  io.stderr.write(`lapse revoke: ${row.kind} ${grantName(row)} was deleted; ${oneLine(text)}\n`)
  return codes[kind]
}

/** Asks until what the grant gave, as it was seen last, is denied or the time is over. Throws ClusterError. */
async function leftByDeletion(row: GrantRow, wait: Millis, { client, clock }: Asking): Promise<Left> {
  const { namespace, name, uid, spec, status } = row
  const metadata = { namespace, name, uid, resourceVersion: '' }
  const grant: NHIGrant = { apiVersion, kind: 'NHIGrant', metadata, spec, status }
  if (gaveNoAccess(grant)) return { kind: 'Nothing', text: 'it gave no access' }
  let open = questionsOf(grant)
  if (open.length === 0) return unknown('it was not issued when it was seen last')
  const deadline = clock.monotonic() + wait
  for (;;) {
    try {
      const answers = await Promise.all(open.map((question) => client.isAllowed(question)))
      open = open.filter((_, index) => answers[index] === true)
    } catch (error) {
      if (!(error instanceof Forbidden)) throw error
      return unknown('subjectaccessreviews may not be created')
    }
    const [first] = open
    if (first === undefined) return { kind: 'Nothing', text: 'the API server denies what was granted' }
    if (clock.monotonic() >= deadline) return { kind: 'Something', text: `the API server still allows ${deed(first)}` }
    await sleep(clock, pause, new AbortController().signal)
  }
}

function unknown(why: string): Left {
  return { kind: 'Unknown', text: `that its access is gone is not proved: ${why}` }
}

function deed({ verb, apiGroup, resource, subresource, name }: AccessQuestion): string {
  const what = qualifiedResource(apiGroup, subresource === '' ? resource : `${resource}/${subresource}`)
  return `${verb} ${what}${name === '' ? '' : ` named ${name}`}`
}
