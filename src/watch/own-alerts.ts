// Alerts that are about no single subject: each is open as long as its condition is true, and told once when it begins and when it ends.
import type { JsonObject } from '../engine/json.js'
import type { Alert } from './alert.js'
import type { AlertLog } from './alert-log.js'
import type { OwnAppend } from './own-stream.js'
import type { Publisher } from './publisher.js'

/** What is wrong with the watch or with the whole log. */
export interface OwnCondition {
  /** In milliseconds since the Unix epoch. */
  readonly since: number
  /** Why somebody must be woken. */
  readonly page: string
  readonly detail: JsonObject
}

/** Opens, keeps or resolves the alert of a rule of the watch's own, by whether its condition is there. */
export async function ensureAlert(
  rule: string,
  condition: OwnCondition | undefined,
  { alerts, publisher, newId, now }: { alerts: AlertLog; publisher: Publisher; newId: () => string; now: number },
): Promise<OwnAppend> {
  const open = alerts.alertsOf(null).find((alert) => alert.rule === rule)
  if (condition && !open) {
    const { since, page, detail } = condition
    const alert: Alert = { id: newId(), rule, subject: null, severity: 1, since: iso(since), page, group: null }
    return publisher.tell([{ change: 'opened', alert, detail }], now)
  }
  if (!condition && open) {
    return publisher.tell([{ change: 'resolved', alert: open, detail: open.detail ?? {} }], now)
  }
  return 'appended'
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
