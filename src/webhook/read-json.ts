/**
 * The value of a JSON text; undefined: it is none. Halves of surrogate pairs, which are no Unicode, become U+FFFD, as they do
 * in the API server: nothing further on has to reckon with text that cannot be written down.
 */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(mayHoldHalves(text) ? withoutHalves(text) : text)
  } catch {
    return undefined
  }
}

/** Hardly any text has an escape by number, and to look for that is quickest. */
function mayHoldHalves(text: string): boolean {
  return text.includes('\\u') && /\\u[dD][89a-fA-F]/.test(text)
}

/** Escapes in their order, so that none is taken for the end of another: a whole pair, a half, any other. */
const escapes = /\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\[^]/g
const half = 6

function withoutHalves(text: string): string {
  return text.replace(escapes, (escape) => (escape.length === half ? '\\ufffd' : escape))
}
