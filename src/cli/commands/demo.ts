// `demo`: the whole job on a made-up outage in a temporary embedded store. It runs the public commands, as a person would, and takes every
// number it tells from their summaries.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { AUTHORITY_FILE } from '../../workload/truth-files.js'
import { SIMULATOR_LEDGER } from '../authority-option.js'
import type { Context } from '../context.js'
import { describeLeft, describeRepaired, sumOf } from '../demo-tables.js'
import { EXIT, type ExitCode } from '../exit-codes.js'
import { numberOption } from '../number-option.js'

interface DemoOptions {
  readonly seed: number
  readonly bookings: number
  readonly keep?: boolean
}

export type Summary = Readonly<Record<string, unknown>>

/** Misfortunes of the ticket authority: now and then an answer is lost on the way, or a fare is refused. */
const MISFORTUNES = ['--latency-ms', '2', '--lost-rate', '0.01', '--refusal-rate', '0.003']

/** How often at most the plan is applied again for answers that were lost. */
const TRIES_MAX = 5

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
    .option('--bookings <n>', 'how many bookings', numberOption('--bookings', 100), 3000)
    .option('--keep', 'leave the store where it is, and say where')
    .addHelpText('after', EXAMPLES)
    .action((options: DemoOptions) => run(demo(options, context)))
}

/** A step of the demo went otherwise than it must: what it ran, and what it said. */
export class DemoError extends Error {
  override readonly name = 'DemoError'
}

async function demo(options: DemoOptions, context: Context): Promise<ExitCode> {
  const folder = await mkdtemp(join(tmpdir(), 'makegood-demo-'))
  const store = join(folder, 'store')
  const { keep } = options
  try {
    const steps = new Steps(context, store)
    await makeUp(options, steps)
    const simulator = await context.startSimulator([
      ...['--ledger', join(store, SIMULATOR_LEDGER), '--known', join(store, AUTHORITY_FILE)],
      ...MISFORTUNES,
    ])
    try {
      await repair({ plan: join(folder, 'plan.json'), authority: simulator.url }, steps)
    } finally {
      await simulator.stop()
    }
    if (keep) context.stdout.write(`\nKept: makegood cases --store ${store}, and every other command\n`)
    return EXIT.clean
  } finally {
    if (!keep) await rm(folder, { recursive: true, force: true })
  }
}

async function makeUp({ bookings, seed }: DemoOptions, steps: Steps): Promise<void> {
  const made = await steps.run(
    ['generate', '--bookings', String(bookings), '--seed', String(seed), '--scenario', 'outage'],
    [EXIT.clean],
  )
  steps.say(
    'generate',
    `${number(made.bookings)} bookings in ${number(made.events)} events (seed ${seed}). For eight hours the consumer that has tickets issued was down.`,
  )
}

async function repair({ plan, authority }: { plan: string; authority: string }, steps: Steps): Promise<void> {
  const before = await steps.run(['scan', '--limit', '0'], [EXIT.findings])
  steps.say('scan', `every booking replayed from its payment and ticket streams: ${number(sumOf(before))} findings.`)
  const planned = await steps.run(['plan', '--out', plan], [EXIT.clean])
  const digest = String(planned.digest)
  steps.say(
    'plan',
    `${number(planned.items)} tickets to issue on ${number(planned.subjects)} bookings, sealed: ${digest.slice(0, 19)}…`,
  )
  steps.say('approve', 'by that digest; a plan changed afterwards would be refused.')
  const approved = ['--approve', digest, '--approver', 'demo', '--error-budget', '100']
  const apply = ['apply', plan, ...approved, '--authority', authority]
  const applied = await steps.run(apply, [EXIT.clean, EXIT.unsettled])
  steps.say('apply', `${outcomesOf(applied)}. Each: claimed, asked for under one key, recorded behind a guard.`)
  for (let tries = 0, last = applied; tries < TRIES_MAX && unknownIn(last) > 0; tries += 1) {
    last = await steps.run(apply, [EXIT.clean, EXIT.unsettled])
    steps.say(
      'again',
      `${outcomesOf(last)}. What was in doubt is asked for under the same key: nobody gets two tickets.`,
    )
  }
  const verified = await steps.run(['verify'], [EXIT.clean])
  steps.say(
    'verify',
    `${number(verified.items)} items read back by an independent replay, ${number(verified.bad)} not good.`,
  )
  const after = await steps.run(['scan', '--limit', '0'], [EXIT.clean, EXIT.findings])
  const waiting = await steps.run(['cases'], [EXIT.clean])
  steps.say('scan', `${number(sumOf(after))} findings left; ${number(waiting.cases)} cases wait for a person.`)
  steps.show(describeRepaired(before, after))
  steps.show(describeLeft(after, waiting))
}

function unknownIn({ outcomes }: Summary): number {
  return (outcomes as Record<string, number>).unknown ?? 0
}

function outcomesOf({ outcomes }: Summary): string {
  const told = Object.entries(outcomes as Record<string, number>).filter(([, count]) => count > 0)
  return told.map(([kind, count]) => `${number(count)} ${kind}`).join(', ') || 'nothing left to do'
}

function number(value: unknown): string {
  return Number(value ?? 0).toLocaleString('en')
}

/** Runs commands on one store, reads their summaries, and tells of them. */
class Steps {
  constructor(
    readonly context: Context,
    readonly store: string,
  ) {}

  async run(args: readonly string[], expected: readonly ExitCode[]): Promise<Summary> {
    const { code, stdout, stderr } = await this.context.runSelf([...args, '--store', this.store, '--format', 'ndjson'])
    if (!expected.includes(code as ExitCode))
      throw new DemoError(`makegood ${args.join(' ')} exited with ${code}: ${stderr}`)
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) as string) as Summary
  }

  say(step: string, text: string): void {
    this.context.stdout.write(`${step.padEnd(9)}${text}\n`)
  }

  show(text: string): void {
    this.context.stdout.write(`\n${text}\n`)
  }
}
