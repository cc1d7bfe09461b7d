/** Cuts a stream of bytes into its lines and parses each as JSON. Bytes may be cut anywhere, inside of a character too. */
export class JsonLines {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #rest = ''

  /** The values of all lines that this chunk completes. Throws when the bytes are no UTF-8 or a line is no JSON. */
  push(chunk: Uint8Array): readonly unknown[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as unknown)
  }
}
