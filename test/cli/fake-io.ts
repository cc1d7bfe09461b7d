import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { CommandIo } from '../../src/cli/command.ts'
import { runCommand } from '../../src/cli/commands.ts'

export interface CommandOutcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Given {
  /** Files of the working directory, by path. Default: none. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  readonly stdin?: string
  /** What the user answers. Default: nobody is there. */
  readonly answer?: string
  readonly env?: CommandIo['env']
  readonly isTerminal?: boolean
  /** The clock. Default: `now`, always. */
  readonly now?: CommandIo['now']
  /** The working directory itself, in place of a new one. */
  readonly cwd?: string
}

/** The instant of every test that does not give another one. */
export const now = Date.parse('2026-12-01T12:00:00Z')

/** Runs a command in this process, in a working directory of its own. */
export async function lapse(argv: readonly string[], given: Given = {}): Promise<CommandOutcome> {
  const directory = mkdtempSync(join(tmpdir(), 'lapse-cli-'))
  try {
    for (const [path, content] of Object.entries(given.files ?? {})) {
      mkdirSync(dirname(join(directory, path)), { recursive: true })
      writeFileSync(join(directory, path), content)
    }
    return await runIn(given.cwd ?? directory, argv, given)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function runIn(cwd: string, argv: readonly string[], given: Given): Promise<CommandOutcome> {
  const written = { stdout: '', stderr: '' }
  const isTerminal = given.isTerminal ?? false
  const code = await runCommand(argv, {
    stdout: { write: (text) => void (written.stdout += text), isTerminal },
    stderr: { write: (text) => void (written.stderr += text), isTerminal },
    stdin: async () => new TextEncoder().encode(given.stdin ?? ''),
    ask: async (question) => {
      if (given.answer !== undefined) written.stderr += question
      return given.answer ?? null
    },
    env: given.env ?? {},
    cwd,
    now: given.now ?? (() => now),
  })
  return { code, ...written }
}
