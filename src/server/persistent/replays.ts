// The replay of parked events: they are given again in their order, and dropped from their stream once they are settled, not before.
import type { RecordedEvent } from '../../log/event.js'
import type { Revision } from '../../log/revision.js'
import type { LinkResolver } from '../streams/link-resolver.js'
import type { SourceEvent } from './group-source.js'
import type { ParkedStream } from './parked-stream.js'
import { pinOf } from './pin.js'
import { weightOf } from './shown-event.js'
import type { StrategyName } from './strategies.js'
import type { Waiting } from './waiting.js'

export interface ReplayedEvent {
  readonly event: SourceEvent
  readonly parkedAt: Revision
}

interface ReplaySurroundings {
  readonly strategy: StrategyName
  readonly links: LinkResolver
  readonly room: Waiting
  readonly hasRoom: () => boolean
  readonly give: (events: readonly ReplayedEvent[]) => void
}

/** While a long replay goes on, its settled part is dropped every so many events. */
const DROP_EVERY = 1_000

export class Replays {
  readonly #parked: ParkedStream
  readonly #surroundings: ReplaySurroundings
  /** Events up to here were asked for again, were given to the group, and are dropped. */
  #askedTo: Revision = 0
  #givenTo: Revision = 0
  #droppedTo: Revision = 0
  #underWay = 0
  #feeding: Promise<void> = Promise.resolve()
  #dropping: Promise<void> = Promise.resolve()

  constructor(parked: ParkedStream, surroundings: ReplaySurroundings) {
    this.#parked = parked
    this.#surroundings = surroundings
  }

  get underWay(): boolean {
    return this.#underWay > 0
  }

  /** How many events are parked and not asked for again. */
  async parkedCount(): Promise<number> {
    const bounds = await this.#parked.bounds()
    return bounds ? Math.max(0, bounds.end - Math.max(bounds.first, this.#askedTo)) : 0
  }

  /** Begins to give the events that are parked now, up to `stopAt` (exclusive). */
  async start(stopAt: Revision | undefined, onError: (error: unknown) => void): Promise<void> {
    const bounds = await this.#parked.bounds()
    if (!bounds) return
    const from = Math.max(bounds.first, this.#askedTo)
    const to = Math.min(bounds.end, stopAt ?? bounds.end)
    if (from >= to) return
    this.#askedTo = to
    this.#underWay += 1
    this.#feeding = this.#feeding
      .then(() => this.#feed(from, to))
      .catch((error) => {
        // What was not given is parked as before.
        this.#askedTo = this.#givenTo
        onError(error)
      })
      .finally(() => {
        this.#underWay -= 1
      })
  }

  /** `first` is the first event given again that is not settled; undefined where all are. */
  settledTo(first: Revision | undefined): void {
    const settled = first ?? this.#givenTo
    if (settled - this.#droppedTo < (first === undefined ? 1 : DROP_EVERY)) return
    this.#drop(settled)
  }

  /** Resolves when nothing is read or dropped any more. */
  async ended(): Promise<void> {
    await this.#feeding
    await this.#dropping
  }

  /** Leaves behind what was given again and not settled, and nothing of what was settled. */
  async finish(unsettled: Iterable<readonly [Revision, SourceEvent]>): Promise<void> {
    const open = [...unsettled]
    const [first] = open[0] ?? [this.#givenTo]
    // Only a beginning can be dropped: where something behind it is settled, what is open is parked once more.
    const links = open.map(([, { sent }]) => sent.link).filter((link) => link !== undefined)
    const asOne = open.length === this.#givenTo - first
    if (asOne || !(await this.#parked.parkAgain(links))) this.#drop(first)
    else this.#drop(this.#givenTo)
    await this.#dropping
  }

  #drop(before: Revision): void {
    if (before <= this.#droppedTo) return
    this.#droppedTo = before
    // What could not be dropped comes again with the next replay.
    this.#dropping = this.#dropping.then(() => this.#parked.truncate(before)).then(nothing, nothing)
  }

  async #feed(from: Revision, to: Revision): Promise<void> {
    for await (const run of this.#parked.read(from)) {
      const wanted = run.filter(({ revision }) => revision < to)
      const last = wanted.at(-1)
      if (!last || this.#surroundings.room.isOver) return
      const events = await Promise.all(wanted.map((parked) => this.#resolve(parked)))
      this.#givenTo = last.revision + 1
      this.#surroundings.give(events)
      await this.#surroundings.room.until(this.#surroundings.hasRoom)
    }
  }

  async #resolve(parked: RecordedEvent): Promise<ReplayedEvent> {
    const sent = await this.#surroundings.links.resolve(parked)
    const pin = pinOf(sent, this.#surroundings.strategy)
    return { event: { id: parked.id, place: '', pin, bytes: weightOf(sent), sent }, parkedAt: parked.revision }
  }
}

function nothing(): void {}
