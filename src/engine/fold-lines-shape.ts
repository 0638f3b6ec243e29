// The result lines of a part of a log: plain data that goes through pipes and files, in any order, until it is merged.
import { z } from 'zod'
import type { Revision } from '../log/revision.js'
import { parseTicks } from '../log/ticks.js'
import type { Finding } from './finding.js'
import type { FoldCounts } from './fold.js'
import type { KeyUse } from './projection.js'

/** Raised when lines of another shape are written: parts of two formats are not merged. */
export const PART_FORMAT = 1

/** What the merge must know of a subject: what its own state tells, and its keys. Subjects with neither have no line. */
export interface SubjectLine {
  readonly type: 'subject'
  readonly subject: string
  /** Orders subjects by their first event in the whole log. */
  readonly ordinal: number
  /** The last revision read of each of its streams, as findings have it. */
  readonly revisions: Readonly<Record<string, Revision | null>>
  readonly findings: readonly Finding[]
  /** Its uses of keys that should be unique over all subjects. */
  readonly uses: readonly LineUse[]
  /** What repairable findings wait for; left out: for nothing. */
  readonly unmet?: readonly string[]
}

/** A use of a key under one of the projection's `sharedKeys`, named by its id. */
export interface LineUse {
  readonly rule: string
  readonly use: KeyUse
}

/** What was asked and counted; one a part. */
export interface PartLine {
  readonly type: 'part'
  readonly format: typeof PART_FORMAT
  readonly projection: string
  readonly version: string
  /** RFC 3339. */
  readonly now: string
  /** Whether ordinals are places in the whole log; else in this part. */
  readonly numbered: boolean
  /** The id of its first event, by which a part that comes twice is known; null where it has none. */
  readonly firstEvent: string | null
  readonly counts: FoldCounts & { readonly subjects: number }
  /** How many lines of subjects belong to it. */
  readonly lines: number
}

export type ResultLine = SubjectLine | PartLine

/** A line that is none of a result: why, for a person. */
export interface BrokenLine {
  readonly type: 'broken'
  readonly why: string
}

/** What an object must at least have to be merged; it is kept as it stands, fields that are not looked at included. */
function holding<T>(shape: z.ZodType, what: string): z.ZodType<T> {
  return z.custom<T>((value) => shape.safeParse(value).success, `expected ${what}`)
}

const count = z.int().min(0)
const finding = holding<Finding>(
  z.looseObject({ id: z.string(), rule: z.string(), subject: z.string(), disposition: z.string() }),
  'a finding',
)
const use = holding<KeyUse>(
  z.looseObject({ key: z.string(), opened: z.looseObject({ id: z.string() }) }),
  'a use of a key',
)
const revisions = holding<SubjectLine['revisions']>(z.record(z.string(), z.number().nullable()), 'revisions by stream')

const LINE = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('subject'),
    subject: z.string(),
    ordinal: count,
    revisions,
    findings: z.array(finding),
    uses: z.array(z.object({ rule: z.string(), use })),
    unmet: z.array(z.string()).optional(),
  }),
  z.object({
    type: z.literal('part'),
    format: z.literal(PART_FORMAT),
    projection: z.string(),
    version: z.string(),
    now: z.string().refine((text) => parseTicks(text) !== undefined, 'expected an RFC 3339 time'),
    numbered: z.boolean(),
    firstEvent: z.string().nullable(),
    counts: z.object({
      events: count,
      streams: count,
      subjects: count,
      undecodable: count,
      gaps: count,
      unattributable: count,
    }),
    lines: count,
  }),
])

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Reads a line, without its end. */
export function parseResultLine(bytes: Uint8Array): ResultLine | BrokenLine {
  let json: unknown
  try {
    json = JSON.parse(decoder.decode(bytes))
  } catch {
    return { type: 'broken', why: 'not valid JSON in UTF-8' }
  }
  const parsed = LINE.safeParse(json)
  if (parsed.success) return parsed.data as ResultLine
  const [issue] = parsed.error.issues
  const path = issue?.path.join('.')
  return { type: 'broken', why: `no result line: ${path ? `${path}: ` : ''}${issue?.message}` }
}
