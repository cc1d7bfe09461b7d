import { YAMLException } from 'js-yaml'
import type { BadInput, Part } from './manifest.ts'

const remedies: readonly (readonly [RegExp, string])[] = [
  [/^tab characters/, 'indent with spaces'],
  [/null byte|non-printable/, 'give text in YAML or JSON'],
  [/unknown .* tag|explicit tag/, 'remove the tag'],
  [/alias/, 'define the anchor above, in the same document, and not around its own alias'],
]

/** What keeps a text from being YAML. Anything but js-yaml's own complaint is passed on as a defect of ours. */
export function badSyntax(file: string, part: Part, error: unknown): BadInput {
  if (!(error instanceof YAMLException)) throw error
  const { reason, mark } = error
  const line = part.linesBefore + (mark?.line ?? 0) + 1
  if (reason === 'duplicated mapping key') return { file, line, ...twice(part.text, mark?.position ?? 0) }
  const remedy =
    remedies.find(([pattern]) => pattern.test(reason))?.[1] ?? 'correct the YAML in this line or just above it'
  return { file, line, path: '', message: reason, remedy }
}

function twice(text: string, position: number): Pick<BadInput, 'path' | 'message' | 'remedy'> {
  const [, key = ''] = /^["']?([^\s:,{}[\]"']+)/.exec(text.slice(position, position + 300)) ?? []
  return {
    path: key,
    message: 'stands twice in the same object',
    remedy: 'remove one of the two: kubectl would silently take the last',
  }
}
