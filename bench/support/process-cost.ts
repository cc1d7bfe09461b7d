import { readFile } from 'node:fs/promises'

/** What a process of this machine has cost so far. */
export interface ProcessCost {
  /** Of the processor, in user and in system mode, all threads. */
  readonly cpuSeconds: number
  readonly residentMegabytes: number
}

/** Linux counts a process's time in these; USER_HZ has been 100 for ever. */
const ticksPerSecond = 100

export async function costOf(pid: number): Promise<ProcessCost> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ])
  // after the name, which may hold anything, in parentheses; utime and stime are fields 14 and 15 of the line
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    residentMegabytes: Number(kilobytes) / 1024,
  }
}
