import {
  type ClusterError,
  Conflict,
  Forbidden,
  Invalid,
  NotFound,
  Unauthorized,
  Unavailable,
  Unreachable,
} from '../cluster/errors.ts'
import { exitCodes } from './command.ts'

/** What a failed call comes to for the user of a command. */
export interface Failure {
  readonly code: number
  /** `Verbatim`: somebody's refusal, whose text is printed as it is. */
  readonly form: 'Verbatim' | 'Line'
  readonly text: string
}

export function failureOf(error: ClusterError): Failure {
  const said = sentenceOf(error)
  if (isAdmissionRefusal(said)) return { code: exitCodes.refused, form: 'Verbatim', text: said }
  if (error instanceof Invalid) return line(exitCodes.badInput, said)
  if (error instanceof Conflict) return line(exitCodes.refused, said)
  if (error instanceof NotFound)
    return error.missing === 'object'
      ? line(exitCodes.badInput, said)
      : line(
          exitCodes.cluster,
          `the cluster does not serve ${error.request.path}: install the CRDs with lapse install crds`,
        )
  return line(exitCodes.cluster, whyNot(error))
}

/** The API server's own sentence, or that of whoever it asked. */
export function sentenceOf({ message, request: { method, path } }: ClusterError): string {
  const suffix = ` (${method} ${path})`
  return message.endsWith(suffix) ? message.slice(0, -suffix.length) : message
}

function whyNot(error: ClusterError): string {
  if (error instanceof Unauthorized) return `the cluster does not know who asks: ${error.message}`
  if (error instanceof Forbidden) return `the cluster does not permit it: ${error.message}`
  if (error instanceof Unreachable || error instanceof Unavailable)
    return `the cluster cannot be reached: ${error.message}`
  return `the cluster failed: ${error.message}`
}

/** What our webhook says of that check in its refusal, without the path; null: it did not refuse, or not by it alone. */
export function saidOfCheck(error: unknown, check: string): string | null {
  if (!(error instanceof Forbidden)) return null
  const said = sentenceOf(error)
  // a second one may be the text of somebody else, in the message of the first
  const [found, ...others] = said.split('\n').filter((each) => each.startsWith('  ['))
  const isOurs = isAdmissionRefusal(said) && /^[^"]*"[a-z-]+\.lapse\.dev"/.test(said)
  if (!isOurs || found === undefined || others.length > 0 || !found.startsWith(`  [${check}] `)) return null
  return found.slice(found.indexOf(': ') + 2)
}

/** Source: kubernetes apiserver, plugin/webhook/errors/statuserror.go. */
function isAdmissionRefusal(said: string): boolean {
  return said.startsWith('admission webhook "') && said.includes('denied the request')
}

function line(code: number, text: string): Failure {
  return { code, form: 'Line', text }
}
