// What a cut knows of one subject beside its findings: where its state lies, and when it must be judged again.
import { hashOf } from '../engine/hash.js'
import type { RunRecord } from './run.js'

export interface SubjectEntry {
  /** The cut in whose file the state lies, and a mark of that cut's chain. */
  readonly cut: number
  readonly mark: number
  readonly block: number
  readonly at: number
  readonly length: number
  /** The next moment at which the rules may say something else, in milliseconds since the Unix epoch; Infinity where there is none. */
  readonly deadline: number
  readonly hasFindings: boolean
}

// Offsets in the value of its record.
const DEADLINE = 0
const BLOCK = 8
const CUT = 16
const MARK = 20
const AT = 24
const LENGTH = 28
const HAS_FINDINGS = 32
const VALUE_LENGTH = 33

/** The mark of a chain. */
export function markOf(chain: string): number {
  return hashOf(chain)
}

export function recordOfEntry(subject: string, entry: SubjectEntry): RunRecord {
  const value = Buffer.allocUnsafe(VALUE_LENGTH)
  value.writeDoubleLE(entry.deadline, DEADLINE)
  value.writeDoubleLE(entry.block, BLOCK)
  value.writeUInt32LE(entry.cut, CUT)
  value.writeUInt32LE(entry.mark, MARK)
  value.writeUInt32LE(entry.at, AT)
  value.writeUInt32LE(entry.length, LENGTH)
  value.writeUInt8(entry.hasFindings ? 1 : 0, HAS_FINDINGS)
  return { order: hashOf(subject), key: Buffer.from(subject), value }
}

/** The deadline in a record whose value begins there. */
export function deadlineIn(bytes: Buffer, value: number): number {
  return bytes.readDoubleLE(value + DEADLINE)
}

export function entryIn(value: Buffer): SubjectEntry {
  return {
    deadline: deadlineIn(value, 0),
    block: value.readDoubleLE(BLOCK),
    cut: value.readUInt32LE(CUT),
    mark: value.readUInt32LE(MARK),
    at: value.readUInt32LE(AT),
    length: value.readUInt32LE(LENGTH),
    hasFindings: value.readUInt8(HAS_FINDINGS) === 1,
  }
}
