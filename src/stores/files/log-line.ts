// One line of a log: which transaction, what type, or why it cannot be told. JSON.parse decides what is valid; the text itself is looked
// at for what JSON.parse loses: the digits of a number, and a name that is there twice.
import { type PropertyText, propertiesOf } from '../../log/json-text.js'
import { examineBrokenText } from './broken-line.js'
import { DEFAULT_KEY, type LogKey } from './log-key.js'

/** What a line says. */
export type LineReading =
  | {
      readonly kind: 'entry'
      /** The text of a string, or the literal of a number as written: 42 and "42" are one transaction. */
      readonly transactionId: string
      readonly type: string
      /** A compensation in the form that Makegood writes: a ticket whatever types are asked for. */
      readonly isCompensation: boolean
    }
  /** `transactionId`: whose it is all the same, where that is certain. */
  | { readonly kind: 'broken'; readonly why: string; readonly transactionId?: string }

/** The type of the lines that Makegood writes. */
export const TICKET_ISSUED = 'Ticket Issued'

/** Reads one line, without its line end. `log`: compensations of ours are looked for among tickets only. */
export function readLogLine(bytes: Uint8Array, { key, log }: { key: LogKey; log: 'payment' | 'ticket' }): LineReading {
  const text = textOf(bytes)
  if (text === undefined) return broken('not valid UTF-8')
  const json = parseJson(text)
  if (json === undefined) {
    const { column, transactionId } = examineBrokenText(text, key)
    return broken(column === undefined ? 'not valid JSON' : `not valid JSON at column ${column}`, transactionId)
  }
  if (!isObject(json)) return broken('not a JSON object')
  const isCompensation = log === 'ticket' && isCompensationLine(json)
  const id = readId(text, json, isCompensation ? DEFAULT_KEY : key)
  if (id.why !== undefined) return broken(id.why)
  const type = Object.hasOwn(json, 'event_type') ? json.event_type : undefined
  if (typeof type !== 'string') {
    return broken(type === undefined ? 'event_type is missing' : 'event_type is not a string', id.transactionId)
  }
  // No home of the log takes an event without a type.
  if (type === '') return broken('event_type is empty', id.transactionId)
  return { kind: 'entry', transactionId: id.transactionId, type, isCompensation }
}

/** Why this text cannot be a transaction's id; undefined where it can. */
export function flawOfId(id: string): string | undefined {
  if (id === '') return 'is empty'
  // Two ids that differ in such a half only would be the same bytes in every store.
  return /\p{Surrogate}/u.test(id) ? 'has half of a surrogate pair' : undefined
}

type JsonObject = Record<string, unknown>
type IdReading =
  | { readonly why: string; readonly transactionId?: never }
  | { readonly transactionId: string; readonly why?: never }

function readId(text: string, json: JsonObject, key: LogKey): IdReading {
  const value = valueAt(json, key.path)
  const literal = typeof value === 'string' && isPlainlyOnce(text, key) ? value : literalAt(text, json, key)
  if (literal === 'twice') return { why: `${key.text} is there twice` }
  if (value === undefined) return { why: `${key.text} is missing` }
  if (literal === undefined) return { why: `${key.text} is ${kindOf(value)}: expected a string or a number` }
  const flaw = flawOfId(literal)
  return flaw === undefined ? { transactionId: literal } : { why: `${key.text} ${flaw}` }
}
