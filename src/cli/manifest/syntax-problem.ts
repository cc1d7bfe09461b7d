import { YAMLException } from 'js-yaml'
import type { BadInput, Part } from './manifest.ts'

const remedies: readonly (readonly [RegExp, string])[] = [
  [/^tab characters/, 'indent with spaces'],
  [/null byte|non-printable/, 'give text in YAML or JSON'],
  [/unknown .* tag|explicit tag/, 'remove the tag'],
  [/no JSON/, 'give another number, or text in quotes'],
  [/alias/, 'define the anchor above, in the same document, and not around its own alias'],
]

/** What stands in a text that is no manifest and often handed over as one. */
const talk: readonly (readonly [RegExp, string])[] = [
  [/^(?:NOTES|HOOKS|MANIFEST):/m, 'give what helm template prints: helm install prints more than manifests'],
  [/\{\{.*\}\}/, 'render the template first: helm template CHART | lapse check -f -'],
]

/** What to do about a text that was written for people or by them; null: it looks like neither. */
export function remedyForTalk(text: string): string | null {
  return talk.find(([pattern]) => pattern.test(text))?.[1] ?? null
}

/** What keeps a text from being YAML. Anything but js-yaml's own complaint is passed on as a defect of ours. */
export function badSyntax(file: string, part: Part, error: unknown): BadInput {
  if (!(error instanceof YAMLException)) throw error
  const { reason, mark } = error
  const line = part.linesBefore + (mark?.line ?? 0) + 1
  if (reason === 'duplicated mapping key') return { file, line, ...twice(part.text, mark?.position ?? 0) }
  const remedy =
    remedyForTalk(part.text) ??
    remedies.find(([pattern]) => pattern.test(reason))?.[1] ??
    'correct the YAML in this line or just above it'
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
