// The PORT to a log of events. Every home (memory, embedded, files, EventStoreDB) stands behind it, and one contract suite
// (test/contract) holds all of them to what is written here.
import type { EventBatch, ProposedEvent, RecordedEvent } from './event.js'
import type { StoredEvent } from './event-bytes.js'
import type { Position } from './position.js'
import type { ActualRevision, ExpectedRevision, Revision } from './revision.js'

export type Direction = 'forwards' | 'backwards'

/** Where a reading of one stream goes. All options may be left out. */
export interface ReadStreamOptions {
  /** Default forwards. */
  readonly direction?: Direction
  /** The first revision to give (inclusive, in either direction); default the end from which the direction starts. */
  readonly from?: Revision | 'start' | 'end'
  /** At most this many events; 0 gives none. Default all. */
  readonly maxCount?: number
  readonly signal?: AbortSignal
}

/**
 * What a stream held. `missing`: it never had an event that can be read, or was deleted softly. `tombstoned`: deleted for ever.
 * `found`: its readable events in order of revision (in the direction asked), in runs of at least one event; a stream whose
 * events are all truncated is found and gives none. The iterable is read once; leaving it early frees what it holds.
 */
export type StreamRead<Event = RecordedEvent> =
  | { readonly kind: 'found'; readonly events: AsyncIterable<readonly Event[]> }
  | { readonly kind: 'missing' }
  | { readonly kind: 'tombstoned' }

/** Which events of the log are wanted. */
export interface EventFilter {
  /** Only streams whose name begins with one of these; see prefixesOf in stream.ts. */
  readonly streamPrefixes: readonly string[]
}

/** Where a reading of the whole log goes. All options may be left out. */
export interface ReadAllOptions {
  /** Default forwards. */
  readonly direction?: Direction
  /**
   * Forwards: the record at this position is the first one given. Backwards: the record BEFORE it is. Default the end from
   * which the direction starts. A position beyond the end is an empty reading forwards.
   */
  readonly from?: Position | 'start' | 'end'
  readonly filter?: EventFilter
  /** At most this many matching events. Default all. */
  readonly maxCount?: number
  /**
   * Subjects that are settled need not be given. A home that sees cheaply which ones are leaves out all of their events, and tells in its last
   * batch how many; what it gives is the same otherwise, and always has the last event of the log. Others give everything.
   */
  readonly settled?: Settled
  readonly signal?: AbortSignal
}

/** Where the events go that `pourAll` gives. The bytes (event-bytes.ts) stand only until it returns. */
export type EventSink = (stream: string, bytes: Buffer, start: number, end: number) => void

export interface PourOptions {
  /** The position of an event: what stands behind it is given. Default from the start. */
  readonly after?: Position
  /** The last position that is given, where an event stands there. */
  readonly to: Position
  readonly filter?: EventFilter
  readonly signal?: AbortSignal
}

/** Which subjects are settled: those with an event in the category `by`, all of whose events are JSON objects. */
export interface Settled {
  readonly by: string
  /** What a home may take of memory to see it, in bytes; default any. */
  readonly bytesMax?: number
}

/** The result of an append. Nothing of it may be retried with the decision that led to it, but `unknown` with the identical request. */
export type AppendResult =
  /**
   * The batch is in the log, durably and whole: now, or since an earlier identical append (then `revision` is that of the last
   * event sent, wherever it stands). No revision: an empty batch to a stream without events. No position: nothing was written
   * and the event can no longer be read.
   */
  | { readonly kind: 'appended'; readonly revision?: Revision; readonly position?: Position }
  /** Nothing was written: the stream is not where the append expected it. */
  | { readonly kind: 'conflict'; readonly actual: ActualRevision }
  /** Nothing was written, and never will be by this request. */
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string }
  /** It may have been written, or may be yet. Read back and look for the event's id before deciding anew. */
  | { readonly kind: 'unknown'; readonly message: string; readonly cause?: unknown }

export type RefusalReason = 'stream-deleted' | 'access-denied' | 'too-large' | 'invalid'

