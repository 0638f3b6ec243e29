// Results kept in the store: each version of a projection has its findings in a stream of its own, `makegood.result-{projection}-{version}`, so that
// a new version's stand beside the old one's until somebody switches.
import { z } from 'zod'
import { jsonEvent, type ProposedEvent, type RecordedEvent } from '../log/event.js'
import type { EventReader, EventStore } from '../log/event-store.js'
import type { Revision } from '../log/revision.js'
import { StoreCorruptError, StoreUnavailableError } from '../log/store-errors.js'
import { canonicalize } from './digest.js'
import type { Finding } from './finding.js'
import type { JsonObject } from './json.js'
import type { Value } from './judge-part.js'
import type { ReplayResult } from './replay.js'

/** What is kept of a result: all that a scan prints but the time that it took. */
export interface StoredResult {
  /** Which calculation it is of. */
  readonly run: string
  readonly summary: ReplayResult['summary']
  readonly findings: readonly Finding[]
  readonly atStake: ReplayResult['atStake']
}

/** Somebody else wrote to the same stream in between. Nothing of theirs was touched; calling again begins anew. */
export class ResultTakenError extends Error {
  override readonly name = 'ResultTakenError'
  constructor(readonly stream: string) {
    super(`${stream}: somebody else wrote to it in between; run it again`)
  }
}

const CHUNK = 'ResultChunkStored'
const FINISHED = 'ResultStored'

const json = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null)
const value = z.object({ currency: z.string(), amountMinor: z.int() })
const chunk = z.object({ run: z.string(), items: z.array(z.object({ finding: json, value: value.optional() })) })
const finished = z.object({
  run: z.string(),
  /** How many chunks stand in front of it. */
  chunks: z.int(),
  summary: z.looseObject({
    cut: z
      .object({ commit: z.string(), prepare: z.string(), time: z.string().nullable(), eventId: z.string() })
      .nullable(),
  }),
})
type Chunk = z.infer<typeof chunk>
type Finished = z.infer<typeof finished>

/** The stream of a version's results. */
export function resultStreamOf({ name, version }: { readonly name: string; readonly version: string }): string {
  return `makegood.result-${name}-${version}`
}

/**
 * Keeps a result behind what its stream holds by now. A last one that says the same stands for it. Throws ResultTakenError, StoreUnavailableError
 * where the outcome is not known (what was half written is passed over by readers), and what the store throws.
 */
export async function storeResult(
  store: EventStore,
  result: ReplayResult,
  newId: () => string,
): Promise<{ readonly result: StoredResult; readonly isNew: boolean }> {
  const { summary, findings, atStake } = result
  const stream = resultStreamOf({ name: summary.projection, version: summary.version })
  const known = await readResult(store, stream)
  if (known && isSame(known.summary, summary)) return { result: known, isNew: false }
  const run = newId()
  let head = await headOf(store, stream)
  const chunks = chunksOf(findings.map((finding) => itemOf(finding, atStake)))
  for (const items of chunks) {
    await append(store, stream, { head, event: jsonEvent({ id: newId(), type: CHUNK, data: { run, items } }) })
    head += 1
  }
  const data = { run, chunks: chunks.length, summary: plainSummary(summary) }
  await append(store, stream, { head, event: jsonEvent({ id: newId(), type: FINISHED, data }) })
  return { result: { run, summary, findings, atStake }, isNew: true }
}

/** Reads a result of a stream: of one run, or the last that was finished; undefined where there is none. */
export async function readResult(reader: EventReader, stream: string, run?: string): Promise<StoredResult | undefined> {
  const read = await reader.readStream(stream, { direction: 'backwards' })
  if (read.kind !== 'found') return undefined
  let end: Finished | undefined
  const chunks: Chunk[] = []
  for await (const batch of read.events) {
    for (const event of batch) {
      // Chunks stand in front of their end and next to it: appends are guarded by the revision.
      if (end) chunks.push(parse(chunk, event))
      else if (event.type === FINISHED) end = wantedOf(parse(finished, event), run)
      if (end && chunks.length === end.chunks) return resultOf(end, chunks.reverse())
    }
  }
  if (end)
    throw new StoreCorruptError(`${stream}: ${end.chunks - chunks.length} parts of result ${end.run} are missing`)
  return undefined
}

