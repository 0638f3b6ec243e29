// `recalculate`: what these rules find is kept beside what counted so far, compared with it, and made to count by one append where that is asked for.
import type { Command } from 'commander'
import { type Comparison, compareResults } from '../../engine/compare.js'
import { readCurrent, readCurrentResult, switchCurrent } from '../../engine/current-result.js'
import { ResultTakenError, resultStreamOf, type StoredResult, storeResult } from '../../engine/stored-result.js'
import type { EventStore } from '../../log/event-store.js'
import { formatTicks, ticksOfMs } from '../../log/ticks.js'
import { printComparison } from '../comparison-output.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode, worstOf } from '../exit-codes.js'
import { type ReadingOptions, storeOf, withByOption, withReadingOptions } from '../reading.js'
import { replayStore } from '../replay-store.js'

interface RecalculateOptions extends ReadingOptions {
  readonly switch?: boolean
}

const EXAMPLES = `
Examples:
  $ makegood recalculate --projection ./rules-2.js
  $ makegood recalculate --projection ./rules-2.js --switch && makegood scan --projection ./rules-2.js --current`

/** Adds the command. */
export function addRecalculate(
  program: Command,
  context: Context,
  run: (code: Promise<ExitCode>) => Promise<void>,
): void {
  withByOption(withReadingOptions(program.command('recalculate')))
    .description(
      "keep what these rules find beside the current result, and tell what differs; the domain's streams are not touched",
    )
    .option('--switch', 'make it the current result, which scan --current prints')
    .addHelpText('after', EXAMPLES)
    .action((options: RecalculateOptions) => run(recalculate(options, context)))
}

async function recalculate(options: RecalculateOptions, context: Context): Promise<ExitCode> {
  const projection = await context.loadProjection(options.projection)
  const store = await context.openStore(storeOf(options, context), 'write')
  try {
    const current = await readCurrent(store, projection.name)
    const before = await readCurrentResult(store, projection.name, current)
    const { result, isNew } = await storeResult(
      store,
      // What is kept to be gone by rests on nothing that was kept before.
      await replayStore(store, projection, { ...options, fromSnapshot: false }, context),
      context.newId,
    )
    const comparison = compareResults(before ?? nothingBefore(result), result)
    const switched = options.switch ? await switchTo(store, result, { current, context }) : 'not asked for'
    const about = { stream: resultStreamOf(projection), run: result.run, stored: isNew ? 'now' : 'before', switched }
    printComparison(comparison, options, context, { current: before?.summary.version ?? null, ...about })
    return exitOf(comparison, result)
  } catch (error) {
    if (!(error instanceof ResultTakenError)) throw error
    context.stderr.write(`makegood: ${error.message}\n`)
    return EXIT.unsettled
  } finally {
    await store.close()
  }
}

/** Where nothing counted so far, everything comes. */
function nothingBefore({ run, summary }: StoredResult): StoredResult {
  return { run, summary: { ...summary, findings: {} }, findings: [], atStake: new Map() }
}

function switchTo(
  store: EventStore,
  result: StoredResult,
  { current, context }: { current: Awaited<ReturnType<typeof readCurrent>>; context: Context },
): Promise<string> {
  const at = formatTicks(ticksOfMs(context.clock()))
  return switchCurrent(store, result, { current, actor: context.user, at, newId: context.newId })
}

function exitOf({ differences }: Comparison, { summary }: StoredResult): ExitCode {
  const incomplete = summary.coverage.complete ? undefined : EXIT.incomplete
  return worstOf([incomplete, differences.length > 0 ? EXIT.findings : undefined])
}