/** The result of a soft delete or a tombstone. */
export type DeleteResult =
  | { readonly kind: 'deleted'; readonly position: Position }
  | Exclude<AppendResult, { kind: 'appended' }>

/** What a subscriber is told, in order. */
export type SubscriptionMessage =
  | { readonly kind: 'events'; readonly events: readonly RecordedEvent[] }
  /** Everything that was in the log is out; what follows is live. May come again after the reader had fallen behind. */
  | { readonly kind: 'caughtUp' }
  /** The reader is slower than the log and reads on from disk. */
  | { readonly kind: 'fellBehind' }
  /** Nothing up to here that matches is still to come; only where there is a filter. */
  | { readonly kind: 'checkpoint'; readonly position: Position }

/**
 * Reading. Order: a stream by revision, the log by position, both strictly. A reading sees every event that was acknowledged
 * before it began, and may or may not see later ones; it holds no lock and stops nobody. An aborted signal ends an iterable
 * by throwing the signal's reason.
 *
 * Throws StoreUnavailableError, StoreCorruptError and InvalidPositionError (store-errors.ts), also while iterating.
 */
export interface EventReader {
  readStream(stream: string, options?: ReadStreamOptions): Promise<StreamRead>
  /** Batches may hold no event: they tell how far a filtered reading has come. */
  readAll(options?: ReadAllOptions): AsyncIterable<EventBatch>
  /**
   * The events that `readAll` gives forwards, in its order, for whoever keeps bytes and asks for no event's fields yet. Tells now and then how far it
   * has come. Left out where `readAll` is as quick.
   */
  pourAll?(sink: EventSink, options: PourOptions): AsyncIterable<Position>
  /**
   * Positions of events that cut the log up to `to` into ranges of about one length, for readers side by side: the last event of each range but the
   * last one. Fewer than asked for, or none, where the log is so short that it is read at once. Left out where a home does not know.
   */
  splitAll?(to: Position, ranges: number): Promise<readonly Position[]>
  /** The same readings for whoever only passes events on. Left out where a home holds them otherwise. */
  stored?(): StoredReader
}

/** Readings of a home that holds events as bytes (event-bytes.ts), which it gives as they stand: order, limits and errors are those of EventReader. */
export interface StoredReader {
  readStream(stream: string, options?: ReadStreamOptions): Promise<StreamRead<StoredEvent>>
  readAll(options?: ReadAllOptions): AsyncIterable<EventBatch<StoredEvent>>
}

/**
 * The whole log. Appends to one store are linearizable: of two guarded by the same revision one wins, also from two processes.
 * An append is acknowledged only when it would survive the loss of power, and is there whole or not at all.
 */
export interface EventStore extends EventReader {
  /** `events` may be empty: then only the guard is looked at. */
  append(stream: string, events: readonly ProposedEvent[], expected: ExpectedRevision): Promise<AppendResult>
  /** Soft delete: the stream reads as missing until the next append, whose revisions go on from the last. */
  deleteStream(stream: string, expected: ExpectedRevision): Promise<DeleteResult>
  /** Hard delete: the name can never be used again. */
  tombstone(stream: string, expected: ExpectedRevision): Promise<DeleteResult>
  /**
   * Events after `after` (exclusive; default `start`, from the first event on), then live ones, until the signal is aborted (which ends the
   * iterable without an error), the consumer leaves or the store is closed. A stream that does not exist is waited for; a
   * tombstone gives its `$streamDeleted` event and then throws StreamTombstonedError.
   */
  subscribeToStream(
    stream: string,
    options?: { after?: Revision | 'start' | 'end'; signal?: AbortSignal },
  ): AsyncIterable<SubscriptionMessage>
  /** The same over the whole log. */
  subscribeToAll(options?: {
    after?: Position | 'start' | 'end'
    filter?: EventFilter
    signal?: AbortSignal
  }): AsyncIterable<SubscriptionMessage>
  /** Ends subscriptions, waits for appends under way and frees what is held. A second call does nothing. */
  close(): Promise<void>
}
