import { UsageError } from '../runtime/usage-error.ts'
import { exitCodes, type CommandIo, type Run } from './command.ts'

interface Command {
  readonly summary: string
  /** Imported only when the command is asked for: the start of `lapse check` must not pay for the webhook. */
  readonly load: () => Promise<{ readonly run: Run }>
}

export const commands: Readonly<Record<string, Command>> = {
  approve: { summary: 'approves a grant that waits for it', load: () => approvalOf('approve', 'Approve') },
  audit: { summary: 'proves that audit records hang together', load: () => import('./audit.ts') },
  check: { summary: "the webhook's verdict on files, offline", load: () => import('./check.ts') },
  controller: { summary: 'runs the controllers', load: () => import('./controller.ts') },
  deny: { summary: 'denies a grant that waits for an approval', load: () => approvalOf('deny', 'Deny') },
  grants: { summary: 'lists grants, with the time that they have left', load: () => import('./grants.ts') },
  install: { summary: 'prints the CustomResourceDefinitions', load: () => import('./install-crds.ts') },
  reaper: { summary: 'ends access by the bindings alone', load: () => import('./reaper.ts') },
  request: { summary: 'asks for access for a time, and waits for it', load: () => import('./request.ts') },
  review: { summary: 'says that a break-glass grant was looked at', load: () => approvalOf('review', 'Review') },
  revoke: { summary: 'ends a grant, or all of an identity, now', load: () => import('./revoke.ts') },
  scan: { summary: 'judges what is stored, again and again', load: () => import('./scan.ts') },
  version: { summary: 'prints the version, and the digest of the build', load: () => import('./version.ts') },
  webhook: { summary: 'runs the admission webhook', load: () => import('./webhook.ts') },
  who: { summary: 'says who may do something, and until when', load: () => import('./who.ts') },
  why: { summary: 'says what lets an identity do something, and until when', load: () => import('./why.ts') },
}

/** One file for three ways of having a say. */
async function approvalOf(command: string, decision: 'Approve' | 'Deny' | 'Review'): Promise<{ readonly run: Run }> {
  const { runAs } = await import('./approval.ts')
  return { run: runAs(command, decision) }
}

/** Runs the command that the arguments name. The result is the exit code; nothing is thrown. */
export async function runCommand(argv: readonly string[], io: CommandIo): Promise<number> {
  const [name = '', ...rest] = argv[0] === 'help' ? helpArgs(argv[1]) : argv
  if (name === '' || name === '--help' || name === '-h') return showHelp(name, io)
  if (name === '--version') return runCommand(['version', ...rest], io)
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) return refuseName(name, io)
  try {
    const { run } = await command.load()
    return await run(rest, io)
  } catch (error) {
    return reportFailure(name, error, io)
  }
}

/** `lapse help check` is `lapse check --help`. */
function helpArgs(name: string | undefined): readonly string[] {
  return name === undefined ? ['--help'] : [name, '--help']
}

async function showHelp(asked: string, io: CommandIo): Promise<number> {
  const { overview } = await import('./help.ts')
  const summaries = Object.entries(commands).map(([name, { summary }]) => [name, summary] as const)
  if (asked === '') {
    io.stderr.write(overview(summaries))
    return exitCodes.usage
  }
  io.stdout.write(overview(summaries))
  return exitCodes.ok
}

async function refuseName(name: string, io: CommandIo): Promise<number> {
  const { nearest } = await import('./help.ts')
  const known = Object.keys(commands)
  const guess = nearest(name, known)
  const hint = guess === null ? `commands: ${known.join(', ')}` : `did you mean lapse ${guess}?`
  io.stderr.write(`lapse: there is no command ${JSON.stringify(name)}; ${hint}\n`)
  return exitCodes.usage
}

/** Errors of src/cluster that are no defect of ours, by name: the start of `lapse check` must not pay for that folder. */
const clusterFailures: ReadonlySet<string> = new Set(['NoConnection', 'Unreachable', 'Unauthorized', 'Forbidden'])

/** One line, whatever went wrong; the stack only for those who debug Lapse itself. */
export function reportFailure(command: string, error: unknown, io: Pick<CommandIo, 'stderr' | 'env'>): number {
  if (error instanceof UsageError) {
    io.stderr.write(`lapse ${command}: ${error.message}; see lapse ${command} --help\n`)
    return exitCodes.usage
  }
  const message = error instanceof Error ? error.message : String(error)
  const [line = ''] = message.split('\n')
  if (error instanceof Error && clusterFailures.has(error.name)) {
    io.stderr.write(`lapse ${command}: ${line}\n`)
    return exitCodes.cluster
  }
  io.stderr.write(`lapse ${command}: a defect in lapse: ${line} (LAPSE_DEBUG=1 shows where)\n`)
  if (io.env['LAPSE_DEBUG'] === '1' && error instanceof Error) io.stderr.write(`${error.stack ?? ''}\n`)
  return exitCodes.defect
}
