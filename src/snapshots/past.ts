// One cut of a series, to be asked: who is where, who is due, who uses which key, what was found.
import type { FoldedSubject } from '../engine/fold.js'
import { hashOf } from '../engine/hash.js'
import type { BlockFile } from './block-file.js'
import type { OpenCut } from './cut-file.js'
import { type CutInfo, NOTHING_READ, type Stretches } from './cut-info.js'
import { SnapshotDamagedError } from './damaged.js'
import { foldedOf } from './folded-bytes.js'
import { orderOfKey, useIn } from './key-record.js'
import { keysWhere, mergeRuns, type Run, type RunRecord, recordsOf, recordsWith } from './run.js'
import { belowOf, numbersBelow, type Series } from './series.js'
import { deadlineIn, entryIn, markOf, type SubjectEntry } from './subject-entry.js'

export class Past {
  readonly info: CutInfo
  readonly #series: Series
  /** Whose runs make up this cut, newest first. */
  readonly #cuts: readonly OpenCut[]
  /** By number; opened when a state in it is asked for. */
  readonly #files = new Map<number, { readonly file: BlockFile; readonly mark: number }>()
  #lastBlock: { readonly file: BlockFile; readonly start: number; readonly bytes: Buffer } | undefined

  /** `number` 0: nothing was read yet. Throws SnapshotDamagedError. Close it. */
  constructor(series: Series, number: number) {
    this.#series = series
    this.#cuts = this.#openAll(number)
    this.info = this.#cuts[0]?.info ?? NOTHING_READ
  }

  /** What is known of subjects; those that have no state are left out. Throws SnapshotDamagedError. */
  find(subjects: Iterable<string>): Map<string, SubjectEntry> {
    const wanted = new Set(subjects)
    const found = new Map<string, SubjectEntry>()
    const orders = sortedOrders(wanted, hashOf)
    for (const run of this.runs('subjects')) {
      for (const { key, value } of recordsWith(run, orders)) {
        const subject = key.toString('utf8')
        if (wanted.has(subject) && !found.has(subject)) found.set(subject, entryIn(value))
      }
    }
    return found
  }

  /** Whose deadline has come by `now`. Throws SnapshotDamagedError. */
  dueBy(now: number): Map<string, SubjectEntry> {
    const suspects = new Set<string>()
    for (const run of this.runs('subjects')) {
      for (const key of keysWhere(run, (bytes, value) => deadlineIn(bytes, value) <= now))
        suspects.add(key.toString('utf8'))
    }
    // An older run's word may have been taken back by a newer one.
    return new Map([...this.find(suspects)].filter(([, { deadline }]) => deadline <= now))
  }

  /** The subjects that use each of these keys. Throws SnapshotDamagedError. */
  usersOf(keys: Iterable<string>): Map<string, Set<string>> {
    const users = new Map([...keys].map((key) => [key, new Set<string>()]))
    const told = new Set<string>()
    const orders = sortedOrders(users.keys(), orderOfKey)
    for (const run of this.runs('keys')) {
      for (const record of recordsWith(run, orders)) {
        const text = record.key.toString('utf8')
        const [key, subject] = useIn(text)
        if (!told.has(text) && record.value.length > 0) users.get(key)?.add(subject)
        told.add(text)
      }
    }
    return users
  }

  /** The state of a subject. Quick where one is asked for after the other in the order of their places. Throws SnapshotDamagedError. */
  load(subject: string, { cut, mark, block, at, length }: SubjectEntry): FoldedSubject {
    const file = this.#fileOf(cut, mark)
    if (this.#lastBlock?.file !== file || this.#lastBlock.start !== block) {
      this.#lastBlock = { file, start: block, bytes: file.block(block).bytes }
    }
    try {
      return foldedOf(subject, this.#lastBlock.bytes.subarray(at, at + length))
    } catch (cause) {
      throw new SnapshotDamagedError(file.path, `holds a state of ${subject} that cannot be read`, { cause })
    }
  }

  /** The runs of one kind, newest first. */
  runs(kind: keyof Stretches): Run[] {
    return this.#cuts.map(({ file, info }) => ({ file, stretch: info.stretches[kind] }))
  }

  /** The runs that the next cut's own run takes in, newest first. */
  runsToReplace(kind: keyof Stretches): Run[] {
    const below = belowOf(this.info.number + 1)
    return this.#cuts
      .filter(({ info }) => info.number > below)
      .map(({ file, info }) => ({ file, stretch: info.stretches[kind] }))
  }

  /** The cut on which the next one's runs will lie; undefined where that is none. */
  belowNext(): CutInfo | undefined {
    const below = belowOf(this.info.number + 1)
    return this.#cuts.find(({ info }) => info.number === below)?.info
  }

  /** The results of all subjects that have findings, in the order of their bytes. Throws SnapshotDamagedError. */
  *results(): Iterable<RunRecord> {
    for (const record of mergeRuns(this.runs('results').map(recordsOf))) if (record.value.length > 0) yield record
  }

  close(): void {
    for (const { file } of this.#cuts) file.close()
    const shared = new Set(this.#cuts.map(({ file }) => file))
    for (const { file } of this.#files.values()) if (!shared.has(file)) file.close()
  }

  #openAll(number: number): OpenCut[] {
    const cuts: OpenCut[] = []
    try {
      for (const each of numbersBelow(number)) {
        const cut = this.#series.open(each)
        const above = cuts.at(-1)
        cuts.push(cut)
        if (above && above.info.below !== cut.info.chain) {
          throw new SnapshotDamagedError(cut.file.path, 'is not what later cuts build on')
        }
        this.#files.set(each, { file: cut.file, mark: markOf(cut.info.chain) })
      }
      return cuts
    } catch (error) {
      for (const { file } of cuts) file.close()
      throw error
    }
  }

  #fileOf(cut: number, mark: number): BlockFile {
    const known = this.#files.get(cut) ?? this.#openOther(cut)
    if (known.mark !== mark) throw new SnapshotDamagedError(known.file.path, 'is not what later cuts build on')
    return known.file
  }

  #openOther(cut: number): { readonly file: BlockFile; readonly mark: number } {
    const { file, info } = this.#series.open(cut)
    const opened = { file, mark: markOf(info.chain) }
    this.#files.set(cut, opened)
    return opened
  }
}

function sortedOrders(names: Iterable<string>, orderOf: (name: string) => number): Uint32Array {
  return Uint32Array.from(names, orderOf).sort()
}
