const cleanups = new Set<() => void>()
let installed = false

/**
 * Runs the cleanup, which must be synchronous, when this process ends: by itself, by an uncaught exception, by SIGINT,
 * SIGTERM or SIGHUP. Returns the way to call it off. SIGKILL leaves no time: the parts watch their stdin for that.
 */
export function atExit(cleanup: () => void): () => void {
  install()
  cleanups.add(cleanup)
  return () => cleanups.delete(cleanup)
}

function install(): void {
  if (installed) return
  installed = true
  process.on('exit', () => {
    for (const cleanup of cleanups) cleanup()
  })
  for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
    process.on(signal, () => process.exit(128 + number))
  }
}
