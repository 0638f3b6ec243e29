// `generate`: a seeded workload of made-up bookings, into a store or as files, with the truth beside it: what a scan must find.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import type { EventStore } from '../../log/event-store.js'
import { type GenerateOptions, generate, type Workload } from '../../workload/generate.js'
import { SCENARIOS, type ScenarioName } from '../../workload/scenario.js'
import { readTruthMarker, TRUTH_FILE, TruthFiles } from '../../workload/truth-files.js'
import { EVENTS_FILE, writeFiles } from '../../workload/write-files.js'
import { type WrittenCounts, writeWorkload } from '../../workload/write-store.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode, UsageError } from '../exit-codes.js'
import { FileError } from '../files.js'
import { numberOption } from '../number-option.js'
import { FORMAT_OPTION, formatOf, type Layout, makePrinter } from '../output.js'
import { progressLine } from '../progress.js'
import { folderOf } from '../store-folder.js'
import { withoutCredentials } from '../text.js'

interface GenerateCommandOptions {
  readonly bookings: number
  readonly seed: number
  readonly scenario: ScenarioName
  readonly store?: string
  readonly out?: string
  readonly truth?: string
  readonly format?: string
}

/** As many as are tried out. */
const BOOKINGS_MAX = 10_000_000

const EXAMPLES = `
Examples:
  $ makegood generate --bookings 20000 --seed 7 --scenario mixed --store ./made-up
  $ makegood generate --bookings 1000000 --seed 1 --scenario outage --out ./made-up-files`

/** Adds the command. */
export function addGenerate(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  program
    .command('generate')
    .description('made-up bookings with known faults, and truth.json: what a scan must find')
    .requiredOption('--bookings <n>', 'how many', numberOption('--bookings', 1))
    .option('--seed <n>', 'the same seed gives the same bytes', numberOption('--seed'), 7)
    .addOption(new Option('--scenario <name>', 'what goes wrong').choices([...SCENARIOS]).default('outage'))
    .option('--store <where>', 'write into this store, which must hold no bookings yet')
    .option('--out <dir>', `or write ${EVENTS_FILE} (for import --events) and ${TRUTH_FILE} into this folder`)
    .option('--truth <dir>', "with --store: where the truth goes (default: the store's folder; for a server: .)")
    .option(...FORMAT_OPTION)
    .addHelpText('after', EXAMPLES)
    .action((options: GenerateCommandOptions) => run(generateWorkload(options, context)))
}

async function generateWorkload(options: GenerateCommandOptions, context: Context): Promise<ExitCode> {
  const { bookings, store, out, truth } = options
  if ((store === undefined) === (out === undefined))
    throw new UsageError('generate needs either --store or --out: where the bookings go')
  if (truth !== undefined && store === undefined)
    throw new UsageError('--truth goes with --store; --out holds the truth')
  if (bookings > BOOKINGS_MAX) throw new UsageError(`--bookings ${bookings}: at most ${BOOKINGS_MAX}`)
  const workload = generate(options satisfies GenerateOptions)
  const counts =
    out === undefined ? await intoStore(workload, options, context) : await intoFiles(out, workload, context)
  const { stdout } = context
  const printer = makePrinter(formatOf(options.format, stdout.isTerminal), LAYOUT, (text) => stdout.write(text))
  printer.finish({ type: 'summary', ...workload.marker, ...counts, ...places(options) })
  return EXIT.clean
}

function places({ store, out, truth }: GenerateCommandOptions): Record<string, string> {
  if (out !== undefined) return { eventsFile: join(out, EVENTS_FILE), truth: join(out, TRUTH_FILE) }
  return { store: withoutCredentials(String(store)), truth: join(truth ?? folderOf(String(store)) ?? '.', TRUTH_FILE) }
}

async function intoStore(
  workload: Workload,
  { store: where = '', truth: truthFolder }: GenerateCommandOptions,
  context: Context,
): Promise<WrittenCounts> {
  const folder = truthFolder ?? folderOf(where) ?? '.'
  refuseForeignTruth(folder, TRUTH_FILE)
  const store = await context.openStore(where, 'write')
  try {
    return await writeWithTruth({ store, folder, workload }, context)
  } finally {
    await store.close()
  }
}

async function writeWithTruth(
  { store, folder, workload }: { store: EventStore; folder: string; workload: Workload },
  context: Context,
): Promise<WrittenCounts> {
  // Only when the store stands: it is not made in a folder that holds other files.
  let truth: TruthFiles | undefined
  const show = showProgress(workload, context)
  try {
    const counts = await writeWorkload(store, workload, {
      onOutline: (outline) => {
        truth ??= new TruthFiles(folder, workload.marker)
        truth.note(outline)
      },
      onProgress: show.update,
      signal: context.interruption.signal,
    })
    truth?.close()
    return counts
  } catch (error) {
    truth?.discard()
    context.stderr.write('The store holds a part of its bookings; the same command again makes the rest\n')
    throw error
  } finally {
    show.clear()
  }
}

async function intoFiles(folder: string, workload: Workload, context: Context): Promise<WrittenCounts> {
  for (const file of [EVENTS_FILE, TRUTH_FILE]) refuseForeignTruth(folder, file)
  const show = showProgress(workload, context)
  try {
    return await writeFiles(folder, workload, { onProgress: show.update, signal: context.interruption.signal })
  } finally {
    show.clear()
  }
}

/** Files of these names are overwritten only where a truth of an earlier workload says that they are made up. */
function refuseForeignTruth(folder: string, file: string): void {
  const path = join(folder, file)
  if (existsSync(path) && !readTruthMarker(folder)) {
    throw new FileError(`${path} is there and was not made by generate; name another folder`)
  }
}

function showProgress({ marker }: Workload, context: Context) {
  const { clock } = context
  const begun = clock()
  const line = progressLine(context)
  return {
    update: ({ events, bookings }: WrittenCounts) =>
      line.update({ events, fraction: bookings / marker.bookings, elapsedMs: clock() - begun }),
    clear: line.clear,
  }
}

const LAYOUT: Layout = {
  list: 'items',
  columns: [],
  describe: ({ bookings, events, scenario, seed, store, eventsFile, truth, now }) => [
    `${Number(bookings).toLocaleString('en')} bookings (${scenario}, seed ${seed}), ${Number(events).toLocaleString('en')} events: ${store ?? eventsFile}`,
    `What a scan must find: ${truth}`,
    `It holds for --now ${now}, which the store is marked with: scan, plan and demo take it by themselves.`,
  ],
}
