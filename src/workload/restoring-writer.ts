// A workload into a store that can restore: by the thousand, each batch one commit, in the order of the operations.
import type { LineEvent } from '../log/event-line.js'
import { placeName, type RestorableStore } from '../log/restorable-store.js'
import { metadataStreamOf } from '../log/stream.js'
import { deletionEvent, type Operation } from './operation.js'
import { type OperationWriter, settle, WorkloadWriteError } from './operation-writer.js'

/** How many operations are restored together: one commit to disk. */
const BATCH_LENGTH = 4_096

/** While one batch goes to disk, the next one is made up. */
export function restoringWriter(store: RestorableStore): OperationWriter {
  let underWay = Promise.resolve()
  return {
    length: BATCH_LENGTH,
    async write(operations) {
      await underWay
      underWay = restore(store, operations.map(lineEventOf))
      // Whoever waits for it is told; until then its failure is not nobody's.
      underWay.catch(() => {})
    },
    written: () => underWay,
  }
}

async function restore(store: RestorableStore, events: readonly LineEvent[]): Promise<void> {
  const result = await settle(() => store.restore(events))
  if (result.kind === 'restored') return
  const refused = result.kind === 'refused' ? events[result.index] : undefined
  throw new WorkloadWriteError(refused ? placeName(refused) : 'a batch', result)
}

/** Its time is the store's own: the workload's is in its data. */
function lineEventOf(operation: Operation): LineEvent {
  const { stream } = operation
  if (operation.kind === 'append') {
    // Field by field: a spread takes several times as long, and there are millions.
    const { id, type, contentType, data, metadata } = operation.event
    return { stream, revision: operation.revision, id, type, contentType, data, metadata, created: undefined }
  }
  const revision = operation.metadataRevision
  return { ...deletionEvent(operation), stream: metadataStreamOf(stream), revision, created: undefined }
}
