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
  /** The template that it was made from, as Helm says in a comment; absent: it does not say. */
  readonly origin?: string
}

/** A place in a text; both count from 1, columns in UTF-16 code units. */
export interface TextPlace {
  readonly line: number
  readonly column: number
}

/** A stretch of the text between two separators: kubectl reads each by itself. */
export interface Part {
  readonly text: string
  /** Lines in front of it. */
  readonly linesBefore: number
  /** As in Source. */
  readonly origin: string | null
}

/** One Kubernetes object of a file. */
export interface Manifest {
  readonly object: JsonObject
  readonly apiVersion: string
  readonly kind: string
  readonly source: Source
  /** Where a field of the object begins, or the nearest part around it that is there. */
  readonly placeOf: (path: string) => TextPlace
}

/** Something in the input that keeps everything from being judged. */
export interface BadInput extends Problem {
  readonly file: string
  /** null: it concerns the file as a whole. */
  readonly line: number | null
}

export function badField(manifest: Pick<Manifest, 'source' | 'placeOf'>, problem: Problem): BadInput {
  return { file: manifest.source.file, line: manifest.placeOf(problem.path).line, ...problem }
}

const step = /\["((?:[^"\\]|\\.)*)"\]|\[([^\]]*)\]|([^.[]+)/g

/** The keys and indices of a path such as `spec.volumes[1]` or `metadata.annotations["a/b"]`. */
export function stepsOf(path: string): readonly string[] {
  return [...path.matchAll(step)].map(([, quoted, bracketed, plain]) => quoted ?? bracketed ?? plain ?? '')
}
