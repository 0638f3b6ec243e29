// The first reading of a log, from its start to its end at one go: as a replay reads and folds it, which holds one state at a time and is
// quicker than event by event. What comes later is taken in as it comes (live-detection.ts).
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Fold, type FoldCounts, type FoldedSubject } from '../engine/fold.js'
import { foldPart } from '../engine/fold-part.js'
import { type MemoryLimit, PartitionedLog } from '../engine/partitioned-log.js'
import type { Projection } from '../engine/projection.js'
import type { RecordedEvent } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import type { Position } from '../log/position.js'
import { prefixesOf } from '../log/stream.js'

/** What a reading tells while it goes on, and what ends it. */
export interface ReadingEvents {
  /** Called for each event, in log order, before any subject is given; `subject`: whose it is, undefined where it is nobody's. */
  readonly onEvent: (event: RecordedEvent, subject: string | undefined) => void
  /** Called now and then, also while subjects are given. */
  readonly onStep: () => Promise<void>
  readonly signal: AbortSignal
}

export interface FirstReadingOptions extends ReadingEvents {
  readonly reader: EventReader
  readonly projection: Projection
  /** Left out: everything is held in memory. */
  readonly memory?: MemoryLimit | undefined
  /** Of how many subjects the places of their first events are remembered. */
  readonly placesMax: number
  /**
   * Called for each subject, folded from all of its events; it is the callee's. `first`: where its first event stands; undefined for all of
   * them where there are more than `placesMax`.
   */
  readonly onSubject: (folded: FoldedSubject, first: Position | undefined) => void
}

/** What a first reading came to. */
export interface FirstReading {
  /** Undefined: the log is empty. */
  readonly last: RecordedEvent | undefined
  readonly counts: readonly Readonly<FoldCounts>[]
}

/**
 * Reads the log and gives its subjects. Throws what the reader throws, and the signal's reason when aborted, both before any subject was given;
 * ScratchError.
 */
export async function readFromStart(options: FirstReadingOptions): Promise<FirstReading> {
  const { projection, memory, placesMax, onSubject, onStep } = options
  const log = new PartitionedLog(projection, memory)
  const places = new FirstPlaces(placesMax)
  try {
    const fold = new Fold(projection)
    const last = await gather({ log, fold, places }, options)
    for (const part of log.parts()) {
      for (const folded of foldPart(part, fold)) onSubject(folded, places.of(folded.subject))
      await onStep()
      // So that leases are renewed and others are heard.
      await nextTurn()
    }
    return { last, counts: [log.unownedCounts, fold.counts] }
  } finally {
    log.close()
  }
}

async function gather(
  { log, fold, places }: { log: PartitionedLog; fold: Fold; places: FirstPlaces },
  { reader, projection, signal, onEvent, onStep }: FirstReadingOptions,
): Promise<RecordedEvent | undefined> {
  let last: RecordedEvent | undefined
  for await (const { events } of reader.readAll({ filter: { streamPrefixes: prefixesOf(projection.categories) } })) {
    signal.throwIfAborted()
    for (const event of events) {
      const subject = fold.subjectOf(event)
      log.add(event)
      places.note(subject, event)
      onEvent(event, subject)
    }
    last = events.at(-1) ?? last
    await onStep()
  }
  return last
}

/** Where subjects begin, as long as they are few. */
class FirstPlaces {
  readonly #max: number
  #places: Map<string, Position> | undefined = new Map()

  constructor(max: number) {
    this.#max = max
  }

  note(subject: string | undefined, { position }: RecordedEvent): void {
    if (subject === undefined || !this.#places || this.#places.has(subject)) return
    if (this.#places.size < this.#max) this.#places.set(subject, position)
    else this.#places = undefined
  }

  of(subject: string): Position | undefined {
    return this.#places?.get(subject)
  }
}
