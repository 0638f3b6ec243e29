// Alerts as they are written: a finding that was opened, is still open, became urgent, or is resolved. One stream a rule,
// `makegood.alert-{rule}`, in which each of these stands once.
import { z } from 'zod'
import type { JsonObject } from '../engine/json.js'
import type { RecordedEvent } from '../log/event.js'
import { streamOf } from '../log/stream.js'

export const ALERT_CATEGORY = 'makegood.alert'

/** The events of an alert's stream, by what became of the alert. */
export const ALERT_EVENTS = {
  opened: 'AlertOpened',
  escalated: 'AlertEscalated',
  'still-open': 'AlertStillOpen',
  resolved: 'AlertResolved',
} as const
export type AlertChange = keyof typeof ALERT_EVENTS

const jsonObject = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))

const alert = z.object({
  /** The finding's id; for alerts about the watch or about many findings at once an id of their own. The same from opening to resolving. */
  id: z.string(),
  rule: z.string(),
  /** Of which the finding is; null where it is about many. */
  subject: z.string().nullable(),
  severity: z.int(),
  /** Since when it is so, RFC 3339, in the domain's own time. */
  since: z.string().nullable(),
  /** Why somebody must be woken; null where it can wait. */
  page: z.string().nullable(),
  /** The id of the outage alert that speaks for it; null where it speaks for itself. */
  group: z.string().nullable(),
  /** Kept of alerts that are about no single subject. */
  detail: jsonObject.optional(),
})

/** An alert that was opened and not resolved. */
export type Alert = z.infer<typeof alert>

const alertRecord = alert.extend({
  change: z.enum(Object.keys(ALERT_EVENTS) as [AlertChange, ...AlertChange[]]),
  /** The watch that says so. */
  watch: z.string(),
  /** When it says so, RFC 3339. */
  at: z.string(),
  /** Evidence and whatever a person wants to see. */
  detail: jsonObject,
})

/** One line about an alert: what is printed, sent and kept. */
export type AlertRecord = z.infer<typeof alertRecord>

export const openAlert = alert

/** Rules of the watch itself: they are about the log or the watch, not about one subject. */
export const OWN_RULES = {
  /** Many findings of one rule at once. */
  outage: 'outage',
  /** What begins deliveries comes, and what ends them does not. */
  deliveryStopped: 'delivery-stopped',
  /** The watch itself cannot keep up, or cannot read. */
  lag: 'watch-lag',
  /** Repairing by policy has stopped, and goes on only when it is started again. */
  repairStopped: 'repair-stopped',
} as const

export function alertStreamOf(rule: string): string {
  return streamOf(ALERT_CATEGORY, rule)
}

/** The record that an event of an alert's stream holds. Throws ZodError where it holds none. */
export function alertRecordIn({ data }: RecordedEvent): AlertRecord {
  return alertRecord.parse(JSON.parse(new TextDecoder().decode(data)))
}
