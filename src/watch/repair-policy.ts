// The policy of a watch that repairs by itself: what it may repair, how much an hour, and when not. Without such a file nothing is repaired, and
// a field that is not known is refused by its name: a limit with a slip of the pen must not be no limit.
import { z } from 'zod'

const minorByCurrency = z.record(z.string().regex(/^[A-Z]{3}$/, 'expected a currency such as EUR'), z.int().min(0))

const repairPolicy = z.strictObject({
  /** Findings of these rules only. */
  rules: z.array(z.string()).min(1),
  /** Who answers for it: stands as the approver in every campaign. */
  approver: z.string().min(1),
  /** At most this many items in any hour, over restarts too. */
  itemsPerHour: z.int().min(1),
  /** At most this much in any hour, in minor units; a currency that is not named is not repaired. */
  valuePerHour: minorByCurrency,
  /** A dearer item is left for a person. */
  valuePerItem: minorByCurrency.optional(),
  /** Once this many items failed within an hour it stops until it is started again. */
  errorBudget: z.int().min(1).default(3),
  /** `FROM/TO`, two RFC 3339 times: nothing is repaired in between. */
  freeze: z.array(z.string()).default([]),
  /** Nothing is repaired while this file exists. */
  killSwitch: z.string().optional(),
})

export type RepairPolicy = z.infer<typeof repairPolicy>

/** A policy file that cannot be used: which field, and why. */
export class RepairPolicyError extends Error {
  override readonly name = 'RepairPolicyError'
}

/** Reads a policy. Throws RepairPolicyError; `rules` are those that can be repaired. */
export function parseRepairPolicy(text: string, repairable: readonly string[]): RepairPolicy {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new RepairPolicyError('not JSON')
  }
  const parsed = repairPolicy.safeParse(json)
  if (!parsed.success) throw new RepairPolicyError(describe(parsed.error))
  const unknown = parsed.data.rules.find((rule) => !repairable.includes(rule))
  if (unknown === undefined) return parsed.data
  throw new RepairPolicyError(`rules: ${unknown} is no rule that may be repaired; there are ${repairable.join(', ')}`)
}

function describe(error: z.ZodError): string {
  const [issue] = error.issues
  if (issue?.code === 'unrecognized_keys') return `unknown field ${issue.keys.join(', ')}`
  const path = issue?.path.map(String).join('.') ?? ''
  return path === '' ? String(issue?.message) : `${path}: ${issue?.message}`
}

/** An amount in integer minor units. */
export interface Value {
  readonly currency: string
  readonly amountMinor: number
}

/** Whether an item may be repaired by itself at all. Work without a value is bounded by the number of items alone. */
export function isWithin({ valuePerHour, valuePerItem }: RepairPolicy, value: Value | undefined): boolean {
  if (!value) return true
  const { currency, amountMinor } = value
  if (!Object.hasOwn(valuePerHour, currency)) return false
  return amountMinor <= (valuePerItem?.[currency] ?? Number.POSITIVE_INFINITY)
}
