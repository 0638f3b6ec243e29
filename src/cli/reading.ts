// What all reading commands share: their options, the moment they speak of, and one replay.
import type { Command } from 'commander'
import { type Cut, CutError, type CutSpec, type KnownBefore, resolveCut } from '../engine/cut.js'
import { rulesOf } from '../engine/detect.js'
import type { Moment } from '../engine/moment.js'
import type { Projection } from '../engine/projection.js'
import { type JudgedReplay, type ReplayOptions, type ReplayResult, replay, replayInto } from '../engine/replay.js'
import type { EventReader } from '../log/event-store.js'
import { parsePosition } from '../log/position.js'
import { readStoreMarker } from '../log/store-marker.js'
import { formatTicks, msOfTicks, parseTicks, ticksOfMs } from '../log/ticks.js'
import type { Context } from './context.js'
import { UsageError } from './exit-codes.js'
import { type LookupOptions, lookUpOf } from './lookup-option.js'
import { resourcesOf, type WorkerOptions, withWorkerOptions } from './memory-option.js'
import { FORMAT_OPTION } from './output.js'
import { progressLine } from './progress.js'

/** Options of every command that reads a store. */
export interface StoreOptions {
  readonly store?: string
  readonly format?: string
}

/** Options of every command that replays. */
export interface ReadingOptions extends StoreOptions, LookupOptions, WorkerOptions {
  readonly projection?: string
  readonly asOf?: string
  readonly by?: string
  readonly now?: string
  readonly rule?: readonly string[]
  readonly subject?: readonly string[]
}

/** Adds `--store` and `--format`. */
export function withStoreOptions(command: Command): Command {
  return command
    .option('--store <where>', 'a folder, memory:, or esdb://… (default: $MAKEGOOD_STORE, else ./makegood-data)')
    .option(...FORMAT_OPTION)
}

/** Adds the options of a replay. */
export function withReadingOptions(command: Command): Command {
  return withWorkerOptions(withStoreOptions(command))
    .option('--projection <name|file>', 'the name of a built-in projection, or a module made with defineProjection')
    .option(
      '--as-of <when>',
      'stop at a time (RFC 3339 or now-2h), at a position (commit/prepare), or just in front of an event (before:ID)',
    )
    .option('--now <time>', 'what rules take for the present (default: the clock; under --as-of the cut)')
}

/** Where the store is: the option, else the environment, else ./makegood-data. */
export function storeOf({ store }: StoreOptions, { env }: Context): string {
  return store ?? (env.MAKEGOOD_STORE || './makegood-data')
}

