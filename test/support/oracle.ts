import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

import { controlPlaneBinary } from './control-plane-binary.ts'

/** Kubernetes' own code, asked. See controlplane/oracle for what each topic takes and gives. */
export interface Oracle {
  /**
   * One output for each input, in their order; many inputs at once are much cheaper than one by one. Rejects with the
   * oracle's own error text. Questions may be put without waiting for earlier answers.
   */
  ask(topic: OracleTopic, inputs: readonly unknown[]): Promise<readonly unknown[]>
  stop(): Promise<void>
}

export type OracleTopic =
  | 'covers'
  | 'authorize'
  | 'rules-for'
  | 'who-can'
  | 'aggregation'
  | 'escalation'
  | 'pod-security'
  | 'cel'

interface Question {
  readonly resolve: (outputs: readonly unknown[]) => void
  readonly reject: (error: Error) => void
}

/** One process for all questions; it ends with this one. */
export async function startOracle(): Promise<Oracle> {
  const { oracle: program } = await controlPlaneBinary()
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting: Question[] = []
  const failAll = (error: Error): void => {
    for (const { reject } of waiting.splice(0)) reject(error)
  }
  const ended = new Promise<void>((resolve) => {
    child.on('close', (code) => {
      failAll(new Error(`the oracle ended (${code})`))
      resolve()
    })
  })
  child.on('error', failAll)
  child.stdin.on('error', failAll)
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as { readonly outputs?: readonly unknown[]; readonly error?: string }
    const question = waiting.shift()
    if (answer.error !== undefined) question?.reject(new Error(`the oracle: ${answer.error}`))
    else question?.resolve(answer.outputs ?? [])
  })
  return {
    ask: (topic, inputs) =>
      new Promise((resolve, reject) => {
        if (!child.stdin.writable) return reject(new Error('the oracle has ended'))
        waiting.push({ resolve, reject })
        child.stdin.write(`${JSON.stringify({ topic, inputs })}\n`)
      }),
    stop: () => {
      child.stdin.end()
      return ended
    },
  }
}
