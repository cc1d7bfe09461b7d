import { runCommand, reportFailure } from './cli/commands.ts'
import { exitCodes, type CommandIo, type Output } from './cli/command.ts'

const io: CommandIo = {
  stdout: outputOf(process.stdout),
  stderr: outputOf(process.stderr),
  stdin: readStdin,
  ask,
  env: process.env,
  cwd: process.cwd(),
  now: () => Date.now(),
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return { write: (text) => void stream.write(text), isTerminal: stream.isTTY }
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks)
}

async function ask(question: string): Promise<string | null> {
  if (!process.stdin.isTTY) return null
  const { createInterface } = await import('node:readline/promises')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const closed = new Promise<null>((resolve) => terminal.once('close', () => resolve(null)))
    return await Promise.race([terminal.question(question), closed])
  } finally {
    terminal.close()
  }
}

function die(error: unknown): never {
  process.exit(reportFailure(process.argv[2] ?? '', error, io))
}

// As process 1 of a container a process is not ended by a signal that it does not hear; whoever has more to do takes this over.
process.on('SIGTERM', () => process.exit(exitCodes.terminated))
process.on('uncaughtException', die)
process.on('unhandledRejection', die)
// Whoever reads our output may stop reading: `lapse check | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? exitCodes.ok)
  die(error)
})
process.exitCode = await runCommand(process.argv.slice(2), io)
// Ends once all is written: first to take down what was loaded would take a tenth of the time in which Node starts.
process.stdout.write('', () => process.exit())
