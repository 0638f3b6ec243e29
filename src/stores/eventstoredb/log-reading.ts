// A reading of the whole log, or of what matches a filter, which the server applies. As with streams nothing marks the end of an answer: a
// reading that ended looks once from the other side whether it has come to the last event that matches.
import type { EventBatch, RecordedEvent } from '../../log/event.js'
import type { Direction, EventFilter, ReadAllOptions } from '../../log/event-store.js'
import { comparePositions, type Position } from '../../log/position.js'
import { InvalidPositionError, StoreCorruptError } from '../../log/store-errors.js'
import { readingError } from './errors.js'
import { type ReadContext, readOn } from './read-call.js'
import { logRequest } from './wire/read-request.js'

/** Throws what EventReader throws. */
export async function* readLog(
  context: ReadContext,
  options: ReadAllOptions = {},
): AsyncGenerator<EventBatch, void, undefined> {
  const { direction = 'forwards', filter, maxCount = Number.POSITIVE_INFINITY, signal } = options
  const from = options.from ?? (direction === 'forwards' ? 'start' : 'end')
  signal?.throwIfAborted()
  mustBePlace(from)
  if (isEmpty({ direction, from, filter, maxCount })) return
  const reading = new LogReading(context, { direction, from, filter, maxCount: Math.floor(maxCount), signal })
  try {
    yield* reading.batches()
  } catch (error) {
    throw readingError(error, context.server, from)
  }
}

interface Asked {
  readonly direction: Direction
  readonly from: Position | 'start' | 'end'
  readonly filter: EventFilter | undefined
  readonly maxCount: number
}

/** Nothing is asked where nothing can come: a real server never answers a reading of no events. */
function isEmpty({ direction, from, filter, maxCount }: Asked): boolean {
  return maxCount <= 0 || from === (direction === 'forwards' ? 'end' : 'start') || filter?.streamPrefixes.length === 0
}

/** A real server has no words for these. */
export function mustBePlace(from: Position | 'start' | 'end'): void {
  if (typeof from !== 'object') return
  if (from.commit < 0n || from.prepare < 0n || from.prepare > from.commit) throw new InvalidPositionError(from)
}

class LogReading {
  readonly #context: ReadContext
  readonly #asked: Asked
  readonly #signal: AbortSignal | undefined
  #last: Position | undefined
  #count = 0

  constructor(context: ReadContext, { signal, ...asked }: Asked & { readonly signal: AbortSignal | undefined }) {
    this.#context = context
    this.#asked = asked
    this.#signal = signal
  }

  async *batches(): AsyncGenerator<EventBatch, void, undefined> {
    let edge: Position | undefined
    for await (const item of readOn(
      this.#context,
      this.#options(() => this.#next()),
    )) {
      if (item.kind === 'events') {
        const events = this.#take(item.events)
        const last = events.at(-1)
        if (last) yield { events, position: last.position }
        if (this.#count >= this.#asked.maxCount) return
      } else if (item.kind === 'ended') {
        edge ??= await findEdge(this.#context, this.#asked, this.#signal)
        if (this.#hasReached(edge)) return
      }
    }
  }

  #options(asked: () => Asked) {
    return {
      purpose: 'bulk' as const,
      signal: this.#signal,
      progress: () => this.#count,
      request: () => logRequest(asked()),
    }
  }

  #next(): Asked {
    const { direction, from, maxCount } = this.#asked
    if (!this.#last) return this.#asked
    // Forwards the server begins with the last one again, which is then passed over.
    const again = direction === 'forwards' ? 1 : 0
    return { ...this.#asked, from: this.#last ?? from, maxCount: maxCount - this.#count + again }
  }

  /** The events of a run that were not given before. */
  #take(run: readonly RecordedEvent[]): readonly RecordedEvent[] {
    const [first] = run
    const isAgain =
      first !== undefined && this.#last !== undefined && comparePositions(first.position, this.#last) === 0
    const events = isAgain ? run.slice(1) : run
    for (const { position } of events) {
      if (this.#last && !this.#isBeyond(position, this.#last)) {
        throw new StoreCorruptError(`The log's events came out of order at ${position.commit}/${position.prepare}`)
      }
      this.#last = position
    }
    this.#count += events.length
    return events
  }

  #isBeyond(position: Position, other: Position): boolean {
    const order = comparePositions(position, other)
    return this.#asked.direction === 'forwards' ? order > 0 : order < 0
  }

  #hasReached(edge: Position | undefined): boolean {
    if (!edge) return true
    const { from, direction } = this.#asked
    if (this.#last) return !this.#isBeyond(edge, this.#last)
    if (typeof from !== 'object') return false
    // Forwards the record at `from` would have been given, backwards only what stands before it.
    const order = comparePositions(from, edge)
    return direction === 'forwards' ? order > 0 : order <= 0
  }
}

/** The position of the event at which a whole reading ends: the first that matches from the other side. */
export async function findEdge(
  context: ReadContext,
  { direction, filter }: Pick<Asked, 'direction' | 'filter'>,
  signal: AbortSignal | undefined,
): Promise<Position | undefined> {
  const opposite: Asked =
    direction === 'forwards'
      ? { direction: 'backwards', from: 'end', filter, maxCount: 1 }
      : { direction: 'forwards', from: 'start', filter, maxCount: 1 }
  const options = { purpose: 'bulk', signal, progress: () => 0, request: () => logRequest(opposite) } as const
  for await (const item of readOn(context, options)) {
    if (item.kind === 'events') return item.events[0]?.position
    if (item.kind === 'ended') return undefined
  }
  return undefined
}
