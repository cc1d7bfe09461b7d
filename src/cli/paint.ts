import type { CommandIo, Output } from './command.ts'

/** Marks up text for a terminal; each function may also leave it as it is. */
export interface Paint {
  readonly place: (text: string) => string
  readonly denied: (text: string) => string
  readonly warned: (text: string) => string
}

const plain: Paint = { place: same, denied: same, warned: same }
const colored: Paint = { place: inStyle(1), denied: firstLine(inStyle(31)), warned: firstLine(inStyle(33)) }

/** `asked` null: colors on a terminal only, and not where NO_COLOR is set (https://no-color.org). */
export function paintFor(asked: boolean | null, output: Output, env: CommandIo['env']): Paint {
  return (asked ?? (output.isTerminal && !env['NO_COLOR'])) ? colored : plain
}

function same(text: string): string {
  return text
}

function inStyle(code: number): (text: string) => string {
  return (text) => `\u001B[${code}m${text}\u001B[0m`
}

function firstLine(paint: (text: string) => string): (text: string) => string {
  return (text) => {
    const [first = '', ...rest] = text.split('\n')
    return [paint(first), ...rest].join('\n')
  }
}
