// Which line of the whole log each subject of a part began with. A fold counts the events that it is given, from 0; between parts only numbers of the
// whole log can be compared. Kept by subject in the same limited memory as the events, to be read back with the part of the fold that asks.
import { describedBy, subjectOf } from '../log/stream.js'
import { hashOf } from './hash.js'
import type { PartitionedLog } from './partitioned-log.js'
import type { Spool } from './spool.js'

const PARTITIONS = 256
/** An ordinal and a number, each a double. */
const RECORD_BYTES = 16
const MEMORY_SHARE = 1 / 16

export class LineNumbers {
  readonly #spool: Spool
  readonly #record = Buffer.alloc(RECORD_BYTES)

  constructor(log: PartitionedLog) {
    this.#spool = log.newSpool(PARTITIONS, MEMORY_SHARE)
  }

  /** Notes the number of the event that will be the fold's `ordinal`-th. Throws ScratchError. */
  note(stream: string, ordinal: number, number: number): void {
    const subject = subjectOf(describedBy(stream) ?? stream)
    if (subject === undefined) return
    this.#record.writeDoubleLE(ordinal, 0)
    this.#record.writeDoubleLE(number, 8)
    this.#spool.write(partitionOf(subject), this.#record, RECORD_BYTES)
  }

  /** The numbers by the subjects' ordinals; none where none were noted. Throws ScratchError. */
  of(subjects: readonly { readonly subject: string; readonly ordinal: number }[]): ReadonlyMap<number, number> {
    const asked = new Set(subjects.map(({ ordinal }) => ordinal))
    const numbers = new Map<number, number>()
    for (const partition of new Set(subjects.map(({ subject }) => partitionOf(subject)))) {
      this.#spool.read(partition, (bytes, start) => {
        const ordinal = bytes.readDoubleLE(start)
        if (asked.has(ordinal)) numbers.set(ordinal, bytes.readDoubleLE(start + 8))
      })
    }
    return numbers
  }
}

function partitionOf(subject: string): number {
  return hashOf(subject) % PARTITIONS
}
