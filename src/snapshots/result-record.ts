// What was found of one subject: its findings as they are printed and as they are hashed, and what its repairs wait for.
import { canonicalize } from '../engine/digest.js'
import type { Finding } from '../engine/finding.js'
import type { RunRecord } from './run.js'

export interface SubjectResult {
  /** Sorted as results are. */
  readonly findings: readonly Finding[]
  /** The guards that do not hold, where one of the findings may be repaired. */
  readonly unmet: readonly string[]
}

/** The same with the texts that a digest is made of, one a finding. */
export interface HashedResult extends SubjectResult {
  readonly texts: readonly string[]
}

const LENGTH_BYTES = 4

function hashedResult({ findings, unmet }: SubjectResult): HashedResult {
  return { findings, unmet, texts: findings.map(canonicalize) }
}

/** A subject without findings gets an empty record: it had some before. All in the order of their subjects' bytes. */
export function recordOfResult(subject: string, result: SubjectResult): RunRecord {
  return {
    order: 0,
    key: Buffer.from(subject),
    value: result.findings.length === 0 ? Buffer.alloc(0) : bytesOf(result),
  }
}

function bytesOf(result: SubjectResult): Buffer {
  const { findings, unmet, texts } = hashedResult(result)
  return Buffer.concat([JSON.stringify({ findings, unmet }), ...texts].flatMap(lengthAndText))
}

function lengthAndText(text: string): Buffer[] {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32LE(bytes.length)
  return [length, bytes]
}

export function resultIn(value: Buffer): HashedResult {
  const [json, ...texts] = [...textsIn(value)]
  return { ...(JSON.parse(json ?? '') as SubjectResult), texts }
}

function* textsIn(value: Buffer): Iterable<string> {
  for (let at = 0; at < value.length; ) {
    const start = at + LENGTH_BYTES
    at = start + value.readUInt32LE(at)
    yield value.toString('utf8', start, at)
  }
}
