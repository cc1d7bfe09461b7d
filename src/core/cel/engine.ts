import type * as Engine from './compile.ts'
import type { Compiling } from './condition.ts'
import type { Scope } from './scope.ts'

let engine: typeof Engine | null = null

/**
 * Loads what conditions are compiled and evaluated with, once. It takes longer to load than everything that a check of
 * a few files does beside it, so that it is loaded only where there may be conditions.
 */
export async function loadConditionEngine(): Promise<void> {
  engine ??= await import('./compile.ts')
}

/** Compiles what must say yes or no. Never throws. Nothing compiles before the engine is loaded. */
export function compileCondition(text: string, scope: Scope): Compiling {
  return engine === null ? notLoaded : engine.compileCondition(text, scope)
}

const notLoaded: Compiling = {
  ok: false,
  problems: [{ line: 1, column: 1, message: 'cannot be compiled: the engine is not loaded', remedy: '' }],
}