function wantedOf(end: Finished, run: string | undefined): Finished | undefined {
  return run === undefined || end.run === run ? end : undefined
}

function resultOf({ run, summary }: Finished, chunks: readonly Chunk[]): StoredResult {
  const items = chunks.flatMap((one) => one.items)
  const findings = items.map(({ finding }) => finding as unknown as Finding)
  const atStake = new Map(
    items.flatMap(({ finding, value: at }): [string, Value][] => (at ? [[String(finding.subject), at]] : [])),
  )
  const { cut, ...rest } = summary
  const position = cut && { commit: BigInt(cut.commit), prepare: BigInt(cut.prepare) }
  const place = cut && position ? { position, time: cut.time, eventId: cut.eventId } : null
  return { run, findings, atStake, summary: { ...rest, cut: place } as unknown as StoredResult['summary'] }
}

function plainSummary({ cut, elapsedMs: _elapsedMs, ...rest }: ReplayResult['summary']) {
  const { position, time, eventId } = cut ?? {}
  const place = position && { commit: `${position.commit}`, prepare: `${position.prepare}`, time, eventId }
  return { ...rest, cut: place ?? null }
}

/** The same question with the same answer. Not by the cut: keeping a result moves the head of the log by itself. */
function isSame(a: StoredResult['summary'], b: StoredResult['summary']): boolean {
  return a.digest === b.digest && canonicalize(a.coverage) === canonicalize(b.coverage)
}

function itemOf(finding: Finding, atStake: ReplayResult['atStake']) {
  const at = atStake.get(finding.subject)
  return { finding, ...(at && { value: at }) }
}

/** Half of what one append may hold by default. */
const CHUNK_BYTES_MAX = 512 * 1024

function chunksOf<Item>(items: readonly Item[]): Item[][] {
  const chunks: Item[][] = []
  let room = 0
  for (const item of items) {
    const bytes = Buffer.byteLength(JSON.stringify(item)) + 1
    if (bytes > room) {
      chunks.push([])
      room = CHUNK_BYTES_MAX
    }
    room -= bytes
    chunks.at(-1)?.push(item)
  }
  return chunks
}

/** The last revision of a stream of ours; -1 where it has no event. */
export async function headOf(reader: EventReader, stream: string): Promise<Revision | -1> {
  const read = await reader.readStream(stream, { direction: 'backwards', maxCount: 1 })
  if (read.kind === 'tombstoned') throw new StoreCorruptError(`${stream} was deleted for ever`)
  if (read.kind === 'found') for await (const [last] of read.events) if (last) return last.revision
  return -1
}

/** Appends one event behind `head`. Throws ResultTakenError and StoreUnavailableError. */
export async function append(
  store: EventStore,
  stream: string,
  { head, event }: { readonly head: Revision | -1; readonly event: ProposedEvent },
): Promise<void> {
  const result = await store.append(stream, [event], head < 0 ? 'noStream' : head)
  if (result.kind === 'conflict') throw new ResultTakenError(stream)
  if (result.kind !== 'appended') throw new StoreUnavailableError(`${stream} could not be written: ${result.message}`)
}

/** What an event of ours says. Throws StoreCorruptError where it says nothing of the kind. */
export function parse<T>(schema: z.ZodType<T>, { stream, revision, data }: RecordedEvent): T {
  let told: unknown
  try {
    told = JSON.parse(new TextDecoder().decode(data))
  } catch {
    told = undefined
  }
  const parsed = schema.safeParse(told)
  if (parsed.success) return parsed.data
  throw new StoreCorruptError(`${stream}@${revision} cannot be understood: it is no part of a result`)
}
