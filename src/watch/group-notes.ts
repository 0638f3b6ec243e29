// What the consumers of a group write down for the one among them that keeps its alerts: of each subject they were given an event of, when it has to
// be looked at again. It is a stream, `makegood.notes-{name}`. A note comes before the acknowledgement, so what was acknowledged is never forgotten.
import { z } from 'zod'
import { jsonEvent, type ProposedEvent, type RecordedEvent } from '../log/event.js'
import { streamOf } from '../log/stream.js'
import { chunksOf } from './own-stream.js'

const CATEGORY = 'makegood.notes'
/** What a group was made for stands in a stream of its own: notes may be cut off once a checkpoint is beyond them. */
const GROUP_CATEGORY = 'makegood.group'
const NOTED = 'SubjectsNoted'
const BEGUN = 'GroupBegun'

const note = z.object({
  subject: z.string(),
  /** How many events of its streams it was judged by: of two notes the one that saw more is the later one. */
  seen: z.int(),
  /** When it has to be judged again, in milliseconds since the Unix epoch; null: only when an event comes. */
  deadline: z.number().nullable(),
  /** It has findings. */
  isOpen: z.boolean(),
  /** The keys it uses that no other subject should. */
  keys: z.array(z.string()),
})
export type Note = z.infer<typeof note>

const flowStep = z.object({ type: z.string(), subject: z.string(), at: z.number() })

const noted = z.object({
  /** Which process says so. */
  by: z.string(),
  notes: z.array(note),
  /** Beginnings and ends of deliveries, as they were given. */
  flow: z.array(flowStep),
  /** Events that were dealt with. */
  events: z.int(),
  /** Of these, events of nobody known. */
  unattributable: z.int(),
  /** When the log took the oldest of them, and when they were dealt with, in milliseconds since the Unix epoch by this process's clock. */
  oldestAt: z.number().nullable(),
  at: z.number(),
})
export type Noted = z.infer<typeof noted>

const begun = z.object({
  projection: z.string(),
  version: z.string(),
  categories: z.array(z.string()),
})
/** What a group was made for. */
export type Begun = z.infer<typeof begun>

export function notesStreamOf(name: string): string {
  return streamOf(CATEGORY, name)
}

/** The stream that says what a group was made for. */
export function begunStreamOf(group: string): string {
  return streamOf(GROUP_CATEGORY, group)
}

/** The events that say it, each small enough for one append; the numbers stand in the first. */
export function notedEvents({ notes, flow, ...rest }: Noted, newId: () => string): ProposedEvent[] {
  const [first = [], ...others] = chunksOf(notes)
  const later = { ...rest, flow: [], events: 0, unattributable: 0 }
  return [{ ...rest, flow, notes: first }, ...others.map((part) => ({ ...later, notes: part }))].map((data) =>
    jsonEvent({ id: newId(), type: NOTED, data }),
  )
}

/** Undefined where an event of the stream is no note. Throws ZodError where it is a broken one. */
export function notedIn({ type, data }: RecordedEvent): Noted | undefined {
  return type === NOTED ? noted.parse(parse(data)) : undefined
}

export function begunEvent(data: Begun, newId: () => string): ProposedEvent {
  return jsonEvent({ id: newId(), type: BEGUN, data })
}

/** Throws ZodError where the event does not say what a group was made for. */
export function begunIn({ data }: RecordedEvent): Begun {
  return begun.parse(parse(data))
}

function parse(data: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(data))
}
