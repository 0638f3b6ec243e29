// A reading of one stream to its end. Answers carry no mark by which an end is told from a call that the server let go early, so a reading that
// was not told the stream's last revision looks from the other side whether it has got there.
import type { RecordedEvent } from '../../log/event.js'
import type { Direction, ReadStreamOptions, StreamRead } from '../../log/event-store.js'
import type { Revision } from '../../log/revision.js'
import { StoreCorruptError, StoreUnavailableError } from '../../log/store-errors.js'
import { isStreamDeleted, readingError } from './errors.js'
import { type ReadContext, type Reading, readOn } from './read-call.js'
import { streamRequest } from './wire/read-request.js'

type Run = readonly RecordedEvent[]
type Kind = StreamRead['kind']

/** Throws what EventReader throws. */
export async function readStream(
  context: ReadContext,
  stream: string,
  options: ReadStreamOptions = {},
): Promise<StreamRead> {
  const { direction = 'forwards', maxCount = Number.POSITIVE_INFINITY } = options
  const from = options.from ?? (direction === 'forwards' ? 'start' : 'end')
  // A server has no answer to these; what it says of the stream's kind is asked for with one event.
  const isEmpty = maxCount <= 0 || (from === 'end' && direction === 'forwards')
  const asked: Asked = isEmpty
    ? { direction: 'backwards', from: 'end', maxCount: 1 }
    : { direction, from, maxCount: Math.floor(maxCount) }
  const reading = new StreamReading(context, stream, { ...asked, signal: options.signal })
  const kind = await reading.begin()
  if (kind !== 'found') return { kind }
  if (!isEmpty) return { kind, events: reading.rest() }
  await reading.leave()
  return { kind, events: noRuns() }
}

async function* noRuns(): AsyncGenerator<Run, void, undefined> {}

interface Asked {
  readonly direction: Direction
  readonly from: Revision | 'start' | 'end'
  readonly maxCount: number
}

class StreamReading {
  readonly #context: ReadContext
  readonly #stream: string
  readonly #asked: Asked
  readonly #signal: AbortSignal | undefined
  readonly #runs: AsyncGenerator<Run | 'found', 'missing' | 'tombstoned' | 'over', undefined>
  #last: Revision | undefined
  #count = 0
  #edge: Revision | undefined
  /** What the server says is the stream's last revision; then the reading is whole. */
  #toldLast = false

  constructor(context: ReadContext, stream: string, { signal, ...asked }: Asked & { signal: AbortSignal | undefined }) {
    this.#context = context
    this.#stream = stream
    this.#asked = asked
    this.#signal = signal
    this.#runs = this.#read()
  }

  /** Asks, and waits until the server has said what the stream is. */
  async begin(): Promise<Kind> {
    try {
      const first = await this.#runs.next()
      if (!first.done) return 'found'
      return first.value === 'over' ? 'found' : first.value
    } catch (error) {
      throw readingError(error, this.#context.server)
    }
  }

  async *rest(): AsyncGenerator<Run, void, undefined> {
    try {
      for await (const run of this.#runs) if (run !== 'found') yield run
    } catch (error) {
      throw readingError(error, this.#context.server)
    }
  }

  async leave(): Promise<void> {
    await this.#runs.return('over')
  }

  async *#read(): AsyncGenerator<Run | 'found', 'missing' | 'tombstoned' | 'over', undefined> {
    let found = false
    try {
      for await (const item of readOn(this.#context, this.#options())) {
        if (item.kind === 'streamNotFound') return this.#gone('missing')
        if (!found && item.kind !== 'cut') {
          found = true
          yield 'found'
        }
        if (item.kind === 'events') yield this.#take(item.events)
        if (await this.#isWhole(item)) return 'over'
      }
    } catch (error) {
      if (isStreamDeleted(error)) return this.#gone('tombstoned')
      throw error
    }
    return 'over'
  }

  /** Whether with this item all is there that was asked for. */
  async #isWhole(item: Reading): Promise<boolean> {
    if (item.kind === 'lastRevision') this.#toldLast = true
    if (this.#count >= this.#asked.maxCount) return true
    if (item.kind !== 'ended') return false
    this.#edge ??= await this.#findEdge()
    return this.#hasReached(this.#edge)
  }

  /** A stream that goes while it is read cannot be read to its end: what was given must not pass for all of it. */
  #gone(kind: 'missing' | 'tombstoned'): 'missing' | 'tombstoned' {
    if (this.#last === undefined) return kind
    throw new StoreUnavailableError(`Stream ${JSON.stringify(this.#stream)} was deleted while it was read`)
  }

  #options() {
    const purpose = 'deciding' as const
    return {
      purpose,
      signal: this.#signal,
      progress: () => this.#count,
      request: () => streamRequest(this.#stream, this.#next()),
    }
  }

  #next(): Asked {
    const { direction, from, maxCount } = this.#asked
    if (this.#last === undefined) return this.#asked
    const next = this.#last + (direction === 'forwards' ? 1 : -1)
    return { direction, from: next < 0 ? from : next, maxCount: maxCount - this.#count }
  }

  #take(events: Run): Run {
    const { direction } = this.#asked
    for (const { revision } of events) {
      const isNext =
        this.#last === undefined || (direction === 'forwards' ? revision > this.#last : revision < this.#last)
      if (!isNext) {
        throw new StoreCorruptError(
          `Stream ${JSON.stringify(this.#stream)}: revision ${revision} came after ${this.#last}`,
        )
      }
      this.#last = revision
    }
    this.#count += events.length
    return events
  }

  /** The revision at which a whole reading ends: the first one from the other side. Undefined where it is told already, or there is none. */
  async #findEdge(): Promise<Revision | undefined> {
    const isForwards = this.#asked.direction === 'forwards'
    if (this.#toldLast || (!isForwards && this.#last === 0)) return undefined
    const opposite: Asked = isForwards
      ? { direction: 'backwards', from: 'end', maxCount: 1 }
      : { direction: 'forwards', from: 'start', maxCount: 1 }
    const request = () => streamRequest(this.#stream, opposite)
    for await (const item of readOn(this.#context, { ...this.#options(), request })) {
      if (item.kind === 'events') return item.events[0]?.revision
      if (item.kind === 'streamNotFound') this.#gone('missing')
      if (item.kind === 'ended') return undefined
    }
    return undefined
  }

  #hasReached(edge: Revision | undefined): boolean {
    if (edge === undefined) return true
    const { direction, from } = this.#asked
    const isForwards = direction === 'forwards'
    if (this.#last !== undefined) return isForwards ? this.#last >= edge : this.#last <= edge
    // Nothing was given: right where what was asked for lies beyond what there is.
    if (typeof from !== 'number') return !isForwards && from === 'start' && edge > 0
    return isForwards ? from > edge : from < edge
  }
}
