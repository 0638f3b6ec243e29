// One line of a log: whose transaction it is and what happened, or why it cannot be told. Whether text is JSON is JSON.parse's
// word; what JSON.parse hides (a key given twice, the digits of a number) is looked up in the text.
import { propertiesOf } from '../../log/json-text.js'
import { certainLiteralIn } from './certain-id.js'

/** What our own compensation lines say. */
export const TICKET_ISSUED = 'Ticket Issued'
const OWN_KEY = 'transaction_id'

export type TransactionLine =
  /** `isOwn`: we wrote it, so it is a ticket whatever types are asked for. */
  | { readonly kind: 'event'; readonly id: string; readonly type: string; readonly isOwn?: true }
  | { readonly kind: 'blank' }
  /** `id`: the transaction that it speaks of beyond doubt, though the line is broken. */
  | { readonly kind: 'broken'; readonly why: string; readonly id?: string }

// It passes over a byte-order mark, which stands inside a file that several were joined to.
const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads a line. `key` is the path to the transaction id, such as `['data', 'transactionId']`. */
export function readTransactionLine(bytes: Uint8Array, key: readonly string[]): TransactionLine {
  let text: string
  try {
    text = strictUtf8.decode(bytes)
  } catch {
    return { kind: 'broken', why: 'not valid UTF-8' }
  }
  if (/^[\t\r ]*$/.test(text)) return { kind: 'blank' }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    const id = certainIdIn(text, key)
    return { kind: 'broken', why: 'not valid JSON', ...(id !== undefined && { id }) }
  }
  return isObject(json) ? readObject(json, text, key) : { kind: 'broken', why: 'not a JSON object' }
}

function readObject(json: Record<string, unknown>, text: string, key: readonly string[]): TransactionLine {
  const isOwn = isOwnLine(json)
  const path = isOwn ? [OWN_KEY] : key
  const found = findId(json, text, path)
  if ('why' in found) return { kind: 'broken', ...found }
  const type = Object.hasOwn(json, 'event_type') ? json.event_type : undefined
  if (typeof type !== 'string' || type === '') {
    return { kind: 'broken', why: 'event_type is missing or no text', id: found.id }
  }
  return { kind: 'event', id: found.id, type, ...(isOwn && { isOwn }) }
}

/** A line that we wrote is understood whatever the key of the logs around it. */
function isOwnLine(json: Record<string, unknown>): boolean {
  return Object.keys(json).length === 2 && json.event_type === TICKET_ISSUED && typeof json[OWN_KEY] === 'string'
}

function findId(json: unknown, text: string, path: readonly string[]): { id: string } | { why: string } {
  const name = path.join('.')
  let value = json
  for (const part of path) {
    value = isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined
  }
  if (value === undefined) return { why: `${name} is missing` }
  if (typeof value !== 'string' && typeof value !== 'number') return { why: `${name} is neither text nor a number` }
  const flaw = typeof value === 'string' ? flawOf(value) : undefined
  if (flaw !== undefined) return { why: `${name} ${flaw}` }
  if (typeof value === 'string' && isPlain(text, path)) return { id: value }
  const literals = literalsAt(text, path)
  if (literals.length !== 1) return { why: `${name} is there ${literals.length} times` }
  return { id: idOfLiteral(literals[0] as string) }
}

/** Whether the text can hold the path's keys only once each: none of its names is there twice or can be spelled with escapes. */
function isPlain(text: string, path: readonly string[]): boolean {
  return path.every((part) => text.indexOf(`"${part}"`) === text.lastIndexOf(`"${part}"`)) && !text.includes('\\')
}

/**
 * What a valid text gives at a path, as written. Where a name of the path is there twice, whatever its values, so are the
 * texts: nobody can say which one was meant. It does not recurse, so that no depth of nesting overflows the stack.
 */
function literalsAt(text: string, path: readonly string[]): string[] {
  let values = [{ start: text.indexOf('{'), end: text.length }]
  for (const part of path) {
    const parent = values[0]
    if (parent === undefined || values.length > 1) break
    values = propertiesOf(text, parent.start).filter(({ name }) => name === part)
  }
  return values.map(({ start, end }) => text.slice(start, end))
}

/** Text by its value, a number by its digits: 42 and "42" are one id, and no digit of a long one is lost. */
function idOfLiteral(literal: string): string {
  return literal.startsWith('"') ? (JSON.parse(literal) as string) : literal
}

/** The id in a text that is no JSON, only where there is no doubt. */
function certainIdIn(text: string, path: readonly string[]): string | undefined {
  try {
    const literal = certainLiteralIn(text, path)
    const id = literal === undefined ? undefined : idOfLiteral(literal)
    return id === undefined || flawOf(id) !== undefined ? undefined : id
  } catch {
    // A literal that is none, or nesting too deep to look into: not certain.
    return undefined
  }
}

/** Why a text cannot be an id; undefined where it can. */
function flawOf(id: string): string | undefined {
  if (id === '') return 'is empty'
  // Ids that differ in such a half only would be the same bytes in every store.
  return /\p{Surrogate}/u.test(id) ? 'has half a surrogate pair' : undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
