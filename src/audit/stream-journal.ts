import type { Journal, Opening } from './journal.ts'

/** What of a stream of node:stream a journal needs. */
export interface WritableLines {
  write(text: string, done: (error?: Error | null) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  removeAllListeners(event: 'error'): unknown
}

/** A stream, such as stdout: each process begins a chain of its own, since what went there before cannot be read. */
export class StreamJournal implements Journal {
  readonly #stream: WritableLines
  #isBegun = false

  constructor(stream: WritableLines) {
    this.#stream = stream
  }

  /** Hears the stream's errors in the place of whoever did: when nobody reads it, access must end all the same. */
  listen(): void {
    this.#stream.removeAllListeners('error')
    this.#stream.on('error', () => {}) // whoever waits for a write is told by that write
  }

  open(): Promise<Opening> {
    return Promise.resolve({ kind: this.#isBegun ? 'Same' : 'Empty' })
  }

  append(lines: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(lines, (error) => {
        if (error) return reject(error)
        this.#isBegun = true
        resolve()
      })
    })
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
