import { fork } from 'node:child_process'
import { once } from 'node:events'

/** A program of the benchmarks in a process of its own, which answers every message with one message. */
export interface Peer<Q extends object, A> {
  ask(question: Q): Promise<A>
  stop(): Promise<void>
}

/** How such a program answers. */
export type Answering<Q extends object, A extends object> = (question: Q) => Promise<A>

export function startPeer<Q extends object, A extends object>(path: string): Peer<Q, A> {
  const child = fork(path, { execArgv: [] })
  const exited = once(child, 'exit')
  return {
    async ask(question) {
      child.send(question)
      const ended = exited.then(() => Promise.reject(new Error(`${path} ended`)))
      const [answer] = (await Promise.race([once(child, 'message'), ended])) as [A]
      return answer
    },
    async stop() {
      child.disconnect()
      await exited
    },
  }
}

/** The other side. The process ends when the one that started it lets go of it or ends. */
export function answerPeer<Q extends object, A extends object>(answer: Answering<Q, A>): void {
  process.on('message', (question) => void answer(question as Q).then((value) => process.send?.(value)))
  process.on('disconnect', () => process.exit())
}
