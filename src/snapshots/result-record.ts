// What was found of one subject: its findings as they are hashed, which is all that most questions need, and behind them as they are printed, with
// what their repairs wait for.
import { rulesOf } from '../engine/detect.js'
import { canonicalize } from '../engine/digest.js'
import type { Finding } from '../engine/finding.js'
import type { Projection } from '../engine/projection.js'
import type { RunRecord } from './run.js'

export interface SubjectResult {
  /** Sorted as results are. */
  readonly findings: readonly Finding[]
  /** The guards that do not hold, where one of the findings may be repaired. */
  readonly unmet: readonly string[]
}

/** A finding that nobody has looked into yet. */
export interface FoundText {
  /** Which of `rulesOf` the projection. */
  readonly rule: number
  /** Its RFC 8785 form. */
  readonly text: Buffer
}

// A finding's head: its rule and the length of its text.
const RULE = 0
const LENGTH = 2
const HEAD_LENGTH = 6
const COUNT_BYTES = 4

/** The record of a subject; an empty one where it has no findings. All in the order of their subjects' bytes. */
export function recordOfResult(subject: string, result: SubjectResult, projection: Projection): RunRecord {
  return { order: 0, key: Buffer.from(subject), value: bytesOfResult(result, projection) }
}

function bytesOfResult(result: SubjectResult, projection: Projection): Buffer {
  const { findings, unmet } = result
  if (findings.length === 0) return Buffer.alloc(0)
  const count = Buffer.alloc(COUNT_BYTES)
  count.writeUInt32LE(findings.length)
  const rules = rulesOf(projection).map(({ id }) => id)
  const texts = findings.flatMap((finding) => headAndText(rules.indexOf(finding.rule), canonicalize(finding)))
  return Buffer.concat([count, ...texts, Buffer.from(JSON.stringify({ findings, unmet }))])
}

function headAndText(rule: number, text: string): Buffer[] {
  const bytes = Buffer.from(text)
  const head = Buffer.alloc(HEAD_LENGTH)
  head.writeUInt16LE(rule, RULE)
  head.writeUInt32LE(bytes.length, LENGTH)
  return [head, bytes]
}

/** The findings in the value of a record that is not empty, in their order. */
export function* textsIn(value: Buffer): Iterable<FoundText> {
  let at = COUNT_BYTES
  for (let left = value.readUInt32LE(0); left > 0; left -= 1) {
    const start = at + HEAD_LENGTH
    const end = start + value.readUInt32LE(at + LENGTH)
    yield { rule: value.readUInt16LE(at + RULE), text: value.subarray(start, end) }
    at = end
  }
}

/** All of the value of a record that is not empty. */
export function resultIn(value: Buffer): SubjectResult {
  let at = COUNT_BYTES
  for (const { text } of textsIn(value)) at += HEAD_LENGTH + text.length
  return JSON.parse(value.toString('utf8', at)) as SubjectResult
}
