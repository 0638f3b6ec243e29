// `demo`: the whole job on a made-up outage in a temporary embedded store. It runs the public commands, as a person would, and takes every
// number it tells from their summaries.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Table from 'cli-table3'
import type { Command } from 'commander'
import type { Context } from '../context.js'
import { EXIT, type ExitCode } from '../exit-codes.js'
import { makeUpLogs } from '../made-up-logs.js'
import { numberOption } from '../number-option.js'

interface DemoOptions {
  readonly seed: number
  readonly keep?: boolean
}

type Summary = Readonly<Record<string, unknown>>

const EXAMPLES = `
Examples:
  $ makegood demo
  $ makegood demo --seed 42 --keep`

/** Adds the command. */
export function addDemo(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  program
    .command('demo')
    .description('the whole job on a made-up outage, in a temporary store')
    .option('--seed <n>', 'another seed makes another outage', numberOption('--seed'), 7)
    .option('--keep', 'leave the store and the logs where they are, and say where')
    .addHelpText('after', EXAMPLES)
    .action((options: DemoOptions) => run(demo(options, context)))
}

/** A step of the demo went otherwise than it must: what it ran, and what it said. */
export class DemoError extends Error {
  override readonly name = 'DemoError'
}

async function demo({ seed, keep }: DemoOptions, context: Context): Promise<ExitCode> {
  const folder = await mkdtemp(join(tmpdir(), 'makegood-demo-'))
  try {
    await runSteps(folder, seed, context)
    if (keep) context.stdout.write(`\nKept: --store ${join(folder, 'store')}, logs in ${folder}\n`)
    return EXIT.clean
  } finally {
    if (!keep) await rm(folder, { recursive: true, force: true })
  }
}

async function runSteps(folder: string, seed: number, context: Context): Promise<void> {
  const [payments, tickets, store, plan] = ['payments.json', 'tickets.json', 'store', 'plan.json'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string]
  const say = (text: string) => context.stdout.write(`${text}\n`)
  const step = new Steps(context, store)
  const logs = makeUpLogs(seed)
  await writeFile(payments, logs.payments)
  await writeFile(tickets, logs.tickets)
  say(
    `An outage is made up (seed ${seed}): ${number(logs.transactions)} transactions, the ticketing consumer down for part of the day.`,
  )

  const imported = await step.run(['import', '--payments', payments, '--tickets', tickets], [EXIT.clean])
  say(`import   ${number(imported.added)} events from two log files into an embedded store.`)
  const before = await step.run(['scan', '--limit', '0'], [EXIT.findings])
  say(`scan     ${number(countOf(before))} transactions are paid and have no ticket.`)
  const planned = await step.run(['plan', '--out', plan], [EXIT.clean])
  say(`plan     ${number(planned.items)} compensations, written down and sealed: ${short(planned.digest)}`)
  say(`approve  ${short(planned.digest)} by its digest; a plan changed afterwards would be refused.`)
  const applied = await step.run(
    ['apply', plan, '--approve', String(planned.digest), '--approver', 'demo'],
    [EXIT.clean],
  )
  const outcomes = applied.outcomes as Record<string, number>
  say(`apply    ${number(outcomes.applied)} Ticket Issued events appended, each behind an expected-revision guard.`)
  const again = await step.run(['apply', plan, '--approve', String(planned.digest), '--approver', 'demo'], [EXIT.clean])
  say(`again    ${number((again.outcomes as Record<string, number>).applied)} appended when applied a second time.`)
  const verified = await step.run(['verify'], [EXIT.clean])
  say(`verify   ${number(verified.items)} items read back independently, ${number(verified.bad)} not good.`)
  const after = await step.run(['scan', '--limit', '0'], [EXIT.clean])
  say(`scan     ${number(countOf(after))} transactions are paid and have no ticket.`)

  const table = new Table({
    head: ['transactions', 'found', 'made good', 'refused', 'left'],
    style: { head: [], border: [] },
  })
  table.push([logs.transactions, countOf(before), outcomes.applied, outcomes.refused, countOf(after)].map(number))
  say(`\n${table.toString()}`)
}

function countOf({ findings }: Summary): number {
  return (findings as Record<string, number>)['paid-not-ticketed'] ?? 0
}

function number(value: unknown): string {
  return Number(value ?? 0).toLocaleString('en')
}

function short(digest: unknown): string {
  return `${String(digest).slice(0, 19)}…`
}

/** Runs commands on one store and reads their summaries. */
class Steps {
  constructor(
    readonly context: Context,
    readonly store: string,
  ) {}

  async run(args: readonly string[], expected: readonly ExitCode[]): Promise<Summary> {
    const projection = args[0] === 'import' || args[0] === 'apply' ? [] : ['--projection', 'transactions']
    const { code, stdout, stderr } = await this.context.runSelf([
      ...args,
      ...projection,
      '--store',
      this.store,
      '--format',
      'ndjson',
    ])
    if (!expected.includes(code as ExitCode))
      throw new DemoError(`makegood ${args.join(' ')} exited with ${code}: ${stderr}`)
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) as string) as Summary
  }
}
