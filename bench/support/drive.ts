export interface Driven {
  readonly perSecond: number
  /** Milliseconds, of every call. */
  readonly latencies: readonly number[]
  /** Time of the processor that this process spent per call, all of its threads; in microseconds. */
  readonly cpuMicros: number
}

/** Calls again and again for that long, `width` calls in flight. Rejects with the first failure. */
export async function drive(call: () => Promise<unknown>, width: number, millis: number): Promise<Driven> {
  const latencies: number[] = []
  const start = performance.now()
  const cpu = process.cpuUsage()
  const lane = async (): Promise<void> => {
    for (let sent = performance.now(); sent < start + millis; sent = performance.now()) {
      await call()
      latencies.push(performance.now() - sent)
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
  const { user, system } = process.cpuUsage(cpu)
  const elapsed = performance.now() - start
  return {
    perSecond: (latencies.length / elapsed) * 1000,
    latencies,
    cpuMicros: (user + system) / latencies.length,
  }
}
