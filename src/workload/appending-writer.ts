// A workload into a store that takes appends only: one a stream and window, behind the guard of the revision where its events belong.
import type { ProposedEvent } from '../log/event.js'
import type { EventStore } from '../log/event-store.js'
import type { ExpectedRevision, Revision } from '../log/revision.js'
import { metadataStreamOf } from '../log/stream.js'
import { deletionEvent, type Operation } from './operation.js'
import { type OperationWriter, settle, WorkloadWriteError } from './operation-writer.js'

/**
 * How many operations are appended together. Always the same number: what goes into a stream together must be the same when a workload that
 * was broken off is written again, or the store would not know it.
 */
const WINDOW_LENGTH = 512

export function appendingWriter(store: EventStore): OperationWriter {
  return {
    length: WINDOW_LENGTH,
    async write(operations) {
      await Promise.all(runsOf(operations).map((run) => writeRun(store, run)))
    },
    written: async () => {},
  }
}

/** Events that go into one stream together, and the deletion behind them. */
interface Run {
  readonly stream: string
  /** Where the last event before them stands. */
  readonly expected: ExpectedRevision
  readonly events: ProposedEvent[]
  deletion?: Extract<Operation, { kind: 'delete' }>
}

function runsOf(operations: readonly Operation[]): Run[] {
  const runs = new Map<string, Run>()
  for (const operation of operations) {
    const { stream, revision } = operation
    const before = operation.kind === 'append' ? revision - 1 : revision
    const run = runs.get(stream) ?? { stream, expected: guardBehind(before), events: [] }
    if (operation.kind === 'append') run.events.push(operation.event)
    else run.deletion = operation
    runs.set(stream, run)
  }
  return [...runs.values()]
}

async function writeRun(store: EventStore, { stream, expected, events, deletion }: Run): Promise<void> {
  if (events.length > 0) await append(store, stream, { events, expected })
  if (deletion === undefined) return
  const expectedMetadata = guardBehind(deletion.metadataRevision - 1)
  await append(store, metadataStreamOf(stream), { events: [deletionEvent(deletion)], expected: expectedMetadata })
}

function guardBehind(revision: Revision | -1): ExpectedRevision {
  return revision < 0 ? 'noStream' : revision
}

async function append(
  store: EventStore,
  stream: string,
  { events, expected }: { events: readonly ProposedEvent[]; expected: ExpectedRevision },
): Promise<void> {
  const result = await settle(() => store.append(stream, events, expected))
  if (result.kind !== 'appended') throw new WorkloadWriteError(stream, result)
}
