// What the generator knows, written down while it generates: truth.json (what a scan must find), authority.jsonl (tickets that only the
// authority knows) and payment-record.jsonl (what an external record says was paid).
import { closeSync, mkdirSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { StoreMarker } from '../log/store-marker.js'
import { LineFile } from './line-file.js'
import type { Expectation, LookupName, Outline } from './operation.js'
import { RULE_IDS, type RuleId } from './rule-ids.js'

/** One subject of truth.json. */
export interface TruthEntry extends Expectation {
  readonly subject: string
  readonly archetype: string
  /** What holds instead where this lookup is configured. */
  readonly withLookup?: Expectation & { readonly lookup: LookupName }
}

/**
 * truth.json, in this order. `subjects` are all those with a finding, some of which have one only where a lookup is configured (then `rules`
 * is empty). `counts`: subjects by rule; `countsWithLookups`: the same where every lookup is configured.
 */
export interface Truth {
  readonly scenario: string
  readonly seed: number
  readonly bookings: number
  readonly now: string
  readonly subjects: readonly TruthEntry[]
  readonly counts: Readonly<Record<RuleId, number>>
  readonly countsWithLookups: Readonly<Record<RuleId, number>>
}

export const TRUTH_FILE = 'truth.json'
export const AUTHORITY_FILE = 'authority.jsonl'
export const PAYMENT_RECORD_FILE = 'payment-record.jsonl'

/** The three files in a folder, which is made where it is not there. Nothing of a workload's size is held in memory. */
export class TruthFiles {
  readonly #truth: LineFile
  readonly #authority: LineFile
  readonly #record: LineFile
  readonly #counts = noCounts()
  readonly #countsWithLookups = noCounts()
  #isFirst = true

  constructor(folder: string, { scenario, seed, bookings, now }: StoreMarker) {
    mkdirSync(folder, { recursive: true })
    this.#truth = new LineFile(join(folder, TRUTH_FILE))
    this.#authority = new LineFile(join(folder, AUTHORITY_FILE))
    this.#record = new LineFile(join(folder, PAYMENT_RECORD_FILE))
    this.#truth.write(`${JSON.stringify({ scenario, seed, bookings, now }).slice(0, -1)},"subjects":[`)
  }

  /** Takes down what there is to know of one booking. */
  note({ subject, archetype, expected, withLookup, knownTickets, paymentRecord }: Outline): void {
    for (const ticket of knownTickets) this.#authority.write(`${JSON.stringify(ticket)}\n`)
    if (paymentRecord) this.#record.write(`${JSON.stringify(paymentRecord)}\n`)
    count(this.#counts, expected)
    count(this.#countsWithLookups, withLookup ?? expected)
    if (expected.rules.length === 0 && !withLookup) return
    const entry: TruthEntry = { subject, archetype, ...expected, ...(withLookup && { withLookup }) }
    this.#truth.write(`${this.#isFirst ? '' : ','}\n${JSON.stringify(entry)}`)
    this.#isFirst = false
  }

  /** Ends the files; until then they are not there. */
  close(): void {
    const counts = { counts: this.#counts, countsWithLookups: this.#countsWithLookups }
    this.#truth.write(`\n],${JSON.stringify(counts).slice(1)}\n`)
    for (const file of this.#files) file.close()
  }

  /** Drops what was written, where the workload could not be ended. */
  discard(): void {
    for (const file of this.#files) file.discard()
  }

  get #files(): readonly LineFile[] {
    return [this.#truth, this.#authority, this.#record]
  }
}

const HEAD_LENGTH = 512

/** What the truth in a folder is of; undefined where there is none. */
export function readTruthMarker(folder: string): Pick<Truth, 'scenario' | 'seed' | 'bookings' | 'now'> | undefined {
  let file: number
  try {
    file = openSync(join(folder, TRUTH_FILE), 'r')
  } catch {
    return undefined
  }
  try {
    const head = Buffer.alloc(HEAD_LENGTH)
    const length = readSync(file, head, 0, HEAD_LENGTH, 0)
    const [line = ''] = head.toString('utf8', 0, length).split(',"subjects":[\n')
    return JSON.parse(`${line}}`)
  } catch {
    return undefined
  } finally {
    closeSync(file)
  }
}

function noCounts(): Record<RuleId, number> {
  return Object.fromEntries(RULE_IDS.map((rule) => [rule, 0])) as Record<RuleId, number>
}

function count(counts: Record<RuleId, number>, { rules }: Expectation): void {
  for (const rule of rules) counts[rule] += 1
}
