import { hasConditions } from '../api/v1alpha1/parse-conditions.ts'
import { loadConditionEngine } from '../core/cel/engine.ts'
import type { WorldIndex } from '../world/world-index.ts'
import type { CheckArgs } from './check-args.ts'
import { InputReader, type InputFiles } from './check-files.ts'
import { findJudged, type FoundJudged } from './check-subjects.ts'
import { addToWorld, place, type Placed, type Testimony } from './check-world.ts'
import type { CommandIo } from './command.ts'
import type { BadInput } from './manifest/manifest.ts'
import { readManifests } from './manifest/read-manifests.ts'
import type { Progress } from './progress.ts'

export interface Input {
  readonly judged: readonly FoundJudged[]
  /** When there is any, nothing is judged: what is unreadable may be what refuses the rest. */
  readonly bad: readonly BadInput[]
}

/**
 * Reads all files of the arguments, and puts what they hold into the world. What a cluster had is believed of the files of
 * --policy, unless the cluster itself is asked; never of those that are judged.
 */
export async function readInput(args: CheckArgs, world: WorldIndex, io: CommandIo, progress: Progress): Promise<Input> {
  const reader = new InputReader(io)
  const { namespace, live } = args
  const given = objectsOf(await reader.read(args.files), namespace, 'Manifest', progress)
  const known = objectsOf(await reader.read(args.policies), namespace, live ? 'Manifest' : 'Record', progress)
  if ([...given.objects, ...known.objects].some(({ object }) => hasConditions(object))) await loadConditionEngine()
  const misfits = addToWorld([...given.objects, ...known.objects], world)
  const found = findJudged(given.objects, world, args.podTemplates)
  const bad = [...given.bad, ...known.bad, ...misfits, ...found.bad]
  if (given.objects.length === 0 && bad.length === 0) bad.push(nothingGiven(args))
  return { judged: found.judged, bad }
}

interface Objects {
  readonly objects: readonly Placed[]
  readonly bad: readonly BadInput[]
}

function objectsOf(input: InputFiles, namespace: string, testimony: Testimony, progress: Progress): Objects {
  const objects: Placed[] = []
  const bad = [...input.bad]
  for (const [index, { name, text }] of input.files.entries()) {
    progress.at(() => `read ${index} of ${input.files.length} files`)
    const reading = readManifests(name, text)
    for (const manifest of reading.manifests) objects.push(place(manifest, namespace, testimony))
    bad.push(...reading.bad)
  }
  return { objects, bad }
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
