import { fork } from 'node:child_process'
import { once } from 'node:events'

/** A program of the benchmarks in a process of its own, which answers every message with one message. */
export interface Peer<Q extends object, A> {
  ask(question: Q): Promise<A>
  stop(): Promise<void>
}

export function startPeer<Q extends object, A>(path: string): Peer<Q, A> {
  const child = fork(path, { execArgv: [] })
  const exited = once(child, 'exit')
  return {
    async ask(question) {
      child.send(question)
      const [answer] = (await Promise.race([
        once(child, 'message'),
        exited.then(() => Promise.reject(new Error(`${path} ended`))),
      ])) as [A]
      return answer
    },
    async stop() {
      child.disconnect()
      await exited
    },
  }
}

/** The other side. The process ends when the one that started it lets go of it or ends. */
export function answerPeer<Q, A>(answer: (question: Q) => Promise<A>): void {
  process.on('message', (question: Q) => void answer(question).then((value) => process.send?.(value)))
  process.on('disconnect', () => process.exit())
}
