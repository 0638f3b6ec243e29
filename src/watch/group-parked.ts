// Events that a group has put aside, after too many tries or because a consumer could not deal with them: each is a finding for a person, until it is
// replayed and dealt with. Its subject is judged all the same.
import { z } from 'zod'
import { type Finding, makeFinding } from '../engine/finding.js'
import type { Projection, RuleHead } from '../engine/projection.js'
import type { RecordedEvent } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import type { Revision } from '../log/revision.js'
import { metadataStreamOf } from '../log/stream.js'

export const EVENT_PARKED: RuleHead = {
  id: 'event-parked',
  title: 'An event was put aside: no consumer of the group has dealt with it.',
  severity: 2,
  disposition: 'person',
}

/** An event that was put aside. */
export interface ParkedEvent {
  /** The id of the link by which it was put aside: put aside again, it is another. */
  readonly id: string
  readonly stream: string
  readonly revision: Revision
  readonly reason: string
}

/** With more than this nobody looks at single ones. */
const PARKED_MAX = 10_000

const metadata = z.object({ reason: z.string().optional() })

/** What stands in the stream of parked events, kept up to date. */
export class ParkedEvents {
  readonly #reader: EventReader
  readonly #stream: string
  #bySubject = new Map<string, readonly ParkedEvent[]>()
  #isFresh = false

  constructor(reader: EventReader, stream: string) {
    this.#reader = reader
    this.#stream = stream
  }

  /** The streams whose events tell of a change. */
  get streams(): readonly string[] {
    return [this.#stream, metadataStreamOf(this.#stream)]
  }

  /** Takes note of an event of one of these streams. */
  noteChange(): void {
    this.#isFresh = false
  }

  of(subject: string): readonly ParkedEvent[] {
    return this.#bySubject.get(subject) ?? []
  }

  /** Reads what is parked where that may have changed; gives the subjects that it concerns. Throws what the reader throws. */
  async refresh(subjectOf: (stream: string) => string): Promise<ReadonlySet<string>> {
    if (this.#isFresh) return new Set()
    const parked = new Map<string, ParkedEvent[]>()
    for (const event of await this.#read()) {
      const subject = subjectOf(event.stream)
      const events = parked.get(subject)
      if (events) events.push(event)
      else parked.set(subject, [event])
    }
    const concerned = new Set([...this.#bySubject.keys(), ...parked.keys()])
    this.#bySubject = parked
    this.#isFresh = true
    return concerned
  }

  async #read(): Promise<ParkedEvent[]> {
    const read = await this.#reader.readStream(this.#stream, { maxCount: PARKED_MAX })
    const events: ParkedEvent[] = []
    if (read.kind === 'found') for await (const run of read.events) events.push(...run.flatMap(parkedIn))
    return events
  }
}

/** A link says `5@payment-42`. */
function parkedIn({ id, data, metadata: bytes }: RecordedEvent): ParkedEvent[] {
  const [, revision, stream] = /^(\d+)@(.+)$/s.exec(new TextDecoder().decode(data)) ?? []
  return stream === undefined ? [] : [{ id, stream, revision: Number(revision), reason: reasonIn(bytes) }]
}

function reasonIn(bytes: Uint8Array): string {
  try {
    return metadata.parse(JSON.parse(new TextDecoder().decode(bytes))).reason ?? ''
  } catch {
    return ''
  }
}

/** The finding that an event was put aside. */
export function parkedFinding(
  { name }: Projection,
  { id, stream, revision, reason }: ParkedEvent,
  about: { readonly subject: string; readonly revisions: Record<string, Revision | null> },
): Finding {
  const evidence = { opened: { id, stream, revision }, detail: { stream, revision, reason } }
  return makeFinding(name, EVENT_PARKED, { ...about, evidence })
}
