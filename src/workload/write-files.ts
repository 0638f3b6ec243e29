// A workload as files: events.jsonl in the export format, which `import --events` reads, with the truth beside it.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { jsonEvent, type ProposedEvent } from '../log/event.js'
import { formatEventLine } from '../log/event-line.js'
import { STORE_MARKED, STORE_STREAM } from '../log/store-marker.js'
import { metadataStreamOf } from '../log/stream.js'
import { ticksOfMs } from '../log/ticks.js'
import type { Workload } from './generate.js'
import { LineFile } from './line-file.js'
import { deletionEvent, type Operation } from './operation.js'
import { TruthFiles } from './truth-files.js'
import type { WriteOptions, WrittenCounts } from './write-store.js'

export const EVENTS_FILE = 'events.jsonl'

/** How often progress is told, in events. */
const PROGRESS_EVERY = 8192

/**
 * Writes events.jsonl and the truth's files into a folder, which is made where it is not there. Times of the log are those of the
 * workload. The files are there when all is written, or as they were before. Throws the system's error where a file cannot be
 * written, and the signal's reason.
 */
export async function writeFiles(
  folder: string,
  workload: Workload,
  { onProgress, signal }: Omit<WriteOptions, 'onOutline'> = {},
): Promise<WrittenCounts> {
  mkdirSync(folder, { recursive: true })
  const events = new LineFile(join(folder, EVENTS_FILE))
  const truth = new TruthFiles(folder, workload.marker)
  const counts = { bookings: 0, events: 0 }
  try {
    for (const item of workload.items()) {
      if (item.kind === 'opened') {
        truth.note(item.outline)
        counts.bookings += 1
        continue
      }
      if (counts.events === 0) events.write(markerLine(workload, item.at))
      events.write(lineOf(item))
      counts.events += 1
      if (counts.events % PROGRESS_EVERY > 0) continue
      onProgress?.(counts)
      // A turn for the signal.
      await new Promise(setImmediate)
      signal?.throwIfAborted()
    }
  } catch (error) {
    truth.discard()
    events.discard()
    throw error
  }
  truth.close()
  events.close()
  return counts
}

function markerLine({ marker, markerId }: Workload, at: number): string {
  const event = jsonEvent({ id: markerId, type: STORE_MARKED, data: marker })
  return format(event, { stream: STORE_STREAM, revision: 0, at })
}

function lineOf(operation: Operation): string {
  if (operation.kind === 'append') return format(operation.event, operation)
  const { stream, at, metadataRevision: revision } = operation
  return format(deletionEvent(operation), { stream: metadataStreamOf(stream), revision, at })
}

function format(event: ProposedEvent, place: { stream: string; revision: number; at: number }): string {
  const { stream, revision, at } = place
  return `${formatEventLine({ ...event, stream, revision, created: ticksOfMs(at) })}\n`
}
