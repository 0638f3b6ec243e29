// What system projections ought to have written, counted anew from the log in another way than theirs, and what they wrote.
import type { RecordedEvent } from '../../../src/log/event.js'
import type { EventStore } from '../../../src/log/event-store.js'

/** The data of each stream's events, in order. */
export type Written = Readonly<Record<string, readonly string[]>>

const WRITTEN = /^\$(?:ce|et|bc|category)-|^\$streams$/

/** All events of a log, in its order. */
export async function logOf(store: EventStore): Promise<RecordedEvent[]> {
  const log: RecordedEvent[] = []
  for await (const { events } of store.readAll()) log.push(...events)
  return log
}

/** For a log of plain events: no links, no metadata, nothing deleted. */
export function expectedLinks(log: readonly RecordedEvent[]): Written {
  const written: Record<string, string[]> = {}
  const add = (stream: string, data: string) => {
    const run = written[stream] ?? []
    run.push(data)
    written[stream] = run
  }
  for (const { stream, revision, type, metadata } of log) {
    if (stream.startsWith('$')) continue
    const link = `${revision}@${stream}`
    const [category, ...rest] = stream.split('-')
    const correlation = /"\$correlationId":"(.*?)"/.exec(Buffer.from(metadata).toString())?.[1]
    add(`$et-${type}`, link)
    if (rest.length > 0) add(`$ce-${category}`, link)
    if (correlation !== undefined) add(`$bc-${correlation}`, link)
    if (revision === 0) add('$streams', link)
    if (revision === 0 && rest.length > 0) add(`$category-${category}`, stream)
  }
  return written
}

/** Also events that truncation hides: what stands in the log. */
export function writtenIn(log: readonly RecordedEvent[]): Written {
  const written: Record<string, string[]> = {}
  for (const { stream, data } of log) {
    if (!WRITTEN.test(stream)) continue
    const run = written[stream] ?? []
    run.push(Buffer.from(data).toString())
    written[stream] = run
  }
  return written
}
