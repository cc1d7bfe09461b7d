import type { JsonObject } from '../../api/validate.ts'
import type { Problem } from '../../core/problem.ts'

/** Where an object was found. */
export interface Source {
  /** As the user named it; `stdin`. */
  readonly file: string
  /** Counted from 1; empty documents are not counted. */
  readonly document: number
  /** Of the object's first field, counted from 1. */
  readonly line: number
}

/** A stretch of the text between two separators: kubectl reads each by itself. */
export interface Part {
  readonly text: string
  /** Lines in front of it. */
  readonly linesBefore: number
}

/** One Kubernetes object of a file. */
export interface Manifest {
  readonly object: JsonObject
  readonly apiVersion: string
  readonly kind: string
  readonly source: Source
  /** The line of a field of the object, or of the nearest part around it that is there. */
  readonly lineOf: (path: string) => number
}

/** Something in the input that keeps everything from being judged. */
export interface BadInput extends Problem {
  readonly file: string
  /** null: it concerns the file as a whole. */
  readonly line: number | null
}

export function badField(manifest: Pick<Manifest, 'source' | 'lineOf'>, problem: Problem): BadInput {
  return { file: manifest.source.file, line: manifest.lineOf(problem.path), ...problem }
}
