// The events of a log gathered by subject, each subject's in log order, in bounded memory: once the limit is reached, all of them and every further
// one go to scratch space and come back one partition at a time.
import type { RecordedEvent } from '../log/event.js'
import { type MemoryLimit, PartitionedRuns } from './partitioned-log.js'
import type { Scratch } from './scratch.js'

/** What an event held in memory costs beside its own bytes. */
const BYTES_PER_EVENT = 400

type Gathered = Map<string, RecordedEvent[]>

export class EventsBySubject {
  readonly #limit: MemoryLimit | undefined
  readonly #gathered: Gathered = new Map()
  #bytes = 0
  #scratch: Scratch | undefined
  #runs: PartitionedRuns | undefined

  /** Without a limit everything is held in memory. */
  constructor(limit?: MemoryLimit) {
    this.#limit = limit
  }

  /** Throws ScratchError. */
  add(subject: string, event: RecordedEvent): void {
    if (this.#runs) {
      this.#runs.write(subject, { subject, event })
      return
    }
    addTo(this.#gathered, subject, event)
    this.#bytes += BYTES_PER_EVENT + event.data.length + event.metadata.length
    if (this.#limit && this.#bytes > this.#limit.bytesMax) this.#spill(this.#limit)
  }

  /** Each subject once, with all of its events. */
  *groups(): Iterable<readonly [subject: string, events: readonly RecordedEvent[]]> {
    yield* this.#gathered
    for (const records of this.#runs?.readEach() ?? []) {
      const gathered: Gathered = new Map()
      for (const record of records) {
        const { subject, event } = record as { subject: string; event: RecordedEvent }
        addTo(gathered, subject, event)
      }
      yield* gathered
    }
  }

  close(): void {
    this.#scratch?.close()
  }

  #spill(limit: MemoryLimit): void {
    this.#scratch = limit.scratch()
    this.#runs = new PartitionedRuns(this.#scratch)
    for (const [subject, events] of this.#gathered) {
      for (const event of events) this.#runs.write(subject, { subject, event })
    }
    this.#gathered.clear()
  }
}

function addTo(gathered: Gathered, subject: string, event: RecordedEvent): void {
  const events = gathered.get(subject)
  if (events) events.push(event)
  else gathered.set(subject, [event])
}
