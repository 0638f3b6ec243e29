// What was found on all subjects, in the order of the subjects, in bounded memory: beyond the limit sorted runs go to scratch space, and are merged
// when they are read.
import { deserialize, serialize } from 'node:v8'
import { compareBytes } from './finding.js'
import type { SubjectResult } from './judge-part.js'
import type { Scratch, ScratchRun } from './scratch.js'

/** What a finding takes with its share of its subject's result, measured at generated bookings: 3,143 bytes. */
const BYTES_PER_FINDING = 3_200

/** Shorter runs would be too many to be merged. */
const RUN_BYTES_MIN = 2 ** 20

export interface ResultsRoom {
  readonly bytesMax: number
  /** Called when that is not enough. */
  readonly scratch: () => Scratch
}

export class SortedResults {
  readonly #room: ResultsRoom
  #held: SubjectResult[] = []
  #heldBytes = 0
  readonly #runs: ScratchRun[] = []
  #replaced: ReadonlySet<string> = new Set()
  #replacements: readonly SubjectResult[] = []

  constructor(room: ResultsRoom) {
    this.#room = room
  }

  /** Takes one subject's result. Throws ScratchError. */
  add(result: SubjectResult): void {
    this.#held.push(result)
    this.#heldBytes += BYTES_PER_FINDING * result.findings.length
    if (this.#heldBytes > Math.max(RUN_BYTES_MIN, this.#room.bytesMax)) this.#writeRun()
  }

  /** Puts results in the place of whatever was added about these subjects, which are few. */
  replace(subjects: ReadonlySet<string>, results: readonly SubjectResult[]): void {
    this.#replaced = subjects
    this.#replacements = results.toSorted(compareSubjects)
  }

  /** All of them, by subject in the order of its UTF-8 bytes. May be asked again, once nothing is added any more. Throws ScratchError. */
  *[Symbol.iterator](): Iterator<SubjectResult> {
    const others = merge([this.#held.sort(compareSubjects), ...this.#runs.map(readRun)])
    const kept = this.#replaced.size === 0 ? others : without(others, this.#replaced)
    yield* this.#replacements.length === 0 ? kept : merge([kept, this.#replacements])
  }

  #writeRun(): void {
    const run = this.#room.scratch().newRun()
    for (const result of this.#held.sort(compareSubjects)) run.write(serialize(result))
    this.#runs.push(run)
    this.#held = []
    this.#heldBytes = 0
  }
}

function compareSubjects(a: SubjectResult, b: SubjectResult): number {
  return compareBytes(a.subject, b.subject)
}

function* readRun(run: ScratchRun): Iterable<SubjectResult> {
  for (const record of run.read()) yield deserialize(record) as SubjectResult
}

function* without(results: Iterable<SubjectResult>, subjects: ReadonlySet<string>): Iterable<SubjectResult> {
  for (const result of results) if (!subjects.has(result.subject)) yield result
}

/** Merges sorted sequences, of which there are few: the least of their heads is looked for one by one. */
function* merge(sequences: readonly Iterable<SubjectResult>[]): Iterable<SubjectResult> {
  const heads: { result: SubjectResult; readonly rest: Iterator<SubjectResult> }[] = []
  for (const sequence of sequences) {
    const rest = sequence[Symbol.iterator]()
    const { value, done } = rest.next()
    if (!done) heads.push({ result: value, rest })
  }
  while (heads.length > 0) {
    let least = 0
    for (let index = 1; index < heads.length; index += 1) {
      if (compareSubjects(resultAt(heads, index), resultAt(heads, least)) < 0) least = index
    }
    const head = heads[least] as (typeof heads)[number]
    yield head.result
    const { value, done } = head.rest.next()
    if (done) heads.splice(least, 1)
    else head.result = value
  }
}

function resultAt(heads: readonly { readonly result: SubjectResult }[], index: number): SubjectResult {
  return (heads[index] as { readonly result: SubjectResult }).result
}
