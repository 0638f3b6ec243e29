// A log split by subject into parts, as somebody else's engine would do it, and the parts folded and merged.
import { FoldLines, type FoldLinesOptions } from '../../src/engine/fold-lines.js'
import { PartsMerge } from '../../src/engine/fold-lines-merge.js'
import type { MemoryLimit } from '../../src/engine/partitioned-log.js'
import type { Projection } from '../../src/engine/projection.js'
import type { ReplayResult } from '../../src/engine/replay.js'
import type { RecordedEvent } from '../../src/log/event.js'
import type { EventReader } from '../../src/log/event-store.js'
import { describedBy, subjectOf } from '../../src/log/stream.js'

export interface NumberedEvent {
  readonly event: RecordedEvent
  readonly number: number
}

/** All events of a log, numbered from 1, each in the part of its subject. */
export async function splitLog(reader: EventReader, parts: number): Promise<NumberedEvent[][]> {
  const split: NumberedEvent[][] = Array.from({ length: parts }, () => [])
  let number = 0
  for await (const { events } of reader.readAll()) {
    for (const event of events) {
      number += 1
      split[partOf(event.stream, parts)]?.push({ event, number })
    }
  }
  return split
}

function partOf(stream: string, parts: number): number {
  let sum = 0
  for (const byte of Buffer.from(subjectOf(describedBy(stream) ?? stream) ?? '')) sum = (sum * 31 + byte) % 1_000_003
  return sum % parts
}

/** The result lines of one part, as text. */
export async function foldPartOf(
  events: readonly (Omit<NumberedEvent, 'number'> & { readonly number?: number })[],
  projection: Projection,
  options: FoldLinesOptions,
): Promise<string[]> {
  const part = new FoldLines(projection, options)
  try {
    for (const { event, number } of events) part.add(event, number)
    const lines: string[] = []
    for await (const line of part.results()) lines.push(JSON.stringify(line))
    return lines
  } finally {
    part.close()
  }
}

type Merged = Pick<ReplayResult, 'summary' | 'findings' | 'waiting'>
type Waits = [findingId: string, guards: readonly string[]]

/** What lines of parts come to; `parts`: how many there must be. */
export function mergeLines(
  lines: readonly string[],
  projection: Projection,
  { memory, parts }: { memory?: MemoryLimit; parts?: number } = {},
): Merged {
  const merge = new PartsMerge(projection, memory)
  try {
    for (const line of lines) merge.add(Buffer.from(line))
    const { summary, found } = merge.result(parts)
    const all = [...found]
    const waiting = all.flatMap(({ finding, waitsFor }): Waits[] => (waitsFor ? [[finding.id, waitsFor]] : []))
    return { summary, findings: all.map(({ finding }) => finding), waiting: new Map(waiting) }
  } finally {
    merge.close()
  }
}
