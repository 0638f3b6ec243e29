// What a simulation is judged by: the store as it lies on the disk, the ledger of the ticket authority, the journal of those who wrote
// beside the repair, and what every process said of itself. Plain data; nothing of the product's own reading is in it but the store's.
import { existsSync, readFileSync } from 'node:fs'
import type { RecordedEvent } from '../../src/log/event.js'
import { msOfTicks } from '../../src/log/ticks.js'
import type { Plan } from '../../src/repair/plan.js'
import { checkFolder } from '../../src/stores/embedded/check-folder.js'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { eventsOfLog } from '../controls/events.js'
import { type End, rowsIn } from './makegood-process.js'

type Json = Record<string, unknown>

/** An event with its bytes read as JSON; `{}` where they are none. */
export interface LoggedEvent {
  readonly stream: string
  readonly revision: number
  readonly position: { readonly commit: bigint; readonly prepare: bigint }
  readonly id: string
  readonly type: string
  readonly data: Json
  readonly metadata: Json
  /** When the store took it, in milliseconds since the Unix epoch. */
  readonly created?: number
}

/** A line of the authority's ledger (src/simulator/ledger.ts). */
export interface LedgerLine {
  readonly kind: 'asked' | 'issued' | 'refused'
  readonly key: string
  readonly call?: 'lookup' | 'issue'
  readonly bookingId?: string
  readonly passengerId?: string
  readonly ticket?: {
    readonly ticketNumber: string
    readonly bookingId: string
    readonly passengerId: string
    readonly issuedAt?: string
  }
  readonly code?: string
  readonly retryable?: boolean
}

/** What a bystander was told that it wrote: one append. */
export interface JournalLine {
  readonly act: string
  readonly bookingId: string
  readonly passengerId?: string
  readonly stream: string
  /** The guard that it was appended behind. */
  readonly expected: number | 'noStream'
  readonly ids: readonly string[]
}

/** An outcome that an apply printed. */
export interface ToldItem {
  readonly outcome: string
  readonly key: string
  readonly stream: string
  readonly revision?: number
}

export interface Evidence {
  readonly events: readonly LoggedEvent[]
  readonly ledger: readonly LedgerLine[]
  readonly journal: readonly JournalLine[]
  readonly told: readonly ToldItem[]
  readonly plans: readonly Plan[]
  readonly ends: readonly End[]
  /** Of two replays or more, each by a process of its own. */
  readonly digests: readonly string[]
  /** What is wrong with the bytes on the disk. */
  readonly problems: readonly string[]
}

/** Reads what lies on the disk. */
export async function readEvidence(
  places: { readonly store: string; readonly ledger: string; readonly journal: string },
  said: Pick<Evidence, 'plans' | 'ends' | 'digests'>,
): Promise<Evidence> {
  // Before the log: what these tell of must be in it, though others go on writing.
  const ledger = linesOf(places.ledger) as readonly unknown[] as readonly LedgerLine[]
  const journal = linesOf(places.journal) as readonly unknown[] as readonly JournalLine[]
  const told = said.ends.flatMap(toldBy)
  const store = await openEmbeddedStore({ folder: places.store, readOnly: true })
  const events = (await eventsOfLog(store)).map(logged)
  await store.close()
  return {
    ...said,
    events,
    ledger,
    journal,
    told,
    problems: (await checkFolder(places.store)).problems.map((problem) => JSON.stringify(problem)),
  }
}

function logged({ stream, revision, position, id, type, data, metadata, created }: RecordedEvent): LoggedEvent {
  const event = { stream, revision, position, id, type, data: jsonIn(data), metadata: jsonIn(metadata) }
  return created === undefined ? event : { ...event, created: msOfTicks(created) }
}

function jsonIn(bytes: Uint8Array): Json {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Json
  } catch {
    return {}
  }
}

/** Whole lines only: who was killed while writing one had not told of it. */
function linesOf(file: string): Json[] {
  return existsSync(file) ? rowsIn(readFileSync(file, 'utf8')) : []
}

function toldBy({ what, stdout }: End): ToldItem[] {
  if (!what.startsWith('apply')) return []
  return rowsIn(stdout).filter(({ type }) => type === 'item') as readonly unknown[] as ToldItem[]
}
