import { availableParallelism, loadavg } from 'node:os'

/** For the note of a figure: how busy the machine is, with the benchmark itself. */
export function machineLoad(): string {
  return `load ${(loadavg()[0] ?? 0).toFixed(1)} on ${availableParallelism()} CPUs`
}
