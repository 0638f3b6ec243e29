// Output: data on stdout in the format asked for, one row an item and one summary, whatever the command.
import Table from 'cli-table3'
import { UsageError } from './exit-codes.js'
import { csvCell, escapeText, jsonLine, shorten } from './text.js'

export const FORMATS = ['table', 'ndjson', 'json', 'csv'] as const
export type Format = (typeof FORMATS)[number]

/** A row of output: plain data with a `type`. */
export interface Row {
  readonly type: string
  readonly [field: string]: unknown
}

/** How rows of a command look where they are not JSON. */
export interface Layout {
  /** Name of the list in the `json` format. */
  readonly list: string
  /** Columns of table and CSV: heading and value. */
  readonly columns: readonly { readonly head: string; readonly of: (row: Row) => unknown }[]
  /** The summary for a person. */
  readonly describe: (summary: Row) => readonly string[]
}

/** Cells of a table wider than this are cut; other formats never cut. */
const CELL_WIDTH_MAX = 60

/** Takes rows and at last the summary. */
export interface Printer {
  row(row: Row): void
  finish(summary: Row): void
}

/** `--format`, checked before anything is read. */
export const FORMAT_OPTION = [
  '--format <format>',
  `${FORMATS.join(', ')} (default: table on a terminal, else ndjson)`,
  (text: string) => formatOf(text, false),
] as const

/** The format that was asked for; else a table on a terminal and ndjson elsewhere. Throws UsageError for one that there is not. */
export function formatOf(asked: string | undefined, isTerminal: boolean): Format {
  if (asked === undefined) return isTerminal ? 'table' : 'ndjson'
  const format = FORMATS.find((known) => known === asked)
  if (!format) throw new UsageError(`--format ${asked}: expected one of ${FORMATS.join(', ')}`)
  return format
}

/** A printer; `write` takes whole lines with their ends. */
export function makePrinter(format: Format, layout: Layout, write: (text: string) => void): Printer {
  if (format === 'ndjson') {
    const line = (row: Row) => write(`${jsonLine(row)}\n`)
    return { row: line, finish: line }
  }
  if (format === 'json') return jsonPrinter(layout, write)
  return format === 'csv' ? csvPrinter(layout, write) : tablePrinter(layout, write)
}

function jsonPrinter({ list }: Layout, write: (text: string) => void): Printer {
  let count = 0
  const withoutType = ({ type: _type, ...rest }: Row) => rest
  const open = () => write(`{"${list}":[`)
  return {
    row(row) {
      if (count === 0) open()
      write(`${count === 0 ? '' : ','}\n${jsonLine(withoutType(row))}`)
      count += 1
    },
    finish(summary) {
      if (count === 0) open()
      write(`\n],"summary":${jsonLine(withoutType(summary))}}\n`)
    },
  }
}

function csvPrinter({ columns }: Layout, write: (text: string) => void): Printer {
  const line = (cells: readonly unknown[]) => write(`${cells.map(csvCell).join(',')}\r\n`)
  line(columns.map(({ head }) => head))
  return { row: (row) => line(columns.map(({ of }) => of(row))), finish: () => {} }
}

function tablePrinter({ columns, describe }: Layout, write: (text: string) => void): Printer {
  const rows: string[][] = []
  const cell = (value: unknown) => shorten(escapeText(typeof value === 'string' ? value : plain(value)), CELL_WIDTH_MAX)
  return {
    row(row) {
      rows.push(columns.map(({ of }) => cell(of(row))))
    },
    finish(summary) {
      if (rows.length > 0) {
        const table = new Table({
          head: columns.map(({ head }) => head),
          style: { head: [], border: [], compact: true },
        })
        table.push(...rows)
        write(`${table.toString()}\n`)
      }
      for (const line of describe(summary)) write(`${escapeText(line)}\n`)
    },
  }
}

function plain(value: unknown): string {
  return value === undefined || value === null ? '' : JSON.stringify(value)
}

/** `1 item`, `2 items`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}
