import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Instant } from '../core/time.ts'
import type { Clock } from '../runtime/clock.ts'
import { firstLine } from './first-line.ts'

/** `user.exec` of a kubeconfig. */
export interface ExecCommand {
  readonly apiVersion?: string
  readonly command: string
  readonly args?: readonly string[] | null
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null
}

/** The status of an ExecCredential: a token, or a certificate and its key as PEM, or all of them. */
export interface IssuedCredential {
  readonly token?: string
  readonly cert?: string
  readonly key?: string
  /** Infinity: it does not say. */
  readonly expires: Instant
}

const execute = promisify(execFile)

/** Runs when there is no credential yet, or when that is over. Its stdin is empty: there is nobody to type. */
export class ExecPlugin {
  readonly #command: ExecCommand
  readonly #clock: Clock
  #issued: IssuedCredential | null = null

  constructor(command: ExecCommand, clock: Clock) {
    this.#command = command
    this.#clock = clock
  }

  /** The signal ends the plugin. An error holds of its output the first line of stderr and no more. */
  async credential(signal: AbortSignal): Promise<IssuedCredential> {
    if (this.#issued !== null && this.#clock.now() < this.#issued.expires) return this.#issued
    const text = await this.#run(signal)
    this.#issued = issuedCredential(text)
    if (this.#issued === null) throw new Error(`the exec plugin ${this.#command.command} printed no ExecCredential`)
    return this.#issued
  }

  async #run(signal: AbortSignal): Promise<string> {
    const { apiVersion, command, args, env } = this.#command
    const asked = { apiVersion, kind: 'ExecCredential', spec: { interactive: false } }
    const own = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]))
    const running = execute(command, args ?? [], {
      env: { ...process.env, KUBERNETES_EXEC_INFO: JSON.stringify(asked), ...own },
      signal,
    })
    // execFile itself sends SIGTERM, which a plugin may ignore
    signal.addEventListener('abort', () => running.child.kill('SIGKILL'))
    running.child.stdin?.end()
    try {
      return (await running).stdout
    } catch (error) {
      // oxlint-disable-next-line eslint/preserve-caught-error -- it quotes the arguments and all of the output
      throw new Error(`the exec plugin ${command} ${explain(error as ExecFailure)}`)
    }
  }
}

interface ExecFailure {
  /** The exit code, or the name of what kept it from running to its end. */
  readonly code?: number | string | null
  readonly signal?: string | null
  readonly stderr?: string
}

function explain({ code, signal, stderr = '' }: ExecFailure): string {
  const end = typeof code === 'number' ? `ended with code ${code}` : `failed with ${code ?? signal}`
  const said = firstLine(stderr)
  return said === '' ? end : `${end}: ${said}`
}

/** null: the text is none that can be used. */
function issuedCredential(text: string): IssuedCredential | null {
  const { kind, status } = parsed(text)
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp = null } = status ?? {}
  const expires = expirationTimestamp === null ? Infinity : Date.parse(expirationTimestamp)
  const hasCertificate = typeof cert === 'string' && typeof key === 'string'
  const hasToken = typeof token === 'string' && token !== ''
  if (kind !== 'ExecCredential' || Number.isNaN(expires) || !(hasToken || hasCertificate)) return null
  return { ...(hasToken && { token }), ...(hasCertificate && { cert, key }), expires }
}

interface Printed {
  readonly kind?: string
  readonly status?: Readonly<Record<string, string | null>> | null
}

/** {} when the text is no JSON object. */
function parsed(text: string): Printed {
  try {
    return (JSON.parse(text) as Printed | null) ?? {}
  } catch {
    return {}
  }
}
