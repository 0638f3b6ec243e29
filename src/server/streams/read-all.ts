// A reading of the whole log, filtered or not.
import type { EventBatch } from '../../log/event.js'
import type { EventStore } from '../../log/event-store.js'
import { comparePositions } from '../../log/position.js'
import { InvalidPositionError } from '../../log/store-errors.js'
import { unexpectedResult } from '../status.js'
import { endOfLog } from './end-of-log.js'
import { type Reading, type RequestOf, startOf } from './reading.js'

export async function readAll(request: RequestOf<'all'>, reading: Reading): Promise<void> {
  // A real server never answers a reading of no events.
  if (request.maxCount === 0) throw unexpectedResult('ReadAllResult', 'Error')
  try {
    await readMatching(request, reading)
  } catch (error) {
    throw error instanceof InvalidPositionError ? await statusOfPosition(error, reading.store) : error
  }
}

async function readMatching(request: RequestOf<'all'>, reading: Reading): Promise<void> {
  let left = request.maxCount
  for await (const { events } of batches(request, reading)) {
    const wanted = request.filter ? events.filter(request.filter.wants) : events
    const given = wanted.slice(0, left)
    await reading.reply.events(given)
    left -= given.length
    if (left <= 0) return
  }
}

/** The store passes over what it can by itself. */
function batches(request: RequestOf<'all'>, { store, signal }: Reading): AsyncIterable<EventBatch> {
  const { direction, maxCount, filter } = request
  const options = { direction, from: startOf(request), signal }
  if (!filter) return store.readAll({ ...options, maxCount })
  const { streamPrefixes } = filter
  return store.readAll(streamPrefixes ? { ...options, filter: { streamPrefixes }, maxCount } : options)
}

/** A position beyond the end is told apart from one at which there is no record. */
async function statusOfPosition({ position }: InvalidPositionError, store: EventStore): Promise<Error> {
  const end = await endOfLog(store)
  const beyond = !end || comparePositions(position, end) > 0
  return unexpectedResult('ReadAllResult', beyond ? 'Error' : 'InvalidPosition')
}
