// Which result counts: a stream `makegood.current-{projection}` whose last event names the version and the run. Switching is one append behind
// the event that was read, so that of two who switch one is told.
import { z } from 'zod'
import { jsonEvent } from '../log/event.js'
import type { EventReader, EventStore } from '../log/event-store.js'
import type { Revision } from '../log/revision.js'
import { StoreCorruptError } from '../log/store-errors.js'
import { append, parse, readResult, resultStreamOf, type StoredResult } from './stored-result.js'

const SWITCHED = 'CurrentResultSwitched'
const switched = z.object({
  version: z.string(),
  run: z.string(),
  digest: z.string(),
  actor: z.string(),
  /** RFC 3339. */
  at: z.string(),
  previous: z.object({ version: z.string(), run: z.string() }).nullable(),
})

/** What counts now. */
export interface Current {
  /** Of the pointer's stream; -1 where nothing was ever switched to. */
  readonly head: Revision | -1
  readonly switched: z.infer<typeof switched> | undefined
}

/** Reads which result of a projection counts. */
export async function readCurrent(reader: EventReader, projection: string): Promise<Current> {
  const read = await reader.readStream(streamOfCurrent(projection), { direction: 'backwards', maxCount: 1 })
  if (read.kind === 'found') {
    for await (const [last] of read.events) if (last) return { head: last.revision, switched: parse(switched, last) }
  }
  return { head: -1, switched: undefined }
}

/** The result that counts; undefined where nothing was switched to. Throws StoreCorruptError where it is named and not there. */
export async function readCurrentResult(
  reader: EventReader,
  projection: string,
  current: Current,
): Promise<StoredResult | undefined> {
  if (!current.switched) return undefined
  const { version, run } = current.switched
  const stream = resultStreamOf({ name: projection, version })
  const result = await readResult(reader, stream, run)
  if (!result) throw new StoreCorruptError(`${streamOfCurrent(projection)} names result ${run}, and ${stream} has none`)
  return result
}

/** Makes a stored result the one that counts. Nothing is appended where it is already. Throws as `storeResult`. */
export async function switchCurrent(
  store: EventStore,
  { run, summary }: StoredResult,
  by: { readonly current: Current; readonly actor: string; readonly at: string; readonly newId: () => string },
): Promise<'switched' | 'already'> {
  const { current, actor, at, newId } = by
  const before = current.switched
  if (before?.run === run) return 'already'
  const previous = before ? { version: before.version, run: before.run } : null
  const data = { version: summary.version, run, digest: summary.digest, actor, at, previous }
  const event = jsonEvent({ id: newId(), type: SWITCHED, data })
  await append(store, streamOfCurrent(summary.projection), { head: current.head, event })
  return 'switched'
}

function streamOfCurrent(projection: string): string {
  return `makegood.current-${projection}`
}
