// An append whose outcome is settled: a lost answer is looked for in the log before anything else is decided. Never a new guard,
// never another id: only the identical request is sent again.
import type { ProposedEvent } from '../log/event.js'
import type { AppendResult, EventStore } from '../log/event-store.js'
import type { ExpectedRevision, Revision } from '../log/revision.js'

/** How often an append of unknown outcome is looked for and sent again before it is left unknown. */
const TRIES_MAX = 3

export type SettledAppend = AppendResult

/**
 * Appends behind a guard. After an unknown outcome it reads the stream back for the last event's id and, where it is absent, repeats the
 * identical request; still `unknown` only when the store stays silent. `pause` waits between tries (milliseconds).
 */
export async function appendSettled(
  store: EventStore,
  stream: string,
  events: readonly ProposedEvent[],
  expected: Exclude<ExpectedRevision, 'any'>,
  pause: (ms: number) => Promise<void>,
): Promise<SettledAppend> {
  let result = await store.append(stream, events, expected)
  for (let tries = 1; result.kind === 'unknown' && tries < TRIES_MAX; tries += 1) {
    await pause(100 * 2 ** tries)
    const revision = await findEvent(store, stream, events.at(-1)?.id)
    if (revision !== undefined) return { kind: 'appended', revision }
    result = await store.append(stream, events, expected)
  }
  return result
}

/** The revision at which an event with this id stands in a stream; undefined where it does not, or cannot be looked for now. */
async function findEvent(store: EventStore, stream: string, id: string | undefined): Promise<Revision | undefined> {
  const read = await store.readStream(stream)
  if (read.kind !== 'found') return undefined
  for await (const batch of read.events) {
    const found = batch.find((event) => event.id === id)
    if (found) return found.revision
  }
  return undefined
}
