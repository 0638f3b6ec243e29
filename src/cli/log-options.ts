// Options of the commands that read log files.
import type { Command } from 'commander'
import type { Context, LogFilesOptions } from './context.js'
import { UsageError } from './exit-codes.js'
import { escapeText } from './text.js'

export interface LogOptions {
  readonly payments?: readonly string[]
  readonly tickets?: readonly string[]
  readonly key?: string
  readonly paymentTypes?: string
  readonly ticketTypes?: string
}

/** Adds the options that name log files and what is read in them. */
export function withLogOptions(command: Command): Command {
  return command
    .option('--payments <file...>', 'JSON lines, one payment event each; - is standard input, .gz is read too')
    .option('--tickets <file...>', 'JSON lines, one ticket event each')
    .option(
      '--key <path>',
      'where a line holds its transaction id (default: transaction_id), such as data.transactionId',
    )
    .option('--payment-types <types>', 'comma-separated event types that count as payments (default: all)')
    .option('--ticket-types <types>', 'comma-separated event types that count as tickets (default: all)')
}

/** What the options ask to be read; each unreadable line is told on standard error as `file:line: why`. */
export function logFilesOptions(options: LogOptions, { stderr }: Context): LogFilesOptions {
  const { payments, tickets, key, paymentTypes, ticketTypes } = options
  if (!payments || !tickets) {
    throw new UsageError(
      `${payments ? '--tickets' : '--payments'} is missing: both logs are needed, since absence in one of them is what is looked for`,
    )
  }
  return {
    payments,
    tickets,
    ...(key !== undefined && { key }),
    ...(paymentTypes !== undefined && { paymentTypes: listOf(paymentTypes) }),
    ...(ticketTypes !== undefined && { ticketTypes: listOf(ticketTypes) }),
    onProblem: ({ file, line, why }) => stderr.write(`${escapeText(`${file}:${line}: ${why}`)}\n`),
  }
}

function listOf(text: string): string[] {
  return text.split(',').map((type) => type.trim())
}
