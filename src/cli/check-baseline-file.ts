import { dump } from 'js-yaml'
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Schema } from '../api/schema.ts'
import { apiVersion } from '../api/v1alpha1/objects.ts'
import { readBySchema } from '../api/validate.ts'
import type { Problem } from '../core/problem.ts'
import type { BaselineEntry } from './check-baseline-entry.ts'
import { badFile, decodeUtf8, unreadable } from './check-files.ts'
import { badField, type BadInput } from './manifest/manifest.ts'
import { readManifests } from './manifest/read-manifests.ts'

const text = { type: 'string', minLength: 1 } as const

const schema = {
  type: 'object',
  required: ['apiVersion', 'kind', 'findings'],
  properties: {
    apiVersion: { type: 'string', enum: [apiVersion] },
    kind: { type: 'string', enum: ['CheckBaseline'] },
    findings: {
      type: 'array',
      items: {
        type: 'object',
        required: ['object', 'check', 'path', 'message', 'severity'],
        properties: {
          object: text,
          check: text,
          path: { type: 'string' },
          message: text,
          content: text,
          severity: { type: 'string', enum: ['Critical', 'High', 'Medium', 'Low', 'Info'] },
          count: { type: 'integer', minimum: 1 },
        },
      },
    },
  },
} as const satisfies Schema

export type BaselineReading =
  | { readonly ok: true; readonly entries: readonly BaselineEntry[] }
  | { readonly ok: false; readonly bad: readonly BadInput[] }

/** The entries of a baseline file. One that is not there is bad input: whoever names it wants it to count. */
export function readBaseline(cwd: string, file: string): BaselineReading {
  let content: string
  try {
    content = decodeUtf8(readFileSync(resolve(cwd, file)))
  } catch (error) {
    return { ok: false, bad: [unreadable(file, error)] }
  }
  const { manifests, bad } = readManifests(file, content)
  const [manifest] = manifests
  if (bad.length > 0) return { ok: false, bad }
  if (manifest === undefined || manifests.length > 1) return { ok: false, bad: [notOne(file)] }
  const problems: Problem[] = []
  const read = readBySchema(schema, manifest.object, '', problems) as { readonly findings: readonly BaselineEntry[] }
  if (problems.length > 0) return { ok: false, bad: problems.map((problem) => badField(manifest, problem)) }
  return { ok: true, entries: read.findings }
}

function notOne(file: string): BadInput {
  return badFile(file, 'must hold one CheckBaseline', 'write it with lapse check --write-baseline')
}

/** null: it is written. */
export function writeBaseline(cwd: string, file: string, entries: readonly BaselineEntry[]): BadInput | null {
  const head = '# What lapse check puts up with. Written by lapse check --write-baseline; take out what is mended.\n'
  const document = dump({ apiVersion, kind: 'CheckBaseline', findings: entries }, { noRefs: true, lineWidth: -1 })
  try {
    writeFileSync(resolve(cwd, file), head + document)
    return null
  } catch (error) {
    return badFile(file, `cannot be written: ${error instanceof Error ? error.message : String(error)}`, '')
  }
}