/** A moment that was asked for: an RFC 3339 time, or `now-2h` (s, m, h, d). Throws UsageError naming the option. */
export function parseMoment(option: string, text: string, clock: number): bigint {
  const back = /^now(?:-(\d{1,9})([smhd]))?$/.exec(text)
  if (back) return ticksOfMs(clock - Number(back[1] ?? 0) * (UNIT_MS[back[2] ?? 's'] ?? 0))
  const ticks = parseTicks(text)
  if (ticks !== undefined) return ticks
  throw new UsageError(`${option} ${text}: expected an RFC 3339 time such as 2026-05-01T10:00:00Z, or now-2h`)
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Adds `--by`. */
export function withByOption(command: Command): Command {
  return command.option(
    '--by <known|occurred>',
    'which time a time means: known: what the log held by then; occurred: what had happened by then, told later or not (default: known)',
  )
}

/** A moment that an option asks for: which option, and its text; undefined: the present. */
export interface Asked extends Pick<ReadingOptions, 'by' | 'now'> {
  readonly option: string
  readonly text: string | undefined
}

/**
 * Settles what a question about the past is asked as of. Throws UsageError for a text that says no moment, and CutError for one that is not
 * final yet or has nothing before it. `knownBefore` as resolveCut has it.
 */
export async function momentOf(
  reader: EventReader,
  asked: Asked,
  clock: number,
  knownBefore?: KnownBefore,
): Promise<Moment> {
  try {
    if (isByOccurred(asked)) return await occurredMomentOf(reader, asked, clock)
    return await knownMomentOf(reader, asked, clock, knownBefore)
  } catch (error) {
    if (!(error instanceof CutError)) throw error
    const isGenerated = (await readStoreMarker(reader)) !== undefined
    const hint = isGenerated && !isByOccurred(asked) ? GENERATED_HINT : ''
    throw new CutError(`${asked.option} ${asked.text}: ${error.message}${hint}`, { cause: error })
  }
}

const GENERATED_HINT =
  '. This store is generated, all of it while it was made: --by occurred asks by the time of its story'

async function knownMomentOf(
  reader: EventReader,
  asked: Asked,
  clock: number,
  knownBefore: KnownBefore | undefined,
): Promise<Moment> {
  const cut = await resolveCut(reader, cutSpecOf(asked, clock), clock, knownBefore)
  const now = await nowOf({ ...asked, ...(asked.text !== undefined && { asOf: asked.text }) }, cut, reader, clock)
  return { now, ...(cut && { cut }) }
}

/** Whether what had happened is asked for. Throws UsageError where `--by` is neither. */
export function isByOccurred({ by = 'known' }: Pick<ReadingOptions, 'by'>): boolean {
  if (by === 'known' || by === 'occurred') return by === 'occurred'
  throw new UsageError(`--by ${by}: expected known or occurred`)
}

async function occurredMomentOf(reader: EventReader, asked: Asked, clock: number): Promise<Moment> {
  const present = await nowOf(asked, undefined, reader, clock)
  const happenedBy = happenedByOf(asked, clock) ?? ticksOfMs(present)
  const cut = await resolveCut(reader, { kind: 'head' }, clock)
  const now = asked.now === undefined ? msOfTicks(happenedBy) : present
  return { now, happenedBy, ...(cut && { cut }) }
}

function happenedByOf({ option, text }: Asked, clock: number): bigint | undefined {
  if (text === undefined) return undefined
  if (parsePosition(text) || text.startsWith(BEFORE)) {
    throw new UsageError(
      `${option} ${text}: --by occurred asks what had happened by a time: give one, or leave --by out`,
    )
  }
  const ticks = parseMoment(option, text, clock)
  if (ticks <= ticksOfMs(clock)) return ticks
  throw new CutError(`${formatTicks(ticks)} is in the future: what will have happened by then is not final`)
}

const BEFORE = 'before:'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

function cutSpecOf({ option, text }: Asked, clock: number): CutSpec {
  if (text === undefined) return { kind: 'head' }
  const position = parsePosition(text)
  if (position) return { kind: 'position', position }
  if (!text.startsWith(BEFORE)) return { kind: 'time', ticks: parseMoment(option, text, clock) }
  const eventId = text.slice(BEFORE.length).toLowerCase()
  if (UUID.test(eventId)) return { kind: 'before', eventId }
  throw new UsageError(`${option} ${text}: expected ${BEFORE} and the id of an event, as evidence and timeline show it`)
}

/**
 * What rules take for the present: `--now`, else what a generated store is marked with, else under `--as-of` the cut's time, else the
 * clock. Milliseconds since the Unix epoch. A generated store's events were all taken in while it was made: their times there say nothing.
 */
export async function nowOf(
  options: Pick<ReadingOptions, 'asOf' | 'now'>,
  cut: Cut | undefined,
  reader: EventReader,
  clock: number,
): Promise<number> {
  if (options.now !== undefined) return msOfTicks(parseMoment('--now', options.now, clock))
  const cutTime = options.asOf === undefined ? undefined : cut?.time
  const text = (await readStoreMarker(reader))?.now ?? cutTime
  const ticks = text === undefined || text === null ? undefined : parseTicks(text)
  return ticks === undefined ? clock : msOfTicks(ticks)
}

/** The options of a reading with all that had to be asked for settled. */
export interface SettledOptions extends ReadingOptions, Pick<ReplayOptions, 'splitAll'> {
  readonly filters: ReturnType<typeof filtersOf>
  readonly moment: Moment
}

/** Replays a store from its start, as of a moment that is settled. */
export function replayMoment(
  reader: EventReader,
  projection: Projection,
  options: SettledOptions,
  context: Context,
): Promise<ReplayResult> {
  return replayShown(projection, options, context, (settings) => replay(reader, projection, settings))
}

/** The same in bounded memory, whatever is found: the result is at hand only while it is used. */
export function replayMomentInto<Used>(
  reader: EventReader,
  projection: Projection,
  options: SettledOptions,
  context: Context,
  use: (judged: JudgedReplay) => Used,
): Promise<Used> {
  return replayShown(projection, options, context, (settings, clear) =>
    replayInto(reader, projection, settings, (judged) => {
      clear()
      warnOfNothingRead(judged, projection, context)
      return use(judged)
    }),
  )
}

/** Runs a replay as the options ask, its progress shown. */
async function replayShown<Result>(
  projection: Projection,
  options: SettledOptions,
  context: Context,
  run: (settings: ReplayOptions, clear: () => void) => Promise<Result>,
): Promise<Result> {
  const { filters, moment, splitAll } = options
  const lookUp = lookUpOf(options, projection, context)
  const show = progressLine(context)
  const settings: ReplayOptions = {
    ...moment,
    ...(lookUp && { lookUp }),
    ...resourcesOf(options, context),
    ...(splitAll && { splitAll }),
    filters,
    signal: context.interruption.signal,
    onProgress: show.update,
  }
  try {
    return await run(settings, show.clear)
  } finally {
    show.clear()
  }
}

/** "No findings" where nothing was read at all is mostly another projection's log. */
export function warnOfNothingRead(
  { summary }: Pick<ReplayResult, 'summary'>,
  { name, categories }: Projection,
  { stderr }: Context,
): void {
  if (summary.coverage.events > 0) return
  stderr.write(`No events in ${categories.join(' or ')} streams, which ${name} reads; --projection names another\n`)
}

/**
 * The filters of a replay as its digest covers them: sorted, and absent where not asked for. Throws UsageError for a rule that none of the
 * projections has: a misspelt one would find nothing, which reads as clean.
 */
export function filtersOf(
  { rule, subject }: ReadingOptions,
  ...projections: readonly Projection[]
): { rules?: string[]; subjects?: string[] } {
  const ids = new Set(projections.flatMap((projection) => rulesOf(projection).map(({ id }) => id)))
  const unknown = rule?.find((id) => !ids.has(id))
  if (unknown !== undefined) {
    const names = [...new Set(projections.map(({ name }) => name))].join(' and ')
    throw new UsageError(`--rule ${unknown}: ${names} has no such rule; it has ${[...ids].join(', ')}`)
  }
  return { ...(rule && { rules: [...rule].sort() }), ...(subject && { subjects: [...subject].sort() }) }
}
