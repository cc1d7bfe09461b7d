import { dump } from 'js-yaml'

/** One document for other programs. */
export function printedDocument(document: object, format: 'json' | 'yaml'): string {
  return format === 'json' ? `${JSON.stringify(document, null, 2)}\n` : dump(document, { noRefs: true, lineWidth: -1 })
}
