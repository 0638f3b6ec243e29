// Lines into a store that only takes appends (a server): each event behind the guard of its revision, so that again adds nothing. Such a
// store stamps its own times and counts revisions without holes; what is lost by that is counted, and what would be ambiguous is refused.
import { NO_BYTES, type RecordedEvent } from '../log/event.js'
import type { LineEvent } from '../log/event-line.js'
import type { AppendResult, EventStore } from '../log/event-store.js'
import type { Position } from '../log/position.js'
import { type Revision, TOMBSTONE_REVISION } from '../log/revision.js'
import { describedBy, subjectOf } from '../log/stream.js'
import { limitsOf, readStreamMetadata } from '../log/stream-metadata.js'
import { Lanes } from './lanes.js'
import type { LineWriter, Losses, WriteCounts } from './line-writer.js'
import { type LocatedEvent, refusedAt, type Stop } from './located-line.js'
import { headOf, isAddedSince } from './log-head.js'
import { Places } from './places.js'
import { copyOf, type PlainCopy } from './plain-copy.js'
import { settleWrite } from './settled-write.js'

/** Why an event does not fit, or undefined: it is there. */
type Misfit = string | undefined

/** A writer for a store whose log ends where it ends now. */
export async function openAppendingWriter(store: EventStore): Promise<LineWriter> {
  return new AppendingWriter(store, await headOf(store))
}

