// How the simulator behaves: its settings, and the misfortunes they bring upon one question. Each is drawn from the seed, the key and
// the count of questions under that key, so it does not depend on who asks first.
import { createHash } from 'node:crypto'
import { z } from 'zod'

const rate = z.number().min(0).max(1).default(0)

export const behaviourSchema = z.strictObject({
  seed: z.int().default(1),
  /** How long a question is thought about. */
  latencyMs: z.int().min(0).default(0),
  /** Of the keys: refused for good, code `FARE_NOT_VALID`. */
  refusalRate: rate,
  /** Refused whenever asked for; without a passenger the whole booking. */
  refusals: z
    .array(
      z.strictObject({
        bookingId: z.string(),
        passengerId: z.string().optional(),
        code: z.string().min(1),
        retryable: z.boolean().default(false),
      }),
    )
    .default([]),
  /** Of the questions: done, and then the connection is cut before the answer. */
  lostRate: rate,
  /** Of the questions: done, and answered with nonsense. */
  garbageRate: rate,
  /** Of the questions: done, and never answered. */
  hangRate: rate,
})

/** Settings; everything may be left out. Rates are between 0 and 1. */
export type BehaviourOptions = z.input<typeof behaviourSchema>
export type Behaviour = z.output<typeof behaviourSchema>

export interface Question {
  readonly call: 'lookup' | 'issue'
  readonly key: string
  readonly bookingId: string
  readonly passengerId?: string | undefined
  readonly documentType?: string | undefined
  /** How many the ticket is for; 0: not told. */
  readonly segments: number
}

/** What becomes of the answer. */
export type Delivery = 'answered' | 'lost' | 'garbage' | 'hang'

/** `times`: how often something was asked under this key, this question included. */
export function deliveryOf(
  { seed, lostRate, garbageRate, hangRate }: Behaviour,
  { call, key }: Question,
  times: number,
) {
  const drawn = draw(seed, 'delivery', call, key, String(times))
  if (drawn < lostRate) return 'lost'
  if (drawn < lostRate + garbageRate) return 'garbage'
  return drawn < lostRate + garbageRate + hangRate ? 'hang' : 'answered'
}

/** Why an issue is refused; undefined where it is not. */
export function refusalOf(
  { seed, refusalRate, refusals }: Behaviour,
  { key, bookingId, passengerId }: Question,
): { readonly code: string; readonly retryable: boolean } | undefined {
  const named = refusals.find(
    (refusal) => refusal.bookingId === bookingId && (refusal.passengerId ?? passengerId) === passengerId,
  )
  if (named) return { code: named.code, retryable: named.retryable }
  return draw(seed, 'refusal', key) < refusalRate ? { code: 'FARE_NOT_VALID', retryable: false } : undefined
}

/** A number in [0, 1) that the seed and the words determine. */
export function draw(seed: number, ...words: readonly string[]): number {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, ...words]))
    .digest()
  return digest.readUInt32BE(0) / 2 ** 32
}
