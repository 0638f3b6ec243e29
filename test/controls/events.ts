// Builders of events for tests of the log: events named by letters, and readings gathered into lists.
import { randomUUID } from 'node:crypto'
import { jsonEvent, type ProposedEvent, type RecordedEvent } from '../../src/log/event.js'
import type { EventReader, ReadAllOptions, ReadStreamOptions } from '../../src/log/event-store.js'

/** A small JSON event with a fresh id. */
export function anEvent(fields: Partial<ProposedEvent> = {}): ProposedEvent {
  const id = randomUUID()
  return { ...jsonEvent({ id, type: 'Happened', data: { id } }), ...fields }
}

/** So many small events. */
export function someEvents(count: number): ProposedEvent[] {
  return Array.from({ length: count }, () => anEvent())
}

/** A stream name that no other test uses. */
export function uniqueStream(category = 'contract'): string {
  return `${category}-${randomUUID()}`
}

/** Events by letter: the same letter is the same id, also in a second batch. `*` behind a word gives its events other data. */
export class Letters {
  readonly #ids = new Map<string, string>()

  events(word: string): ProposedEvent[] {
    const letters = word.replace('*', '')
    const data = { from: word }
    return [...letters].map((letter) => jsonEvent({ id: this.id(letter), type: 'Letter', data }))
  }

  id(letter: string): string {
    const id = this.#ids.get(letter) ?? randomUUID()
    this.#ids.set(letter, id)
    return id
  }

  /** `a@0 b@1` for a list of events. */
  describe(events: readonly RecordedEvent[]): string {
    const letterOf = new Map([...this.#ids].map(([letter, id]) => [id, letter]))
    return events.map(({ id, revision }) => `${letterOf.get(id) ?? '?'}@${revision}`).join(' ')
  }
}

/** What a stream holds as one list; throws where it is not found. */
export async function eventsOf(
  reader: EventReader,
  stream: string,
  options: ReadStreamOptions = {},
): Promise<RecordedEvent[]> {
  const read = await reader.readStream(stream, options)
  if (read.kind !== 'found') throw new Error(`Stream ${JSON.stringify(stream)} is ${read.kind}`)
  return (await gather(read.events)).flat()
}

/** What the log holds as one list. */
export async function eventsOfLog(reader: EventReader, options: ReadAllOptions = {}): Promise<RecordedEvent[]> {
  return (await gather(reader.readAll(options))).flatMap(({ events }) => events)
}

/** All that an iterable gives. */
export async function gather<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of iterable) items.push(item)
  return items
}

/** The text of an event's data. */
export function textOf(event: { readonly data: Uint8Array }): string {
  return new TextDecoder().decode(event.data)
}
