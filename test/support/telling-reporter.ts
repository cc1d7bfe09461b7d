import { reporters, type MochaOptions, type Runner } from 'mocha'

/** One test, or hook, that failed, in the words of its reporter. */
export interface Failure {
  /** Absolute path of the test file. Empty: of a hook that belongs to all files. */
  readonly file: string
  readonly title: string
  readonly reason: string
}

/** mocha's own reporter, which also tells each failure to the process that started this one. */
export default class TellingReporter extends reporters.Spec {
  constructor(runner: Runner, options: MochaOptions) {
    super(runner, options)
    runner.on('fail', (test, error: Error) => {
      const failure: Failure = { file: test.file ?? '', title: test.fullTitle(), reason: error.message }
      process.send?.(failure)
    })
  }
}
