// A log of a few subjects: what a replay reads when only they are asked about. Their streams are read to their ends, and nothing else.
import type { RecordedEvent } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import { comparePositions } from '../log/position.js'
import type { Projection } from './projection.js'
import { readSubject } from './subject.js'

/**
 * A reader whose log holds some subjects' events, in log order, as they stand when it is read. What only the whole log can tell (keys that are shared
 * with other subjects) it does not have.
 */
export function readerOfSubjects(
  reader: EventReader,
  projection: Projection,
  subjects: readonly string[],
): EventReader {
  return {
    readStream: (stream, options) => reader.readStream(stream, options),
    async *readAll() {
      const events: RecordedEvent[] = []
      for (const subject of subjects) {
        const read = await readSubject(reader, projection, subject)
        events.push(...read.limiting, ...read.events)
      }
      events.sort((a, b) => comparePositions(a.position, b.position))
      const last = events.at(-1)
      if (last) yield { events, position: last.position }
    },
  }
}
