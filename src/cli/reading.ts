// What all reading commands share: their options, the moment they speak of, and one replay.
import type { Command } from 'commander'
import { type Cut, type CutSpec, resolveCut } from '../engine/cut.js'
import type { Projection } from '../engine/projection.js'
import { type ReplayResult, replay } from '../engine/replay.js'
import type { EventReader } from '../log/event-store.js'
import { parsePosition } from '../log/position.js'
import { readStoreMarker } from '../log/store-marker.js'
import { msOfTicks, parseTicks, ticksOfMs } from '../log/ticks.js'
import type { Context } from './context.js'
import { UsageError } from './exit-codes.js'
import { type LookupOptions, lookUpOf } from './lookup-option.js'
import { type MemoryOptions, memoryOf, withMemoryOptions } from './memory-option.js'
import { FORMAT_OPTION } from './output.js'
import { progressLine } from './progress.js'

/** Options of every command that reads a store. */
export interface StoreOptions {
  readonly store?: string
  readonly format?: string
}

/** Options of every command that replays. */
export interface ReadingOptions extends StoreOptions, LookupOptions, MemoryOptions {
  readonly projection?: string
  readonly asOf?: string
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
  return withMemoryOptions(withStoreOptions(command))
    .option('--projection <name|file>', 'the name of a built-in projection, or a module made with defineProjection')
    .option('--as-of <time>', 'stop at a time (RFC 3339 or now-2h) or a position (commit/prepare)')
    .option('--now <time>', 'what rules take for the present (default: the clock; under --as-of the cut)')
}

/** Where the store is: the option, else the environment, else ./makegood-data. */
export function storeOf({ store }: StoreOptions, { env }: Context): string {
  return store ?? env.MAKEGOOD_STORE ?? './makegood-data'
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

/** The cut that `--as-of` asks for. */
export function cutSpecOf(asOf: string | undefined, clock: number): CutSpec {
  if (asOf === undefined) return { kind: 'head' }
  const position = parsePosition(asOf)
  return position ? { kind: 'position', position } : { kind: 'time', ticks: parseMoment('--as-of', asOf, clock) }
}

/**
 * What rules take for the present: `--now`, else under `--as-of` the cut's time, else what a generated store is marked with, else the
 * clock. Milliseconds since the Unix epoch.
 */
export async function nowOf(
  options: ReadingOptions,
  cut: Cut | undefined,
  reader: EventReader,
  clock: number,
): Promise<number> {
  if (options.now !== undefined) return msOfTicks(parseMoment('--now', options.now, clock))
  const cutTime = options.asOf === undefined ? undefined : cut?.time
  const text = cutTime ?? (await readStoreMarker(reader))?.now
  const ticks = text === undefined || text === null ? undefined : parseTicks(text)
  return ticks === undefined ? clock : msOfTicks(ticks)
}

/** Replays a store as a command's options ask. */
export async function replayStore(
  reader: EventReader,
  projection: Projection,
  options: ReadingOptions,
  context: Context,
): Promise<ReplayResult> {
  const clock = context.clock()
  const cut = await resolveCut(reader, cutSpecOf(options.asOf, clock), clock)
  const now = await nowOf(options, cut, reader, clock)
  const lookUp = lookUpOf(options, projection, context)
  const show = progressLine(context)
  try {
    return await replay(reader, projection, {
      ...(cut && { cut }),
      ...(lookUp && { lookUp }),
      now,
      memory: memoryOf(options, context),
      filters: filtersOf(options),
      signal: context.interruption.signal,
      onProgress: show.update,
    })
  } finally {
    show.clear()
  }
}

/** The filters of a replay as its digest covers them: sorted, and absent where not asked for. */
export function filtersOf({ rule, subject }: ReadingOptions): { rules?: string[]; subjects?: string[] } {
  return { ...(rule && { rules: [...rule].sort() }), ...(subject && { subjects: [...subject].sort() }) }
}
