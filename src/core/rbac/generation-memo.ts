import type { RbacView } from './objects.ts'

/** Looks an answer up, or finds it and keeps it for as long as the view stays as it is. */
export type GenerationMemo<Answer> = (view: RbacView, question: string, find: () => Answer) => Answer

interface Answers<Answer> {
  readonly generation: number
  readonly byQuestion: Map<string, Answer>
}

/** Questions remembered for one view before they are forgotten together. */
const capacity = 10_000

/** A memo of its own for one kind of question. */
export function generationMemo<Answer>(): GenerationMemo<Answer> {
  const answersOf = new WeakMap<RbacView, Answers<Answer>>()
  return (view, question, find) => {
    const { byQuestion } = currentAnswers(answersOf, view)
    const known = byQuestion.get(question)
    if (known !== undefined) return known
    const answer = find()
    if (byQuestion.size >= capacity) byQuestion.clear()
    byQuestion.set(question, answer)
    return answer
  }
}

function currentAnswers<Answer>(answersOf: WeakMap<RbacView, Answers<Answer>>, view: RbacView): Answers<Answer> {
  const known = answersOf.get(view)
  if (known?.generation === view.generation) return known
  const fresh: Answers<Answer> = { generation: view.generation, byQuestion: new Map() }
  answersOf.set(view, fresh)
  return fresh
}

const numbers = new WeakMap<ReadonlySet<string>, number>()
let lastNumber = 0

/** Stands for a set of ignored bindings in a question. A caller that changes the set must pass a new one. */
export function numberOfIgnored(ignored: ReadonlySet<string> | undefined): number {
  if (ignored === undefined) return 0
  const known = numbers.get(ignored) ?? ++lastNumber
  numbers.set(ignored, known)
  return known
}
