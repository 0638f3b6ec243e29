// The checkpoint of a watch: how far it has come, and what it must not forget: open findings, alerts given, deadlines. It is a stream,
// `makegood.checkpoint-{name}`, of changes; now and then everything is written anew, and older events of it are no longer read.
import { z } from 'zod'
import { jsonEvent, type ProposedEvent, type RecordedEvent } from '../log/event.js'
import type { EventStore } from '../log/event-store.js'
import { type Position, parsePosition } from '../log/position.js'
import { StoreCorruptError } from '../log/store-errors.js'
import { streamOf } from '../log/stream.js'
import { openAlert } from './alert.js'
import { chunksOf, type OwnAppend, OwnStream } from './own-stream.js'

const CATEGORY = 'makegood.checkpoint'
const SAVED = 'CheckpointSaved'

/** All is written anew once this many more changes were written than there are entries. */
const CHANGES_MAX = 5_000

/** What must be remembered of one subject; subjects of which nothing must be remembered have none. */
const entry = z.object({
  /** When it has to be judged again, in milliseconds since the Unix epoch; null: only when an event comes. */
  deadline: z.number().nullable(),
  /** It has findings, or others were asked about it in vain: it is read and judged again after a restart. */
  isOpen: z.boolean(),
  /** The alerts given for it and not resolved. */
  alerts: z.array(openAlert),
})
export type CheckpointEntry = z.infer<typeof entry>

/** Events that begin a delivery since the last one that ended one. */
const flowCount = z.object({
  count: z.int(),
  /** When the first of them came, in milliseconds since the Unix epoch, and whose the first and the last are; null: none. */
  firstAt: z.number().nullable(),
  first: z.string().nullable(),
  last: z.string().nullable(),
})
export type FlowCount = z.infer<typeof flowCount>

/** What is told with each save, in full. */
const head = z.object({
  projection: z.string(),
  version: z.string(),
  /** The last event taken in, `commit/prepare`. */
  position: z.string(),
  eventId: z.string(),
  /** The latest `now` that was judged by, in milliseconds since the Unix epoch. */
  now: z.number(),
  /** The last event of each alert stream that this checkpoint knows of. */
  alertHeads: z.record(z.string(), z.number()),
  /** The last event of the stream of keys that it knows of; -1 for none. */
  keysHead: z.number(),
  /** Open alerts that are about no single subject. */
  ownAlerts: z.array(openAlert),
  /** What of the domain's flow is not answered yet. */
  flow: flowCount,
})
export type CheckpointHead = z.infer<typeof head>

const saved = z.object({
  /** All events of one save have its id, and only a save whose last part is there counts. */
  save: z.string(),
  part: z.int(),
  isLast: z.boolean(),
  /** Nothing before this save counts. */
  isWhole: z.boolean(),
  head,
  changes: z.array(z.tuple([z.string(), entry.nullable()])),
})
type Saved = z.infer<typeof saved>

export interface Checkpoint {
  readonly head: CheckpointHead
  readonly entries: ReadonlyMap<string, CheckpointEntry>
}

/** The place in the log that a checkpoint stands at. */
export function positionOfCheckpoint({ head: { position } }: Checkpoint): Position {
  const parsed = parsePosition(position)
  if (!parsed) throw new StoreCorruptError(`A checkpoint names no position: ${position}`)
  return parsed
}

/** Reads and writes the checkpoints of one watch. */
export class CheckpointLog {
  readonly #stream: OwnStream
  readonly #newId: () => string
  readonly #entries = new Map<string, CheckpointEntry>()
  #head: CheckpointHead | undefined
  #changesSinceWhole = Number.POSITIVE_INFINITY

  private constructor(stream: OwnStream, newId: () => string) {
    this.#stream = stream
    this.#newId = newId
  }

  /** Reads what was saved last; the checkpoint is undefined where nothing was. */
  static async open(store: EventStore, name: string, newId: () => string): Promise<CheckpointLog> {
    const stream = streamOf(CATEGORY, name)
    const events = await readBackToWhole(store, stream)
    const log = new CheckpointLog(new OwnStream(store, stream, events.at(-1)?.revision ?? -1), newId)
    const complete = new Set(events.flatMap(({ data }) => (data.isLast ? [data.save] : [])))
    for (const { data } of events) if (complete.has(data.save)) log.#apply(data)
    return log
  }

  get checkpoint(): Checkpoint | undefined {
    return this.#head && { head: this.#head, entries: this.#entries }
  }

  /**
   * Saves a head with the entries that changed; undefined takes an entry away. `taken`: another process watches under this name.
   * Throws StoreUnavailableError; what was saved is then known only after opening it anew.
   */
  async save(
    newHead: CheckpointHead,
    changes: ReadonlyMap<string, CheckpointEntry | undefined>,
    { whole = false }: { whole?: boolean } = {},
  ): Promise<OwnAppend> {
    const isWhole = whole || this.#changesSinceWhole + changes.size > this.#entries.size + CHANGES_MAX
    if (whole) this.#entries.clear()
    for (const [subject, change] of changes) setOrDelete(this.#entries, subject, change)
    const written = isWhole ? [...this.#entries] : [...changes].map(([s, change]) => [s, change ?? null] as const)
    for (const event of this.#eventsOf({ newHead, isWhole, written })) {
      if ((await this.#stream.append([event])) === 'taken') return 'taken'
    }
    this.#head = newHead
    this.#changesSinceWhole = isWhole ? 0 : this.#changesSinceWhole + changes.size
    return 'appended'
  }

  #eventsOf(about: {
    newHead: CheckpointHead
    isWhole: boolean
    written: readonly (readonly [string, CheckpointEntry | null])[]
  }): ProposedEvent[] {
    const { newHead, isWhole, written } = about
    const save = this.#newId()
    const parts = chunksOf(written)
    return parts.map((changes, part) => {
      const data = { save, part, isLast: part === parts.length - 1, isWhole, head: newHead, changes }
      return jsonEvent({ id: this.#newId(), type: SAVED, data })
    })
  }

  #apply({ part, isWhole, head: newHead, changes }: Saved): void {
    if (isWhole && part === 0) {
      this.#entries.clear()
      this.#changesSinceWhole = 0
    }
    if (!isWhole) this.#changesSinceWhole += changes.length
    for (const [subject, change] of changes) setOrDelete(this.#entries, subject, change ?? undefined)
    this.#head = newHead
  }
}

interface SavedEvent {
  readonly revision: number
  readonly data: Saved
}

/** The events from the last save of everything on, in order. */
async function readBackToWhole(store: EventStore, stream: string): Promise<SavedEvent[]> {
  const read = await store.readStream(stream, { direction: 'backwards' })
  const events: SavedEvent[] = []
  if (read.kind !== 'found') return events
  const complete = new Set<string>()
  for await (const batch of read.events) {
    for (const event of batch) {
      const data = savedIn(event)
      events.push({ revision: event.revision, data })
      if (data.isLast) complete.add(data.save)
      if (data.isWhole && data.part === 0 && complete.has(data.save)) return events.reverse()
    }
  }
  return events.reverse()
}

function savedIn({ data }: RecordedEvent): Saved {
  return saved.parse(JSON.parse(new TextDecoder().decode(data)))
}

function setOrDelete<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}
