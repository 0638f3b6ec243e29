// What writes the events of lines into a store, whichever way the store allows.
import type { LocatedEvent, Stop } from './located-line.js'

/** What a store that cannot restore did not take as it was; each a number of events, of those that were added but for `systemEvents`. */
export interface Losses {
  /** The time stands in the metadata instead, as `makegood.created`: the store stamps its own. */
  readonly timesMoved: number
  /** The time is lost: the metadata is no JSON object that could keep it. */
  readonly timesLost: number
  /** Another revision, kept in the metadata as `makegood.revision`: the stream has holes or begins above 0, and this store counts without. */
  readonly renumbered: number
  /** Metadata whose `$tb` was counted anew with its stream, or that the store had written itself, with another id. */
  readonly metadataChanged: number
  /** Tombstones, made anew with another id and time. */
  readonly tombstonesRenewed: number
  /** Not copied: streams whose names begin with `$` are a server's own. */
  readonly systemEvents: number
}

export interface WriteCounts {
  readonly added: number
  /** There already, as they should be. */
  readonly present: number
  /** How often revisions are missing before an event added, and stay missing. */
  readonly gaps: number
  /** Only of stores that cannot restore. */
  readonly losses?: Losses
}

/** Takes events in the order of their lines. */
export interface LineWriter {
  readonly counts: WriteCounts
  /** Takes an event up. A stop is of this one or of an earlier one; nothing more may be given then. Throws StoreUnavailableError. */
  push(line: LocatedEvent): Promise<Stop | undefined>
  /** Writes all that was taken up. */
  finish(): Promise<Stop | undefined>
}
