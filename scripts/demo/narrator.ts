import type { CommandResult } from '../../test/support/command.ts'

/** Tells the tour: numbered steps, the commands as a user would type them, what they print, and measured times. */
export class Narrator {
  readonly #out: NodeJS.WriteStream
  readonly #colour: boolean
  #step = 0

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
    this.#colour = out.isTTY && process.env['NO_COLOR'] === undefined
  }

  title(text: string): void {
    this.#line(this.#paint(1, text), '')
  }

  step(text: string): void {
    this.#step += 1
    this.#line('', this.#paint(1, `${this.#step}. ${text}`))
  }

  say(text: string): void {
    this.#line(`   ${text}`)
  }

  /** What was measured, set apart from what was printed by others. */
  measured(text: string): void {
    this.#line(this.#paint(32, `   ⏱ ${text}`))
  }

  command(words: readonly string[]): void {
    this.#line(this.#paint(36, `   $ kubectl ${words.join(' ')}`))
  }

  output(result: CommandResult): void {
    const text = `${result.stdout}${result.stderr}`.trimEnd()
    if (text !== '') this.#line(...text.split('\n').map((line) => `   ${line}`))
  }

  async timed<T>(what: string, action: () => Promise<T>): Promise<T> {
    const start = performance.now()
    const result = await action()
    this.#line(`   ${what}: ${Math.round(performance.now() - start)} ms`)
    return result
  }

  #line(...lines: readonly string[]): void {
    for (const line of lines) this.#out.write(`${line}\n`)
  }

  #paint(code: number, text: string): string {
    return this.#colour ? `\u001B[${code}m${text}\u001B[0m` : text
  }
}
