import { checkHelp, parseCheckArgs, type BaselineUse, type CheckArgs, type CheckOutput } from './check-args.ts'
import type { BadBaseline, OpenBaseline } from './check-baseline-use.ts'
import { readInput } from './check-input.ts'
import { judge } from './check-judge.ts'
import { nameOf, resultOf, type CheckReport, type CheckResult } from './check-report.ts'
import type { Setting } from './check-setting.ts'
import type { FoundJudged } from './check-subjects.ts'
import { badInputText, notesText } from './check-text.ts'
import { addAllowedGrant, bareWorlds, type Worlds } from './check-world.ts'
import { exitCodes, type CommandIo } from './command.ts'
import type { BadInput } from './manifest/manifest.ts'
import { paintFor, type Paint } from './paint.ts'
import { Progress } from './progress.ts'
import type { WorldIndex } from '../world/world-index.ts'

/** `lapse check`. Throws UsageError; NoConnection when --live finds no way to a cluster. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  const args = parseCheckArgs(argv)
  if (args.help) {
    io.stdout.write(checkHelp)
    return exitCodes.ok
  }
  if (args.explain !== null) {
    const { explanationOf } = await import('./check-explain.ts')
    io.stdout.write(explanationOf(args.explain, args.output))
    return exitCodes.ok
  }
  const progress = new Progress(io)
  try {
    return await check(args, io, progress)
  } finally {
    progress.end()
  }
}

async function check(args: CheckArgs, io: CommandIo, progress: Progress): Promise<number> {
  const baseline = args.baseline === null ? null : await baselineFor(args.baseline, io)
  if (baseline?.ok === false) return refuse(baseline.bad, args, io)
  const worlds = args.live ? await liveWorlds(args, io, progress) : bareWorlds()
  if (worlds === null) return exitCodes.cluster
  const { judged, bad: badInput } = await readInput(args, worlds.world, io, progress)
  if (badInput.length > 0) {
    progress.end()
    return refuse(badInput, args, io)
  }
  const setting: Setting = {
    ...worlds,
    worldSource: args.live ? 'cluster' : 'files',
    requester: args.requester,
    now: args.now ?? io.now(),
  }
  const results = await judgeAll(judged, setting, worlds.world, progress, baseline)
  progress.end()
  const bad = baseline?.close() ?? null
  if (bad !== null) return refuse([bad], args, io)
  await report({ results, baselined: baseline?.used ?? null }, args, io)
  return results.some(({ verdict }) => verdict === 'Deny') ? exitCodes.refused : exitCodes.ok
}

async function report(found: CheckReport, { output, color }: CheckArgs, io: CommandIo): Promise<void> {
  if (output !== 'text') io.stderr.write(notesText(found.results))
  const format = await formats[output]()
  io.stdout.write(format(found, paintFor(color, io.stdout, io.env)))
}

type Format = (found: CheckReport, paint: Paint) => string

/** Imported only when the format is asked for: the start of every other check must not pay for it. */
const formats: Readonly<Record<CheckOutput, () => Promise<Format>>> = {
  text: async () => (await import('./check-text.ts')).textReport,
  json: async () => (await import('./check-report.ts')).jsonReport,
  yaml: async () => (await import('./check-yaml.ts')).yamlReport,
  sarif: async () => (await import('./check-sarif.ts')).sarifReport,
  junit: async () => (await import('./check-junit.ts')).junitReport,
  github: async () => (await import('./check-github.ts')).githubReport,
}

async function baselineFor(use: BaselineUse, io: CommandIo): Promise<OpenBaseline | BadBaseline> {
  const { openBaseline } = await import('./check-baseline-use.ts')
  return openBaseline(use, io)
}

async function refuse(bad: readonly BadInput[], { output }: CheckArgs, io: CommandIo): Promise<number> {
  if (output === 'github') {
    const { githubBadInput } = await import('./check-github.ts')
    io.stdout.write(githubBadInput(bad))
  }
  io.stderr.write(badInputText(bad))
  return exitCodes.badInput
}

/** null: it could not be read, and stderr says why. */
async function liveWorlds({ kubeconfig }: CheckArgs, io: CommandIo, progress: Progress): Promise<Worlds | null> {
  const { readLiveWorlds } = await import('./check-live.ts')
  const reading = await readLiveWorlds(kubeconfig, progress)
  if (reading.ok) return reading.worlds
  progress.end()
  for (const failure of reading.failures) io.stderr.write(`lapse check: --live: the cluster ${failure}\n`)
  return null
}

/** One after the other, as they would be applied: a grant that is allowed is there when the next one is judged. */
async function judgeAll(
  judged: readonly FoundJudged[],
  setting: Setting,
  world: WorldIndex,
  progress: Progress,
  baseline: OpenBaseline | null,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = []
  for (const [index, { object, subject }] of judged.entries()) {
    progress.at(() => `judged ${index} of ${judged.length} objects`)
    const found = await judge(subject, setting)
    if (found === null) continue
    const judgement = baseline === null ? found : baseline.apply(object, nameOf(subject), found)
    if (subject.kind === 'Grant' && found.verdict !== 'Deny') addAllowedGrant(object, world)
    results.push(await resultOf(object, subject, judgement, setting))
  }
  return results
}
