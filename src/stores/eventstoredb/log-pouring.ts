// The whole log forwards as bytes, for whoever keeps them unread: the events of log-reading.ts, with its filter, its going on after a cut and its
// errors, by a decoder that makes nothing of them.
import type { EventFilter, EventSink, PourOptions } from '../../log/event-store.js'
import { comparePositions, type Position } from '../../log/position.js'
import { StoreCorruptError } from '../../log/store-errors.js'
import { readingError } from './errors.js'
import { findEdge, mustBePlace } from './log-reading.js'
import { type ReadContext, readItems } from './read-call.js'
import { EventPourer, type OnEvent, type Place } from './wire/event-pourer.js'
import { logRequest } from './wire/read-request.js'

/** EventReader.pourAll: tells after each run of bytes from the network how far it has come. */
export async function* pourLog(
  context: ReadContext,
  sink: EventSink,
  { after, to, filter, signal }: PourOptions,
): AsyncGenerator<Position, void, undefined> {
  signal?.throwIfAborted()
  if (after) mustBePlace(after)
  if (filter?.streamPrefixes.length === 0 || (after && comparePositions(after, to) >= 0)) return
  const pouring = new LogPouring(context, sink, { after, to, filter, signal })
  try {
    yield* pouring.places()
  } catch (error) {
    throw readingError(error, context.server, after)
  }
}

interface Asked {
  readonly after: Position | undefined
  readonly to: Position
  readonly filter: EventFilter | undefined
  readonly signal: AbortSignal | undefined
}

class LogPouring {
  readonly #context: ReadContext
  readonly #sink: EventSink
  readonly #asked: Asked
  readonly #to: Place
  /** The place of the last event that was given, or behind which was asked. */
  #last: Place | undefined
  #count = 0
  /** Whether nothing has come of the call yet: it begins with the last event once more. */
  #isFirst = true
  #isDone = false

  constructor(context: ReadContext, sink: EventSink, asked: Asked) {
    this.#context = context
    this.#sink = sink
    this.#asked = asked
    this.#to = placeOf(asked.to)
    this.#last = asked.after && placeOf(asked.after)
  }

  async *places(): AsyncGenerator<Position, void, undefined> {
    const { filter, signal } = this.#asked
    let edge: Position | undefined
    let told = 0
    for await (const item of readItems(this.#context, this.#options(), this.#newDecoder)) {
      const last = this.#last && positionOf(this.#last)
      if (last && this.#count > told) yield last
      told = this.#count
      if (this.#isDone) return
      if (item.kind !== 'ended') continue
      edge ??= await findEdge(this.#context, { direction: 'forwards', filter }, signal)
      if (!edge || (last && comparePositions(last, edge) >= 0)) return
    }
  }

  #options() {
    const { filter, signal } = this.#asked
    return {
      purpose: 'bulk' as const,
      signal,
      progress: () => this.#count,
      request: () => {
        const from = this.#last ? positionOf(this.#last) : 'start'
        return logRequest({ direction: 'forwards', from, filter, maxCount: Number.POSITIVE_INFINITY })
      },
    }
  }

  readonly #newDecoder = (): EventPourer => {
    this.#isFirst = true
    return new EventPourer(this.#onEvent)
  }

  readonly #onEvent: OnEvent = (place, stream, record, end) => {
    const order = compare(place, this.#to)
    this.#isDone ||= order >= 0
    if (order > 0 || this.#isAgain(place)) return
    this.#last = place
    this.#count += 1
    this.#sink(stream, record, 0, end)
  }

  /** Whether the event was given before. Throws where it comes after one that it stands before. */
  #isAgain(place: Place): boolean {
    const order = this.#last ? compare(place, this.#last) : 1
    const isFirst = this.#isFirst
    this.#isFirst = false
    if (order > 0) return false
    if (order === 0 && isFirst) return true
    throw new StoreCorruptError(`The log's events came out of order at ${place.commit}/${place.prepare}`)
  }
}

/** As comparePositions, with parts of both kinds. */
function compare(a: Place, b: Place): number {
  if (a.commit < b.commit) return -1
  if (a.commit > b.commit) return 1
  if (a.prepare < b.prepare) return -1
  return a.prepare > b.prepare ? 1 : 0
}

function placeOf({ commit, prepare }: Position): Place {
  return { commit: partOf(commit), prepare: partOf(prepare) }
}

/** A number where that is exact. */
function partOf(part: bigint): Place['commit'] {
  return part <= Number.MAX_SAFE_INTEGER ? Number(part) : part
}

function positionOf({ commit, prepare }: Place): Position {
  return { commit: BigInt(commit), prepare: BigInt(prepare) }
}
