import { readdirSync, readFileSync } from 'node:fs'

/** The PIDs of the processes of this machine whose command line has the text in it; Linux only. The dead are not listed. */
export function processesNaming(text: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => commandLine(pid).includes(text))
}

/** Empty for a process that has ended, also while nobody has asked for its exit status. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
