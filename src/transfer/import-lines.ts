// Import of an exported log: line after line into a store, up to the first line that cannot be imported. Nothing is passed over: a line left
// out would leave a hole that nobody sees.
import type { EventStore } from '../log/event-store.js'
import { isRestorable } from '../log/restorable-store.js'
import { openAppendingWriter } from './append-lines.js'
import type { LineWriter, WriteCounts } from './line-writer.js'
import { type FileLine, type LocatedEvent, parseLine, refusedAt, type Stop } from './located-line.js'
import { MarkerGuard } from './marker-guard.js'
import { RestoringWriter } from './restore-lines.js'

export interface ImportedLines extends WriteCounts {
  /** Where the import ended before the end of the lines; everything before is imported. */
  readonly stopped?: Stop
}

export interface ImportLinesOptions {
  /** Ends the import behind what was taken up. */
  readonly signal?: AbortSignal
  /** Is told from time to time how many lines were taken up. */
  readonly onProgress?: (events: number) => void
}

/** Progress is told after so many lines. */
const PROGRESS_LINES = 1_000

/**
 * Imports the events of lines in their order. A store that can restore takes each as it was; another one by appends (append-lines.ts). Again
 * adds only what is not there. Throws StoreUnavailableError and what the lines throw; what was taken up until then may be in the store.
 */
export async function importLines(
  lines: AsyncIterable<FileLine>,
  store: EventStore,
  options: ImportLinesOptions = {},
): Promise<ImportedLines> {
  const writer = isRestorable(store) ? new RestoringWriter(store) : await openAppendingWriter(store)
  const stopped = await writeLines(lines, { writer, guard: new MarkerGuard(store) }, options)
  return { ...writer.counts, ...(stopped && { stopped }) }
}

async function writeLines(
  lines: AsyncIterable<FileLine>,
  { writer, guard }: { writer: LineWriter; guard: MarkerGuard },
  { signal, onProgress }: ImportLinesOptions,
): Promise<Stop | undefined> {
  let taken = 0
  for await (const line of lines) {
    if (signal?.aborted) {
      const { file, line: number } = line
      return (await writer.finish()) ?? { kind: 'interrupted', file, line: number, why: 'interrupted' }
    }
    const parsed = parseLine(line)
    if (!parsed) continue
    const stop = 'event' in parsed ? await write(parsed, writer, guard) : parsed
    if (stop) return (await writer.finish()) ?? stop
    taken += 1
    if (taken % PROGRESS_LINES === 0) onProgress?.(taken)
  }
  return writer.finish()
}

async function write(line: LocatedEvent, writer: LineWriter, guard: MarkerGuard): Promise<Stop | undefined> {
  const message = await guard.refuse(line.event)
  return message === undefined ? writer.push(line) : refusedAt(line, message)
}