class AppendingWriter implements LineWriter {
  readonly #store: EventStore
  readonly #headAtStart: Position | undefined
  readonly #lanes = new Lanes()
  readonly #places: Places
  readonly #losses: { -readonly [Name in keyof Losses]: number } = {
    timesMoved: 0,
    timesLost: 0,
    renumbered: 0,
    metadataChanged: 0,
    tombstonesRenewed: 0,
    systemEvents: 0,
  }
  #added = 0
  #present = 0
  #stop: Stop | undefined
  /** Events of streams that are deleted for ever here, which is right where a tombstone ends them in the log too. */
  readonly #deleted = new Map<string, { readonly first: LocatedEvent; readonly count: number }>()

  constructor(store: EventStore, headAtStart: Position | undefined) {
    this.#store = store
    this.#headAtStart = headAtStart
    this.#places = new Places(store, headAtStart)
  }

  get counts(): WriteCounts {
    return { added: this.#added, present: this.#present, gaps: 0, losses: this.#losses }
  }

  async push(line: LocatedEvent): Promise<Stop | undefined> {
    if (isServersOwn(line.event.stream)) this.#losses.systemEvents += 1
    else await this.#lanes.push(laneOf(line.event.stream), () => this.#write(line))
    return this.#stop
  }

  async finish(): Promise<Stop | undefined> {
    await this.#lanes.drain()
    const [deleted] = this.#deleted.values()
    if (deleted) this.#stop ??= refusedAt(deleted.first, 'the stream is deleted for ever')
    return this.#stop
  }

  async #write(line: LocatedEvent): Promise<void> {
    if (this.#stop) return
    const { event } = line
    const misfit = event.revision === TOMBSTONE_REVISION ? await this.#tombstone(event) : await this.#copy(line)
    if (misfit !== undefined) this.#stop ??= refusedAt(line, misfit)
  }

  async #copy(line: LocatedEvent): Promise<Misfit> {
    const { event } = line
    const place = await this.#places.of(event)
    if (place.kind === 'misfit') return place.why
    if (place.kind === 'present') return this.#countPresent()
    const { at } = place
    if (await this.#wouldBeHidden(event, at))
      return `it would stand at ${at}, where the stream's metadata ($tb) hides it`
    return this.#put(line, copyOf(event, { at, truncateBefore: await this.#newTruncateBefore(event) }))
  }

  async #put(line: LocatedEvent, copy: PlainCopy): Promise<Misfit> {
    const { at, original, proposed } = copy
    const expected = at === 0 ? 'noStream' : at - 1
    const result = await settleWrite('Import stopped', () => this.#store.append(original.stream, [proposed], expected))
    if (result.kind === 'refused') return this.#judgeRefusal(line, result)
    const misfit = result.kind === 'conflict' ? await this.#judgeStanding(copy) : this.#judgeAppended(copy, result)
    if (misfit === undefined) this.#places.note(original, at)
    return misfit
  }

  /** Whether an event that is counted lower than in its log would be cut off by what the metadata says of the log. */
  async #wouldBeHidden(event: LineEvent, at: Revision): Promise<boolean> {
    if (describedBy(event.stream) !== undefined || !this.#places.isNewShift(event, at)) return false
    const metadata = await readStreamMetadata(this.#store, event.stream)
    const { truncateBefore = 0, softDeleted } = limitsOf(metadata?.data ?? NO_BYTES)
    if (softDeleted || truncateBefore <= at) return false
    const last = await this.#lastOf(event.stream)
    // One that is there already was cut off later, as in its log.
    return last === undefined || last.revision < at
  }

  async #lastOf(stream: string): Promise<RecordedEvent | undefined> {
    const read = await this.#store.readStream(stream, { direction: 'backwards', maxCount: 1 })
    for await (const [last] of read.kind === 'found' ? read.events : []) return last
    return undefined
  }

  /** The `$tb` that cuts off the same events of a stream that is counted anew; undefined where it stays or there is none. */
  async #newTruncateBefore({ stream, data }: LineEvent): Promise<Revision | undefined> {
    const described = describedBy(stream)
    if (described === undefined) return undefined
    const { truncateBefore, softDeleted } = limitsOf(data)
    if (truncateBefore === undefined || softDeleted) return undefined
    const renewed = await this.#places.firstFrom(described, truncateBefore)
    return renewed === truncateBefore ? undefined : renewed
  }

  #judgeAppended(copy: PlainCopy, { revision, position }: Extract<AppendResult, { kind: 'appended' }>): Misfit {
    if (revision !== copy.at) {
      return `the stream was deleted softly and holds other events; it now stands there at revision ${revision}`
    }
    const isPresent = this.#places.wasPassed(copy.original) || !isAddedSince(this.#headAtStart, position)
    return isPresent ? this.#countPresent() : this.#countAdded(copy)
  }

  #countAdded({ time, isRecounted, isRenumbered }: PlainCopy): undefined {
    this.#added += 1
    if (time === 'moved') this.#losses.timesMoved += 1
    if (time === 'lost') this.#losses.timesLost += 1
    if (isRecounted) this.#losses.metadataChanged += 1
    if (isRenumbered) this.#losses.renumbered += 1
  }

  #judgeRefusal(line: LocatedEvent, { reason, message }: Extract<AppendResult, { kind: 'refused' }>): Misfit {
    if (reason !== 'stream-deleted') return message
    const { first, count } = this.#deleted.get(line.event.stream) ?? { first: line, count: 0 }
    this.#deleted.set(line.event.stream, { first, count: count + 1 })
    return undefined
  }

  #countPresent(count = 1): undefined {
    this.#present += count
  }

  /** The place is taken: by the event itself, or by metadata that the store wrote by itself when a soft delete ended. */
  async #judgeStanding({ original: event, proposed, at }: PlainCopy): Promise<Misfit> {
    const isMetadata = describedBy(event.stream) !== undefined
    const standing = await this.#eventAt(event.stream, at)
    // Metadata that is not the last can no longer be read, and has no effect.
    if (!standing)
      return isMetadata ? this.#countPresent() : 'it does not follow what the stream holds and lets be read'
    if (standing.id === event.id) return this.#countPresent()
    if (!isMetadata || !isLikeJson(standing.data, proposed.data)) return `another event stands there: ${standing.id}`
    this.#losses.metadataChanged += 1
    return this.#countPresent()
  }

  async #eventAt(stream: string, revision: Revision): Promise<RecordedEvent | undefined> {
    const read = await this.#store.readStream(stream, { from: revision, maxCount: 1 })
    for await (const [event] of read.kind === 'found' ? read.events : []) {
      return event?.revision === revision ? event : undefined
    }
    return undefined
  }

  async #tombstone({ stream }: LineEvent): Promise<Misfit> {
    const { kind } = await this.#store.readStream(stream, { maxCount: 1 })
    if (kind === 'tombstoned') {
      const held = this.#deleted.get(stream)?.count ?? 0
      this.#deleted.delete(stream)
      return this.#countPresent(held + 1)
    }
    const last = await this.#lastOf(stream)
    const expected = last?.revision ?? (kind === 'found' ? 'streamExists' : 'noStream')
    const result = await settleWrite('Import stopped', () => this.#store.tombstone(stream, expected))
    if (result.kind === 'conflict') return `others write to the stream, which ends at ${result.actual}`
    if (result.kind === 'refused') return result.message
    this.#added += 1
    this.#losses.tombstonesRenewed += 1
    return undefined
  }
}

/** What belongs together stays in order: streams of one subject, and their metadata. */
function laneOf(stream: string): string {
  const name = describedBy(stream) ?? stream
  return subjectOf(name) ?? name
}

/** Streams of the server itself (users, statistics, links of its projections), and their metadata. */
function isServersOwn(stream: string): boolean {
  return (describedBy(stream) ?? stream).startsWith('$')
}

function isLikeJson(a: Uint8Array, b: Uint8Array): boolean {
  const [left, right] = [limitsText(a), limitsText(b)]
  return left !== undefined && left === right
}

/** Metadata without regard to spacing and the order of its fields. */
function limitsText(metadata: Uint8Array): string | undefined {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(metadata))
    return typeof json === 'object' && json !== null ? JSON.stringify(Object.entries(json).sort()) : undefined
  } catch {
    return undefined
  }
}
