/** `make chaos`: everything is killed at random, and nobody may do anything for longer than docs/lifecycle.md says. */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

import { calm, chaos, victims, type ChaosCourse, type ChaosOutcome } from './chaos/run.ts'
import { expiryBound, revocationBound } from './chaos/troubles.ts'
import { problemsIn } from './chaos/verdict.ts'

const leastSeconds = Math.ceil(calm / 1_000) + 15
const usage = `usage: node scripts/chaos.ts [--seconds N] [--seed N]

Kills controller, webhook, kube-apiserver and etcd at random for N seconds (600), in the order that the seed gives (a new one each time), while
grants come and go; nothing is killed in the last ${calm / 1_000} s. The API server is asked all the time, by SubjectAccessReviews, who may do what.
The exit code is 1 if access was there for longer than the bounds: ${expiryBound / 1_000} s after its end; ${revocationBound / 1_000} s after a revocation.`

const exitCode = await main(process.argv.slice(2))
process.exit(exitCode)

async function main(argv: readonly string[]): Promise<number> {
  const course = read(argv)
  if (typeof course === 'number') return course
  console.log(
    `seed ${course.seed}; again: node scripts/chaos.ts --seconds ${course.millis / 1_000} --seed ${course.seed}\n`,
  )
  const outcome = await chaos(course)
  console.log(describe(outcome))
  const problems = problemsIn(outcome)
  for (const problem of problems) console.error(`FAILED: ${problem}`)
  if (problems.length === 0) console.log('No access was there beyond its bound, and nothing is left over.')
  return problems.length === 0 ? 0 : 1
}

function describe({
  asked,
  refused,
  policyVersions,
  kills,
  answers,
  allowed,
  effective,
  overstay,
}: ChaosOutcome): string {
  return `killed         ${victims.map((victim) => `${victim} ${kills[victim]}`).join(', ')}
requests       ${asked} grants asked for, of which ${effective} had effect; ${policyVersions} versions of the policy; ${refused} requests failed
answers        ${answers} to SubjectAccessReviews, ${allowed} of them yes
over-stay      ${overstay.expiry} ms at most of what expired, ${overstay.revocation} ms of what was revoked, outages and all
`
}

/** What to run; a number is the exit code of a run that is over. */
function read(argv: readonly string[]): ChaosCourse | number {
  try {
    const options = {
      seconds: { type: 'string', default: '600' },
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
      help: { type: 'boolean', short: 'h' },
    } as const
    const { seconds, seed, help } = parseArgs({ args: [...argv], options }).values
    if (help !== true) return courseOf(seconds, seed)
    console.log(usage)
    return 0
  } catch (error) {
    console.error(`chaos: ${(error as Error).message}\n\n${usage}`)
    return 2
  }
}

function courseOf(seconds: string, seed: string): ChaosCourse {
  if (!(Number(seconds) >= leastSeconds)) throw new Error(`--seconds must be ${leastSeconds} or more`)
  if (!/^\d+$/.test(seed)) throw new Error('--seed must be a whole number')
  return { millis: Number(seconds) * 1_000, seed: Number(seed) }
}
