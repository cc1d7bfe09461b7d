import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

import { controlPlaneBinary } from './control-plane-binary.ts'

/** Kubernetes' own code, asked: RBAC's `covers` and `authorize`, Pod Security's `pod-security`. See controlplane/oracle. */
export interface Oracle {
  /** Rejects with the oracle's own error text. Questions may be put without waiting for earlier answers. */
  ask(topic: OracleTopic, input: unknown): Promise<unknown>
  stop(): Promise<void>
}

export type OracleTopic = 'covers' | 'authorize' | 'pod-security'

interface Question {
  readonly resolve: (output: unknown) => void
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
    const answer = JSON.parse(line) as { readonly output?: unknown; readonly error?: string }
    const question = waiting.shift()
    if (answer.error !== undefined) question?.reject(new Error(`the oracle: ${answer.error}`))
    else question?.resolve(answer.output)
  })
  return {
    ask: (topic, input) =>
      new Promise((resolve, reject) => {
        if (!child.stdin.writable) return reject(new Error('the oracle has ended'))
        waiting.push({ resolve, reject })
        child.stdin.write(`${JSON.stringify({ topic, input })}\n`)
      }),
    stop: () => {
      child.stdin.end()
      return ended
    },
  }
}
