// What a home pours, read back from its bytes.
import type { RecordedEvent } from '../../src/log/event.js'
import { readEvent } from '../../src/log/event-bytes.js'
import type { EventReader, EventSink, PourOptions } from '../../src/log/event-store.js'

/** All of an event that is poured; its place is not. */
export type PouredEvent = Omit<RecordedEvent, 'position'>

/** A sink that keeps what is poured, and what it has kept. */
export function keepingSink(): { readonly sink: EventSink; readonly kept: PouredEvent[] } {
  const kept: PouredEvent[] = []
  const sink: EventSink = (stream, bytes, start, end) => {
    const copy = Buffer.from(bytes.subarray(start, end))
    kept.push(withPlainBytes({ stream, ...readEvent(copy, 0, copy.length) }))
  }
  return { sink, kept }
}

/** What a home pours; undefined where it does not pour. Throws where the places that it tells do not rise. */
export async function pouredOf(reader: EventReader, options: PourOptions): Promise<PouredEvent[] | undefined> {
  if (!reader.pourAll) return undefined
  const { sink, kept } = keepingSink()
  let last: bigint | undefined
  for await (const { commit } of reader.pourAll(sink, options)) {
    if (last !== undefined && commit <= last) throw new Error(`told ${commit} after ${last}`)
    last = commit
  }
  return kept
}

/** What is to be poured of an event that was read, to be compared. */
export function asPoured({ position: _, ...event }: RecordedEvent): PouredEvent {
  return withPlainBytes(event)
}

function withPlainBytes(event: PouredEvent): PouredEvent {
  return { ...event, data: new Uint8Array(event.data), metadata: new Uint8Array(event.metadata) }
}
