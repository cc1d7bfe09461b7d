import { createLogger, format, transports, type Logger } from 'winston'

/** A value that a log line may carry; `error` is rendered by name and message, never by stack, body or headers. */
export type Fields = Readonly<Record<string, unknown>>

export const logLevels = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof logLevels)[number]

/** The message is constant text; whatever varies is a field. */
export type Log = Readonly<Record<LogLevel, (message: string, fields?: Fields) => void>>

export interface LogOptions {
  readonly level: LogLevel
  /** On every line, such as the name of the process. */
  readonly fields?: Fields
  /** Default: stderr. */
  readonly stream?: NodeJS.WritableStream
}

/** One JSON object a line: `time`, `level`, `message`, then the fields in the order given. */
export function createLog({ level, fields = {}, stream = process.stderr }: LogOptions): Log {
  const logger = createLogger({
    level,
    format: format.printf((entry) => String(entry.message)),
    transports: [new transports.Stream({ stream })],
  })
  return {
    error: line(logger, 'error', fields),
    warn: line(logger, 'warn', fields),
    info: line(logger, 'info', fields),
    debug: line(logger, 'debug', fields),
  }
}

/** For a part that is used where nobody reads logs. */
export const silentLog: Log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }

function line(logger: Logger, level: LogLevel, common: Fields): Log[LogLevel] {
  return (message, fields = {}) => {
    if (!logger.isLevelEnabled(level)) return
    const time = new Date().toISOString()
    logger.log(level, lineOf({ time, level, message, ...common }, renderErrors(fields)))
  }
}

/** A field that JSON cannot express costs the fields of its line, never the line or its caller. */
function lineOf(head: Fields, fields: Fields): string {
  try {
    return JSON.stringify({ ...head, ...fields })
  } catch {
    return JSON.stringify({ ...head, unprintable: Object.keys(fields) })
  }
}

function renderErrors(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? describe(value) : value]),
  )
}

function describe(error: Error): Fields {
  return { name: error.name, message: error.message }
}
