import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { CommandResult } from '../../test/support/command.ts'
import type { ControlPlane } from '../../test/support/control-plane.ts'
import type { Narrator } from './narrator.ts'

const examples = join(import.meta.dirname, '../../examples/payments')
const day = 24 * 3_600_000

/** What is expected of a command: the tour breaks off when the world does not behave. */
export type Expectation = 'succeeds' | { readonly refusedWith: string }

/** Runs kubectl before the audience. */
export class Stage {
  readonly controlPlane: ControlPlane
  readonly #narrator: Narrator
  /** Where the examples are laid, as they are applied. */
  readonly #directory: string

  constructor(controlPlane: ControlPlane, narrator: Narrator) {
    this.controlPlane = controlPlane
    this.#directory = join(controlPlane.directory, 'tour')
    this.#narrator = narrator
  }

  /** `kubectl apply -f` of an example file, some words of it replaced. */
  async apply(
    file: string,
    expected: Expectation,
    options: { readonly replace?: Readonly<Record<string, string>>; readonly kubeconfig?: string } = {},
  ): Promise<void> {
    const { replace = {}, kubeconfig } = options
    const path = `examples/payments/${file}`
    let text = await example(file)
    for (const [from, to] of Object.entries(replace)) text = text.replaceAll(from, to)
    await mkdir(dirname(join(this.#directory, path)), { recursive: true })
    await writeFile(join(this.#directory, path), text)
    const changes = Object.values(replace).map((to) => `   # with ${to}`)
    await this.#run(['apply', '-f', path], expected, kubeconfig, changes)
  }

  /** Any other kubectl command, shown as it is. */
  async kubectl(words: readonly string[], options: { readonly kubeconfig?: string } = {}): Promise<string> {
    return this.#run(words, 'succeeds', options.kubeconfig)
  }

  async #run(
    words: readonly string[],
    expected: Expectation,
    kubeconfig: string | undefined,
    remarks: readonly string[] = [],
  ): Promise<string> {
    this.#narrator.command([...words, ...remarks])
    const identity = kubeconfig === undefined ? {} : { kubeconfig }
    const result = await this.controlPlane.kubectl(words, { cwd: this.#directory, ...identity })
    this.#narrator.output(result)
    verify(result, expected, words.join(' '))
    return result.stdout.trim()
  }
}

/** An example as it is in the repository, but for the date of its review, which has to lie ahead whenever this runs. */
async function example(file: string): Promise<string> {
  const text = await readFile(join(examples, file), 'utf8')
  return text.replace(/expiresAt: \S+/, `expiresAt: ${new Date(Date.now() + 90 * day).toISOString()}`)
}

function verify(result: CommandResult, expected: Expectation, what: string): void {
  if (expected === 'succeeds') {
    if (result.code !== 0) throw new Error(`kubectl ${what} failed`)
  } else if (result.code === 0 || !result.stderr.includes(expected.refusedWith)) {
    throw new Error(`kubectl ${what} should have been refused with ${JSON.stringify(expected.refusedWith)}`)
  }
}
