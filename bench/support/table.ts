import type { Measurement } from './measurement.ts'

const columns = ['name', 'value', 'unit', 'against', 'ratio', 'goal', 'met'] as const
const toTheRight: ReadonlySet<string> = new Set(['value', 'ratio'])

/** The measurements as text in columns, with a head line; every line ends with a line break. */
export function renderTable(measurements: readonly Measurement[]): string {
  const rows = [columns, ...measurements.map(cellsOf)]
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const render = (row: readonly string[]): string => row.map((cell, column) => pad(cell, column, widths)).join('  ')
  return rows.map((row) => `${render(row).trimEnd()}\n`).join('')
}

function cellsOf({ name, value, unit, against, ratio, goal, met }: Measurement): readonly string[] {
  const verdict = met === null ? '' : met ? 'yes' : 'MISSED'
  return [name, readable(value), unit, against ?? '', ratio === null ? '' : ratio.toFixed(2), goal ?? '', verdict]
}

function readable(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toFixed(value >= 100 ? 0 : 1)
}

function pad(cell: string, column: number, widths: readonly number[]): string {
  const width = widths[column] ?? 0
  return toTheRight.has(columns[column] ?? '') ? cell.padStart(width) : cell.padEnd(width)
}
