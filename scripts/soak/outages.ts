interface Outage {
  readonly from: number
  to: number
}

/** When something was broken on purpose: access that outlives its end then is no fault of the operator's. Instants are those of Date.now(). */
export class Outages {
  readonly #all: Outage[] = []

  /** It begins now. Returns how to end it; `grace` more milliseconds belong to it. */
  begin(grace: number): () => void {
    const outage = { from: Date.now(), to: Infinity }
    this.#all.push(outage)
    return () => void (outage.to = Date.now() + grace)
  }

  /** Whether any of that time falls into one. */
  touches(from: number, to: number): boolean {
    return this.#all.some((outage) => outage.from <= to && from <= outage.to)
  }
}
