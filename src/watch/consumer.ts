// The consumer that delivers (such as the ticketing service), as far as its checkpoint tells how far it has come: what it has not come to yet is not
// missing. A finding waits until the consumer has passed the event that opened it.
import { z } from 'zod'
import type { Finding } from '../engine/finding.js'
import type { RecordedEvent } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import { comparePositions, type Position, parsePosition } from '../log/position.js'

/** The last event of the consumer's checkpoint stream tells no position. */
export class ConsumerCheckpointError extends Error {
  override readonly name = 'ConsumerCheckpointError'
}

export interface ConsumerOptions {
  readonly reader: EventReader
  /** The stream whose last event tells the position that the consumer has come to. */
  readonly stream: string
  /** Milliseconds of a steady clock. */
  readonly clock: () => number
}

/** How long a place that was read counts, in milliseconds. */
const FRESH_MS = 1_000

export class Consumer {
  readonly #options: ConsumerOptions
  /** Where the events stand that opened the findings that wait, by the finding's id; undefined: nowhere in its streams any more. */
  readonly #opened = new Map<string, Position | undefined>()
  /** Subjects with a finding that waits. */
  readonly #waiting = new Set<string>()
  #place: Position | undefined
  /** Since the waiting were given back. */
  #hasMoved = false
  #readAt = Number.NEGATIVE_INFINITY
  #waitingSince: number | undefined

  constructor(options: ConsumerOptions) {
    this.#options = options
  }

  /** Since when something has been waiting all the time, in milliseconds since the Unix epoch. */
  get waitingSince(): number | undefined {
    return this.#waitingSince
  }

  /** How many subjects wait. */
  get backlog(): number {
    return this.#waiting.size
  }

  /** Reads how far it has come. Throws ConsumerCheckpointError and what the reader throws. */
  async open(): Promise<void> {
    await this.#readPlace()
  }

  /** The subjects to look at again: all that wait, once the consumer has moved. Throws what the reader throws. */
  async takeMoved(): Promise<string[]> {
    if (this.#waiting.size > 0) await this.#refresh()
    if (!this.#hasMoved) return []
    this.#hasMoved = false
    return [...this.#waiting]
  }

  /** These are looked at anew: nothing of them waits, unless it is found to. */
  forget(subjects: Iterable<string>): void {
    for (const subject of subjects) this.#waiting.delete(subject)
  }

  /** Whether a finding can be told of; where not, its subject waits from `now` on. Throws what the reader throws. */
  async hasPassed(finding: Finding): Promise<boolean> {
    if (!this.#opened.has(finding.id)) this.#opened.set(finding.id, await this.#placeOf(finding))
    const opened = this.#opened.get(finding.id)
    await this.#refresh()
    const isPassed = !opened || (this.#place !== undefined && comparePositions(opened, this.#place) <= 0)
    if (isPassed) this.#opened.delete(finding.id)
    else this.#waiting.add(finding.subject)
    return isPassed
  }

  /** Everything that could be told at `now` was looked at. */
  settle(now: number): void {
    this.#waitingSince = this.#waiting.size > 0 ? (this.#waitingSince ?? now) : undefined
    if (this.#waiting.size === 0) this.#opened.clear()
  }

  async #refresh(): Promise<void> {
    if (this.#options.clock() - this.#readAt < FRESH_MS) return
    const before = this.#place
    try {
      await this.#readPlace()
    } catch (error) {
      // Where it says nothing that can be read it has not moved; that is an alarm in its time.
      if (!(error instanceof ConsumerCheckpointError)) throw error
    }
    if (this.#place && (!before || comparePositions(before, this.#place) !== 0)) this.#hasMoved = true
  }

  async #readPlace(): Promise<void> {
    const { reader, stream, clock } = this.#options
    this.#readAt = clock()
    const read = await reader.readStream(stream, { direction: 'backwards', maxCount: 1 })
    if (read.kind !== 'found') return
    for await (const [last] of read.events) if (last) this.#place = positionIn(last)
  }

  /** Where the event stands that opened a finding. */
  async #placeOf({ evidence }: Finding): Promise<Position | undefined> {
    const [opened] = evidence.events
    for (const stream of Object.keys(evidence.revisions)) {
      const read = await this.#options.reader.readStream(stream)
      if (read.kind !== 'found') continue
      for await (const events of read.events) {
        const found = events.find(({ id }) => id === opened)
        if (found) return found.position
      }
    }
    return undefined
  }
}

const place = z.union([z.string(), z.int().nonnegative()]).transform(String)
const checkpoint = z.union([
  z.string(),
  z.object({ position: z.string() }).transform(({ position }) => position),
  z
    .object({ commitPosition: place, preparePosition: place })
    .transform(({ commitPosition, preparePosition }) => `${commitPosition}/${preparePosition}`),
])

/** As `commit/prepare`, or as EventStoreDB writes the checkpoints of its persistent subscriptions to `$all`: `C:commit/P:prepare`. */
function positionIn({ stream, revision, data }: RecordedEvent): Position {
  const parsed = checkpoint.safeParse(jsonIn(data))
  const position = parsed.success ? parsePosition(parsed.data.replace(/^C:(\d+)\/P:(\d+)$/, '$1/$2')) : undefined
  if (position) return position
  throw new ConsumerCheckpointError(
    `Event ${revision} of ${stream} tells no position: expected {"position": "commit/prepare"}, {"commitPosition": …, "preparePosition": …} or "C:…/P:…"`,
  )
}

function jsonIn(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data))
  } catch {
    return undefined
  }
}
