// Result lines of all parts of a log become the result of the whole: findings of keys that parts share, what they hold, order and digest, as one replay
// of everything would have them. In bounded memory: beyond the limit findings and uses of keys go to scratch space.
import { msOfTicks, parseTicks } from '../log/ticks.js'
import { groupSharedUses, type SharedUse, type SharedUses, sharedFindings } from './detect.js'
import { compareFindings, markHeld } from './finding.js'
import type { FoldCounts } from './fold.js'
import { type LineUse, type PartLine, parseResultLine, type SubjectLine } from './fold-lines-shape.js'
import { hashOf } from './hash.js'
import type { SubjectResult } from './judge-part.js'
import { KeyUses } from './key-uses.js'
import type { MemoryLimit } from './partitioned-log.js'
import type { Projection } from './projection.js'
import { NOTHING } from './read-log.js'
import { type JudgedReplay, judgedReplay } from './replay.js'
import type { Scratch } from './scratch.js'
import { SortedResults } from './sorted-results.js'
import { Spool } from './spool.js'

/** Lines that give no result: `broken`, some are no result lines or are not there; `refused`, they are not of one question and one log. */
export class PartsError extends Error {
  override readonly name = 'PartsError'
  constructor(
    readonly kind: 'broken' | 'refused',
    why: string,
  ) {
    super(why)
  }
}

/** Uses are spread by subject. */
const PARTITIONS = 256
const USES_SHARE = 1 / 4
const RESULTS_SHARE = 1 / 4
const HASH_BYTES = 4

/** Takes the lines of all parts, in any order; then gives the result. */
export class PartsMerge {
  readonly #projection: Projection
  readonly #memory: MemoryLimit | undefined
  readonly #parts: PartLine[] = []
  readonly #results: SortedResults
  readonly #keys: KeyUses
  readonly #uses: Spool
  #lineCount = 0
  #scratch: Scratch | undefined

