// A reading of one stream.
import type { EventReader } from '../../log/event-store.js'
import type { Revision } from '../../log/revision.js'
import { streamDeleted, unexpectedResult } from '../status.js'
import { type Reading, type RequestOf, sourceOf, startOf } from './reading.js'

export async function readStream(request: RequestOf<'stream'>, reading: Reading): Promise<void> {
  const { store, reply, signal } = reading
  const { stream, direction, maxCount } = request
  const from = startOf(request)
  if (maxCount === 0 || (from === 'end' && direction === 'forwards'))
    throw unexpectedResult('ReadStreamResult', 'Error')
  const read = await sourceOf(reading).readStream(stream, { direction, from, maxCount, signal })
  if (read.kind === 'tombstoned') throw streamDeleted(stream)
  if (read.kind === 'missing') return reply.streamNotFound(stream)
  let given = 0
  for await (const events of read.events) {
    await reply.events(events)
    given += events.length
  }
  if (!request.tellEnds) return
  const last = await lastRevision(store, stream)
  if (last === undefined) return
  if (given === 0) await reply.firstStreamPosition(last + 1)
  await reply.lastStreamPosition(last)
}

async function lastRevision(reader: EventReader, stream: string): Promise<Revision | undefined> {
  const read = await reader.readStream(stream, { direction: 'backwards', maxCount: 1 })
  if (read.kind !== 'found') return undefined
  for await (const [last] of read.events) return last?.revision
  return undefined
}
