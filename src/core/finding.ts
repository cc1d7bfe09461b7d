/** How much harm the found access or setting can do. */
export type Severity = 'Critical' | 'High' | 'Medium' | 'Low' | 'Info'

/** One reason why something is refused, in the words of the person who has to mend it. */
export interface Finding {
  /** Stable id of the check, kebab-case: `host-path`, `secrets-read`. Part of the public surface. */
  readonly check: string
  readonly severity: Severity
  /** Field path inside the judged object, `spec.template.spec.volumes[1]`; empty when it concerns the whole object. */
  readonly path: string
  /** What was found, one line, without a full stop. Never contains values of Secrets. */
  readonly message: string
  /** What to do about it, one line. */
  readonly remedy: string
}

/** What a policy does not allow is High, unless a check grades the harm itself. */
export function highFinding(check: string, path: string, message: string, remedy: string): Finding {
  return { check, severity: 'High', path, message, remedy }
}
