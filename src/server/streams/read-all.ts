// A reading of the whole log, filtered or not.
import type { EventStore } from '../../log/event-store.js'
import { comparePositions } from '../../log/position.js'
import { InvalidPositionError } from '../../log/store-errors.js'
import { unexpectedResult } from '../status.js'
import { endOfLog } from './end-of-log.js'
import type { Given } from './event-encoder.js'
import { type Reading, type RequestOf, sourceOf, startOf } from './reading.js'

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
  for await (const events of matching(request, reading)) {
    const given = events.slice(0, left)
    await reading.reply.events(given)
    left -= given.length
    if (left <= 0) return
  }
}

/** The store passes over what it can by itself: what streams' names tell by their prefixes. */
async function* matching(request: RequestOf<'all'>, reading: Reading): AsyncIterable<readonly Given[]> {
  const { direction, maxCount, filter } = request
  const options = { direction, from: startOf(request), signal: reading.signal }
  const source = sourceOf(reading)
  if (filter && !filter.streamPrefixes) {
    for await (const { events } of source.readAll(options)) yield events.filter(filter.wants)
    return
  }
  const streamPrefixes = filter?.streamPrefixes
  const wanted = { ...options, ...(streamPrefixes && { filter: { streamPrefixes } }), maxCount }
  for await (const { events } of source.readAll(wanted)) yield events
}

/** A position beyond the end is told apart from one at which there is no record. */
async function statusOfPosition({ position }: InvalidPositionError, store: EventStore): Promise<Error> {
  const end = await endOfLog(store)
  const beyond = !end || comparePositions(position, end) > 0
  return unexpectedResult('ReadAllResult', beyond ? 'Error' : 'InvalidPosition')
}
