import { dump } from 'js-yaml'
import { apiVersion } from '../api/v1alpha1/objects.ts'
import { checkEntries, checkEntry, type CheckEntry } from '../core/check-catalogue.ts'
import { UsageError } from '../runtime/usage-error.ts'
import type { CheckOutput } from './check-args.ts'
import { nearest } from './help.ts'

/** What the catalogue says of a check, by its id or its code. Throws UsageError where it knows none. */
export function explanationOf(name: string, output: CheckOutput): string {
  const entry = checkEntry(name) ?? checkEntries.find(({ code }) => code === name.toUpperCase())
  if (entry === undefined) throw new UsageError(`there is no check ${JSON.stringify(name)}; ${hintFor(name)}`)
  switch (output) {
    case 'text':
      return textOf(entry)
    case 'json':
      return `${JSON.stringify(documentOf(entry), null, 2)}\n`
    case 'yaml':
      return dump(documentOf(entry), { noRefs: true, lineWidth: -1 })
    case 'sarif':
    case 'junit':
    case 'github':
      throw new UsageError(`--explain prints text, json or yaml, not ${output}`)
  }
}

function documentOf(entry: CheckEntry) {
  return { apiVersion, kind: 'CheckExplanation', ...entry }
}

function textOf({ id, code, title, severity, area, what, remedy, references, waivable }: CheckEntry): string {
  const rows = [
    ['severity', `${severity}, at most`],
    ['area', area],
    ['waivable', waivable ? 'by a grant, where its policy lists the check in grants.waivable' : 'no'],
    ['known as', references.join(', ')],
  ].filter(([, value]) => value !== '')
  const table = rows.map(([name = '', value = '']) => `${name.padEnd(10)}${value}`)
  return `${[`${id} (${code}): ${title}`, '', what, `→ ${remedy}`, '', ...table].join('\n')}\n`
}

function hintFor(name: string): string {
  const ids = checkEntries.map(({ id }) => id)
  const guess = nearest(name, ids)
  const alike = ids.filter((id) => id !== guess && id.split('-').some((word) => name.split('-').includes(word)))
  const known = [...(guess === null ? [] : [guess]), ...alike].slice(0, 5)
  return known.length > 0 ? `near it: ${known.join(', ')}` : `known: ${ids.join(', ')}`
}
