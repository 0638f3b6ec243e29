// The cuts of one log under one version of a projection: a folder of files, one a cut, numbered from 1. A cut's runs hold what changed since an earlier
// one, so that it is read from a few files however many there are (as the sums of a Fenwick tree): cut 13 from 13, 12 and 8.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { endianness } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { rulesOf } from '../engine/detect.js'
import { canonicalize } from '../engine/digest.js'
import type { Projection } from '../engine/projection.js'
import { CutFileWriter, type OpenCut, openCut } from './cut-file.js'
import { type CutInfo, FORMAT, NOTHING_READ } from './cut-info.js'
import { SnapshotDamagedError } from './damaged.js'

/** What a series belongs to. */
export interface SeriesKey {
  /** Id of the first event of the projection's streams: no two logs share it. */
  readonly firstEventId: string
  readonly projection: Projection
  /** Version of the program, whose fold it is. */
  readonly maker: string
}

const NAME = /^cut-(\d{8})$/
/** What follows the projection's name in that of its folder. */
const OF_KEY = /-[0-9a-f]{24}$/
const DRAFT = /\.(\d+)\.draft$/

/** All series in a folder, of whatever log and rules. Throws SnapshotDamagedError where it cannot be listed. */
export function seriesIn(root: string): Series[] {
  return namesIn(root)
    .filter((name) => OF_KEY.test(name))
    .map((name) => new Series(join(root, name)))
}

/** The folder of a series, which need not be there. */
export function folderOfSeries(root: string, key: SeriesKey): string {
  return join(root, nameOf(key))
}

export class Series {
  constructor(readonly folder: string) {}

  /** How many cuts there are: those numbered from 1 on without a gap. */
  count(): number {
    const numbers = new Set(this.#names().map(numberIn))
    let count = 0
    while (numbers.has(count + 1)) count += 1
    return count
  }

  /** What a cut says of itself. Throws SnapshotDamagedError. */
  info(number: number): CutInfo {
    if (number === 0) return NOTHING_READ
    const { file, info } = this.open(number)
    file.close()
    return info
  }

  /** Throws SnapshotDamagedError. */
  open(number: number): OpenCut {
    return openCut(this.#pathOf(number), number)
  }

  /** Begins the file of a cut, making the folder where there is none. Throws what the file system throws. */
  create(number: number): CutFileWriter {
    mkdirSync(this.folder, { recursive: true })
    return new CutFileWriter(this.#pathOf(number))
  }

  /** Removes all cuts behind this one, the newest first, and what was left of makings that were cut short. */
  keepUpTo(number: number): void {
    for (const name of this.#names().sort().reverse()) {
      if (isAbandoned(name) || numberIn(name) > number) rmSync(join(this.folder, name), { force: true })
    }
  }

  /** Whether there are series of a projection of the same name beside it: of another log, other rules, or made by another version of the program. */
  hasOthersBeside(): boolean {
    const own = basename(this.folder)
    const others = namesIn(dirname(this.folder)).filter((name) => name !== own)
    return others.some((name) => OF_KEY.test(name) && name.replace(OF_KEY, '') === own.replace(OF_KEY, ''))
  }

  /** Bytes on disk. */
  bytes(): number {
    return this.#names().reduce((sum, name) => sum + statSync(join(this.folder, name)).size, 0)
  }

  #names(): string[] {
    return namesIn(this.folder)
  }

  #pathOf(number: number): string {
    return join(this.folder, `cut-${String(number).padStart(8, '0')}`)
  }
}

/** Throws SnapshotDamagedError. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new SnapshotDamagedError(folder, 'cannot be listed', { cause: error })
  }
}

function numberIn(name: string): number {
  return Number(NAME.exec(name)?.[1] ?? 0)
}

/** A draft of a process that is no more. */
function isAbandoned(name: string): boolean {
  const pid = DRAFT.exec(name)?.[1]
  if (pid === undefined) return false
  try {
    process.kill(Number(pid), 0)
    return Number(pid) === process.pid
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/** The numbers of the cuts whose runs make up this one, newest first. */
export function numbersBelow(number: number): number[] {
  const numbers: number[] = []
  for (let at = number; at > 0; at = belowOf(at)) numbers.push(at)
  return numbers
}

/** The cut since which the runs of this one hold what changed. */
export function belowOf(number: number): number {
  return number - (number & -number)
}

/** Anything that could make a fold or a rule say something else makes another name. */
function nameOf({ firstEventId, projection, maker }: SeriesKey): string {
  const { name, version, categories, policy = {} } = projection
  const rules = rulesOf(projection).map(({ id, severity, disposition }) => [id, severity, disposition])
  const made = { format: FORMAT, maker, byteOrder: endianness() }
  const key = canonicalize({ made, firstEventId, name, version, categories, policy, rules })
  return `${name.replace(/[^a-z0-9]+/gi, '-').slice(0, 40)}-${createHash('sha256').update(key).digest('hex').slice(0, 24)}`
}
