// Result lines of all parts of a log become the result of the whole: findings of keys that parts share, what they hold, order and digest, as one replay
// of everything would have them. Memory grows with the findings; uses of keys are held as bytes, beyond the limit in scratch space.
import { groupSharedUses, type SharedUse, type SharedUses, sharedFindings } from './detect.js'
import { digestOfScan, type ScanQuestion } from './digest.js'
import { compareFindings, type Finding, isRepairable, markHeld } from './finding.js'
import type { FoldCounts } from './fold.js'
import { type LineUse, type PartLine, parseResultLine, type SubjectLine } from './fold-lines-shape.js'
import { hashOf } from './hash.js'
import { KeyUses } from './key-uses.js'
import type { MemoryLimit } from './partitioned-log.js'
import type { Projection } from './projection.js'
import { countByRule, coverageOf, type ReplayResult } from './replay.js'
import type { Scratch } from './scratch.js'
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
const HASH_BYTES = 4

/** Takes the lines of all parts, in any order; then gives the result. */
export class PartsMerge {
  readonly #projection: Projection
  readonly #memory: MemoryLimit | undefined
  readonly #parts: PartLine[] = []
  readonly #own = new Map<string, SubjectLine>()
  readonly #keys: KeyUses
  readonly #uses: Spool
  #lineCount = 0
  #scratch: Scratch | undefined

  constructor(projection: Projection, memory?: MemoryLimit) {
    this.#projection = projection
    this.#memory = memory
    this.#uses = this.newSpool(PARTITIONS, USES_SHARE)
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
   * The result of the whole, but for what only a store tells: no cut, no compensations. `elapsedMs` is 0. `parts`: how many there must be. Throws
   * PartsError and ScratchError.
   */
  result(parts = this.#parts.length): ReplayResult {
    const { projection, version, now } = this.#assertWhole(parts)
    const { findings, waiting } = this.#merge()
    findings.sort(compareFindings)
    const question: ScanQuestion = { projection, version, filters: {}, now }
    const summary = {
      ...question,
      cut: null,
      coverage: coverageOf(this.#counts()),
      findings: countByRule(findings, this.#projection),
      digest: digestOfScan(question, findings),
      elapsedMs: 0,
    }
    return { summary, findings, waiting, compensations: [], atStake: new Map() }
  }

  /** Room within the limit, as PartitionedLog has it. */
  newSpool(partitions: number, share: number): Spool {
    const bytesMax = this.#memory ? this.#memory.bytesMax * share : Number.POSITIVE_INFINITY
    return new Spool({ partitions, bytesMax, scratch: () => this.#openScratch() })
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
    const { subject, findings, uses } = line
    if (this.#own.has(subject)) refuseSplit(subject)
    if (findings.length > 0) this.#own.set(subject, { ...line, uses: [] })
    if (uses.length > 0) this.#addUses(line, bytes)
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

  #merge(): { findings: Finding[]; waiting: Map<string, readonly string[]> } {
    const findings: Finding[] = []
    const waiting = new Map<string, readonly string[]>()
    const note = (found: readonly Finding[], unmet: readonly string[] | undefined) => {
      for (const finding of found) {
        findings.push(finding)
        if (unmet && isRepairable(finding)) waiting.set(finding.id, unmet)
      }
    }
    const shared = this.#shared()
    for (const { subject, unmet, findings: own } of this.#own.values()) if (!shared.has(subject)) note(own, unmet)
    for (const { line, groups } of shared.values()) {
      const all = [...line.findings, ...sharedFindings(line, groups, this.#projection)]
      note(markHeld(all), line.unmet)
    }
    return { findings, waiting }
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

  #openScratch(): Scratch {
    this.#scratch ??= this.#memory?.scratch()
    if (!this.#scratch) throw new Error('a merge without a limit needs no scratch space')
    return this.#scratch
  }
}

function refuseSplit(subject: string): never {
  throw new PartsError('refused', `subject ${JSON.stringify(subject)} is in two parts: a log is split by subject`)
}
