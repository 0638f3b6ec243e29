// What `watch` prints: one line a change of an alert, one an item of a repair.
import type { AlertRecord } from '../watch/alert.js'
import type { Row } from './output.js'
import { escapeText, jsonLine } from './text.js'

/** An item of a repair, for a person. */
export function repairLineOf({ outcome, stream, subject, why }: Row): string {
  return escapeText(`repair: ${outcome} ${stream} (${subject}${why === undefined ? '' : `, ${why}`})`)
}

/** That the checkpoint's present is so many milliseconds ahead of the clock. */
export function aheadWarning(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return `the checkpoint was saved at a time ${seconds} s ahead of the clock; rules go by that time until the clock is there. --from start goes by the clock\n`
}

/** An alert as a line of ndjson, in the order of fields that scripts rely on. */
export function jsonOf(record: AlertRecord): string {
  const { change, id, rule, subject, ...rest } = record
  return jsonLine({ type: 'alert', change, id, rule, subject, ...rest })
}

/** An alert for a person. */
export function lineOf({ at, change, rule, subject, severity, page, group, since, id }: AlertRecord): string {
  const about = subject ?? 'the log'
  const marks = [page === null ? undefined : `WAKE SOMEBODY: ${page}`, group === null ? undefined : 'part of an outage']
  const notes = [`severity ${severity}`, since === null ? undefined : `since ${since}`, ...marks, id]
  return escapeText(`${at} ${change} ${rule}: ${about} (${notes.filter((note) => note !== undefined).join(', ')})`)
}
