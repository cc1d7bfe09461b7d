import { readBaseline, writeBaseline } from './check-baseline-file.ts'
import { Baseline, BaselineRecord } from './check-baseline.ts'
import type { BaselineUse } from './check-args.ts'
import type { Judgement } from './check-finding.ts'
import { counted } from './check-text.ts'
import type { Placed } from './check-world.ts'
import type { CommandIo } from './command.ts'
import type { BadInput } from './manifest/manifest.ts'

/** A baseline through which every judgement of a run passes. */
export interface OpenBaseline {
  readonly ok: true
  /** Marks what is put up with. */
  apply(object: Placed, name: string, judgement: Judgement): Judgement
  /** How many findings were marked. */
  readonly used: number
  /** Writes it, or tells what it has too much. null: that went well. */
  close(): BadInput | null
}

export interface BadBaseline {
  readonly ok: false
  readonly bad: readonly BadInput[]
}

/** Reads the file that is compared with; a file that is written is not read. */
export function openBaseline(use: BaselineUse, io: CommandIo): OpenBaseline | BadBaseline {
  if (use.mode === 'write') {
    const record = new BaselineRecord()
    const close = (): BadInput | null => {
      const bad = writeBaseline(io.cwd, use.file, record.entries)
      if (bad === null) io.stderr.write(`${use.file}: ${counted(record.used, 'finding')} written\n`)
      return bad
    }
    return opened(record, close)
  }
  const reading = readBaseline(io.cwd, use.file)
  if (!reading.ok) return reading
  const baseline = new Baseline(reading.entries)
  const close = (): null => {
    const { stale } = baseline
    const lines = stale.map(({ object, check, path, message }) => `  [${check}] ${object} ${path}: ${message}\n`)
    const head = `${use.file}: not found any more, and to be taken out:\n`
    if (stale.length > 0) io.stderr.write(head + lines.join(''))
    return null
  }
  return opened(baseline, close)
}

function opened(baseline: Pick<OpenBaseline, 'apply' | 'used'>, close: OpenBaseline['close']): OpenBaseline {
  return {
    ok: true,
    apply: (object, name, judgement) => baseline.apply(object, name, judgement),
    get used() {
      return baseline.used
    },
    close,
  }
}