  constructor(projection: Projection, memory?: MemoryLimit) {
    this.#projection = projection
    this.#memory = memory
    this.#uses = this.newSpool(PARTITIONS, USES_SHARE)
    this.#results = new SortedResults({
      bytesMax: this.#share(RESULTS_SHARE),
      scratch: () => this.#openScratch(),
    })
    this.#keys = new KeyUses(this)
  }

  /** Takes the next line. Throws PartsError and ScratchError. */
  add(bytes: Uint8Array): void {
    const line = parseResultLine(bytes)
    if (line.type === 'broken') throw new PartsError('broken', line.why)
    if (line.type === 'part') this.#addPart(line)
    else this.#addSubject(line, bytes)
  }

  /**
   * The result of the whole, but for what only a store tells: no cut, no compensations. It is at hand until `close`; `elapsedMs` is 0. `parts`: how
   * many there must be. Throws PartsError and ScratchError.
   */
  result(parts = this.#parts.length): JudgedReplay {
    const { now } = this.#assertWhole(parts)
    const shared = this.#shared()
    const replacements = [...shared.values()].map(({ line, groups }) => {
      const all = [...line.findings, ...sharedFindings(line, groups, this.#projection)]
      return resultOf({ ...line, findings: markHeld(all) })
    })
    this.#results.replace(new Set(shared.keys()), replacements)
    const judged = { ...this.#counts(), results: { [Symbol.iterator]: () => oncePerSubject(this.#results) } }
    const told = { now: msOfTicks(parseTicks(now) ?? 0n), lastRead: undefined, leftOut: NOTHING, elapsedMs: 0 }
    return judgedReplay(judged, this.#projection, told)
  }

  /** Room within the limit, as PartitionedLog has it. */
  newSpool(partitions: number, share: number): Spool {
    return new Spool({ partitions, bytesMax: this.#share(share), scratch: () => this.#openScratch() })
  }

  close(): void {
    this.#scratch?.close()
  }

  #addPart(part: PartLine): void {
    const { name, version } = this.#projection
    if (part.projection !== name || part.version !== version) {
      throw new PartsError('refused', `a part of ${part.projection} ${part.version}; this is ${name} ${version}`)
    }
    const first = this.#parts[0] ?? part
    if (part.now !== first.now) {
      throw new PartsError('refused', `a part as of now = ${part.now}, where others are as of ${first.now}`)
    }
    if (part.firstEvent !== null && this.#parts.some(({ firstEvent }) => firstEvent === part.firstEvent)) {
      throw new PartsError('refused', `the part that begins with event ${part.firstEvent} is there twice`)
    }
    this.#parts.push(part)
  }

  #addSubject(line: SubjectLine, bytes: Uint8Array): void {
    if (line.findings.length > 0) this.#results.add(resultOf(line))
    if (line.uses.length > 0) this.#addUses(line, bytes)
    this.#lineCount += 1
  }

  #addUses({ subject, uses }: SubjectLine, bytes: Uint8Array): void {
    const subjectHash = hashOf(subject)
    this.#keys.note(
      Uint32Array.from(uses.flatMap((used) => [subjectHash, hashOf(`${this.#ruleIndexOf(used)} ${used.use.key}`)])),
    )
    const record = Buffer.allocUnsafe(HASH_BYTES + bytes.length)
    record.writeUInt32LE(subjectHash)
    record.set(bytes, HASH_BYTES)
    this.#uses.write(subjectHash % PARTITIONS, record, record.length)
  }

  #ruleIndexOf({ rule }: LineUse): number {
    const index = this.#projection.sharedKeys?.findIndex(({ id }) => id === rule) ?? -1
    if (index < 0) throw new PartsError('refused', `a use under ${rule}, which ${this.#projection.name} does not have`)
    return index
  }

  /** Throws PartsError where parts or lines are missing, or ordinals of several parts cannot be compared. Gives one of the parts. */
  #assertWhole(parts: number): PartLine {
    const [first] = this.#parts
    if (!first) throw new PartsError('broken', 'no part is there whole: the last line of each is missing')
    if (this.#parts.length !== parts) {
      throw new PartsError('broken', `${parts} parts are expected, and ${this.#parts.length} are there`)
    }
    const told = this.#parts.reduce((sum, { lines }) => sum + lines, 0)
    if (told !== this.#lineCount) {
      throw new PartsError('broken', `the parts tell of ${told} lines of subjects, and ${this.#lineCount} are there`)
    }
    const withEvents = this.#parts.filter(({ firstEvent }) => firstEvent !== null)
    if (withEvents.length > 1 && withEvents.some(({ numbered }) => !numbered)) {
      throw new PartsError('refused', 'several parts, whose lines were not numbered before the log was split (cat -n)')
    }
    return first
  }

  #counts(): { counts: FoldCounts; subjects: number } {
    const counts = { events: 0, streams: 0, subjects: 0, undecodable: 0, gaps: 0, unattributable: 0 }
    for (const part of this.#parts) {
      for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] += part.counts[name]
    }
    const { subjects, ...rest } = counts
    return { counts: rest, subjects }
  }

  /** The subjects that share keys, with what they share. */
  #shared(): Map<string, { line: SubjectLine; groups: readonly SharedUses[] }> {
    const uses: SharedUse[] = []
    const lines = new Map<string, SubjectLine>()
    for (const line of this.#linesWithUses(this.#keys.suspects())) {
      const { subject, ordinal } = line
      if (lines.has(subject)) refuseSplit(subject)
      lines.set(subject, line)
      uses.push(...line.uses.map((used) => ({ rule: this.#ruleIndexOf(used), subject, ordinal, use: used.use })))
    }
    const groups = [...groupSharedUses(uses)]
    return new Map(groups.map(([subject, of]) => [subject, { line: lines.get(subject) as SubjectLine, groups: of }]))
  }

  /** The lines of the subjects with these hashes. */
  #linesWithUses(hashes: ReadonlySet<number>): readonly SubjectLine[] {
    const lines: SubjectLine[] = []
    for (const partition of new Set([...hashes].map((hash) => hash % PARTITIONS))) {
      this.#uses.read(partition, (bytes, start, end) => {
        if (!hashes.has(bytes.readUInt32LE(start))) return
        lines.push(parseResultLine(bytes.subarray(start + HASH_BYTES, end)) as SubjectLine)
      })
    }
    return lines
  }

  #share(share: number): number {
    return this.#memory ? this.#memory.bytesMax * share : Number.POSITIVE_INFINITY
  }

  #openScratch(): Scratch {
    this.#scratch ??= this.#memory?.scratch()
    if (!this.#scratch) throw new Error('a merge without a limit needs no scratch space')
    return this.#scratch
  }
}

function resultOf({ subject, findings, unmet = [] }: SubjectLine): SubjectResult {
  return { subject, findings: findings.toSorted(compareFindings), compensation: undefined, unmet, value: undefined }
}

/** Throws PartsError where a subject is there twice. */
function* oncePerSubject(results: Iterable<SubjectResult>): Generator<SubjectResult> {
  let last: string | undefined
  for (const result of results) {
    if (result.subject === last) refuseSplit(result.subject)
    last = result.subject
    yield result
  }
}

function refuseSplit(subject: string): never {
  throw new PartsError('refused', `subject ${JSON.stringify(subject)} is in two parts: a log is split by subject`)
}
