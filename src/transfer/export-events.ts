// Export: the whole log as lines, in the order of the log, never more of it in memory than a piece.
import { createHash } from 'node:crypto'
import type { RecordedEvent } from '../log/event.js'
import { formatEventLine } from '../log/event-line.js'
import type { EventReader } from '../log/event-store.js'
import { formatPosition } from '../log/position.js'
import { TOMBSTONE_REVISION } from '../log/revision.js'
import { describedBy } from '../log/stream.js'

/** What was exported. */
export interface ExportCounts {
  readonly events: number
  /** Of them: events of metadata streams, tombstones, links. */
  readonly metadataEvents: number
  readonly tombstones: number
  readonly links: number
  /** Bytes of the lines, not packed. */
  readonly bytes: number
  /** Of the last event, `commit/prepare`; undefined where there is none. */
  readonly head: string | undefined
  /** Of the lines, not packed: two logs that differ in positions only have the same one. */
  readonly digest: string
}

export interface ExportOptions {
  /** Ends the export by throwing the signal's reason. */
  readonly signal?: AbortSignal
  /** Is told now and then how many events are out, and up to where. */
  readonly onProgress?: (events: number, last: RecordedEvent) => void
}

/** A piece of text is written once it is this long. */
const PIECE_LENGTH = 1024 * 1024

/**
 * Gives all that the log holds when the export begins to `write`, which is waited for: system and metadata streams too, and events that truncation
 * or deletion hide. Throws what the reader and `write` throw.
 */
export async function exportEvents(
  reader: EventReader,
  write: (text: string) => Promise<void>,
  { signal, onProgress }: ExportOptions = {},
): Promise<ExportCounts> {
  const lines = new ExportedLines()
  for await (const { events } of reader.readAll(signal ? { signal } : {})) {
    for (const event of events) {
      lines.add(event)
      if (lines.pendingLength >= PIECE_LENGTH) await write(lines.take())
    }
    const last = events.at(-1)
    if (last) onProgress?.(lines.events, last)
  }
  if (lines.pendingLength > 0) await write(lines.take())
  return lines.counts()
}

class ExportedLines {
  events = 0
  pendingLength = 0
  #pending: string[] = []
  readonly #hash = createHash('sha256')
  #head: string | undefined
  readonly #counts = { metadataEvents: 0, tombstones: 0, links: 0, bytes: 0 }

  add(event: RecordedEvent): void {
    const line = `${formatEventLine(event)}\n`
    this.#pending.push(line)
    this.pendingLength += line.length
    this.events += 1
    this.#head = formatPosition(event.position)
    if (describedBy(event.stream) !== undefined) this.#counts.metadataEvents += 1
    if (event.revision === TOMBSTONE_REVISION) this.#counts.tombstones += 1
    if (event.type === '$>') this.#counts.links += 1
  }

  /** What was added since the last call. */
  take(): string {
    const text = this.#pending.join('')
    this.#pending = []
    this.pendingLength = 0
    this.#hash.update(text)
    this.#counts.bytes += Buffer.byteLength(text)
    return text
  }

  counts(): ExportCounts {
    return {
      events: this.events,
      ...this.#counts,
      head: this.#head,
      digest: `sha256:${this.#hash.digest('hex')}`,
    }
  }
}
