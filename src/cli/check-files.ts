import { join, resolve } from 'node:path'
import type { CommandIo } from './command.ts'
import type { BadInput } from './manifest/manifest.ts'

// An import of node:fs would load its promises and streams too, for a tenth of the time in which Node starts.
const { readdirSync, readFileSync, realpathSync, statSync } = process.getBuiltinModule('node:fs')

/** One text of the input, under the name that messages use. */
export interface InputFile {
  readonly name: string
  readonly text: string
}

export interface InputFiles {
  readonly files: readonly InputFile[]
  readonly bad: readonly BadInput[]
}

/** What is given again is read once. */
export class InputReader {
  readonly #io: CommandIo
  readonly #seen = new Set<string>()

  constructor(io: CommandIo) {
    this.#io = io
  }

  /**
   * The files that the paths name, in that order: files, directories with everything below them in order of name, and `-`
   * for stdin. In directories only *.yaml, *.yml and *.json count; what is hidden is left out.
   */
  async read(paths: readonly string[]): Promise<InputFiles> {
    const files: InputFile[] = []
    const bad: BadInput[] = []
    for (const path of paths) {
      const names = path === '-' ? ['-'] : this.#expand(path, bad)
      for (const name of names) await this.#readFile(name, files, bad)
    }
    return { files, bad }
  }

  #expand(path: string, bad: BadInput[]): readonly string[] {
    try {
      const isDirectory = statSync(resolve(this.#io.cwd, path)).isDirectory()
      const names = isDirectory ? [...manifestsBelow(this.#io.cwd, path)] : [path]
      if (names.length === 0)
        bad.push(
          badFile(path, 'the directory holds no .yaml, .yml or .json file', 'name the files, or another directory'),
        )
      return names
    } catch (error) {
      bad.push(unreadable(path, error))
      return []
    }
  }

  async #readFile(name: string, files: InputFile[], bad: BadInput[]): Promise<void> {
    const shown = name === '-' ? 'stdin' : name
    try {
      const key = name === '-' ? name : realpathSync.native(resolve(this.#io.cwd, name))
      if (this.#seen.has(key)) return
      this.#seen.add(key)
      const bytes = name === '-' ? await this.#io.stdin() : readFileSync(key)
      files.push({ name: shown, text: decodeUtf8(bytes) })
    } catch (error) {
      bad.push(unreadable(shown, error))
    }
  }
}

function* manifestsBelow(cwd: string, directory: string): Generator<string> {
  const entries = readdirSync(resolve(cwd, directory), { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.')) continue
    const path = join(directory, entry.name)
    if (entry.isDirectory()) yield* manifestsBelow(cwd, path)
    else if (/\.(ya?ml|json)$/.test(entry.name)) yield path
  }
}

const failures: Readonly<Record<string, readonly [message: string, remedy: string]>> = {
  ENOENT: ['no such file or directory', 'check the path'],
  EACCES: ['may not be read', 'give read permission'],
  EISDIR: ['is a directory', 'name the files in it'],
  ELOOP: ['is a symbolic link to itself', 'mend the link'],
  ERR_ENCODING_INVALID_ENCODED_DATA: ['is not UTF-8 text', 'give text in YAML or JSON'],
}

/** Throws TypeError with the code ERR_ENCODING_INVALID_ENCODED_DATA. */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
}

/** Says why a file cannot be read, from what the system threw. */
export function unreadable(name: string, error: unknown): BadInput {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const [message, remedy] = failures[code] ?? [
    `cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    '',
  ]
  return badFile(name, message, remedy)
}

export function badFile(file: string, message: string, remedy: string): BadInput {
  return { file, line: null, path: '', message, remedy }
}
