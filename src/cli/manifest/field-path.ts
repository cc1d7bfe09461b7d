const step = /\["((?:[^"\\]|\\.)*)"\]|\[([^\]]*)\]|([^.[]+)/g

/** The keys and indices of a path such as `spec.volumes[1]` or `metadata.annotations["a/b"]`. */
export function stepsOf(path: string): readonly string[] {
  return [...path.matchAll(step)].map(([, quoted, bracketed, plain]) => quoted ?? bracketed ?? plain ?? '')
}
