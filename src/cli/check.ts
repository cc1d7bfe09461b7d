import type { Instant } from '../core/time.ts'
import { checkHelp, parseCheckArgs, type CheckArgs } from './check-args.ts'
import { InputReader, type InputFiles } from './check-files.ts'
import { judge } from './check-judge.ts'
import { jsonReport, resultOf, type CheckResult } from './check-report.ts'
import { findJudged, type FoundJudged } from './check-subjects.ts'
import { badInputText, notesText, textReport } from './check-text.ts'
import { buildWorld, place, type Placed } from './check-world.ts'
import { exitCodes, type CommandIo } from './command.ts'
import type { BadInput } from './manifest/manifest.ts'
import { readManifests } from './manifest/read-manifests.ts'
import { paintFor } from './paint.ts'
import type { WorldIndex } from '../world/world-index.ts'

/** `lapse check`. Throws UsageError. */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  const args = parseCheckArgs(argv)
  if (args.help) {
    io.stdout.write(checkHelp)
    return exitCodes.ok
  }
  const input = await readInput(args, io)
  if (input.bad.length > 0) {
    io.stderr.write(badInputText(input.bad))
    return exitCodes.badInput
  }
  const results = await judgeAll(input, args, args.now ?? io.now())
  report(results, args, io)
  return results.some(({ verdict }) => verdict === 'Deny') ? exitCodes.refused : exitCodes.ok
}

function report(results: readonly CheckResult[], { output, color }: CheckArgs, io: CommandIo): void {
  if (output === 'text') return io.stdout.write(textReport(results, paintFor(color, io.stdout, io.env)))
  io.stderr.write(notesText(results))
  io.stdout.write(jsonReport(results))
}

interface Input {
  readonly world: WorldIndex
  readonly judged: readonly FoundJudged[]
  /** When there is any, nothing is judged: what is unreadable may be what refuses the rest. */
  readonly bad: readonly BadInput[]
}

async function readInput(args: CheckArgs, io: CommandIo): Promise<Input> {
  const reader = new InputReader(io)
  const given = objectsOf(await reader.read(args.files), args.namespace)
  const known = objectsOf(await reader.read(args.policies), args.namespace)
  const { world, bad } = buildWorld([...given.objects, ...known.objects])
  const found = findJudged(given.objects, world)
  const all = [...given.bad, ...known.bad, ...bad, ...found.bad]
  if (given.objects.length === 0 && all.length === 0) all.push(nothingGiven(args))
  return { world, judged: found.judged, bad: all }
}

function objectsOf(
  input: InputFiles,
  namespace: string,
): { readonly objects: readonly Placed[]; readonly bad: readonly BadInput[] } {
  const readings = input.files.map(({ name, text }) => readManifests(name, text))
  return {
    objects: readings.flatMap(({ manifests }) => manifests).map((manifest) => place(manifest, namespace)),
    bad: [...input.bad, ...readings.flatMap(({ bad }) => bad)],
  }
}

function nothingGiven({ files }: CheckArgs): BadInput {
  return {
    file: files.join(', '),
    line: null,
    path: '',
    message: 'no objects in there',
    remedy: 'give Kubernetes manifests',
  }
}

/** One after the other, as they would be applied: a grant that is allowed is there when the next one is judged. */
async function judgeAll(
  { world, judged }: Input,
  { requester }: CheckArgs,
  now: Instant,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = []
  for (const { object, subject } of judged) {
    const judgement = await judge(subject, requester, world, now)
    if (subject.kind === 'Grant' && judgement.verdict !== 'Deny') world.put('NHIGrant', object.object)
    results.push(resultOf(object, subject, judgement, world))
  }
  return results
}
