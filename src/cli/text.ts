// Text of events on its way out: what an attacker or an accident wrote into an id must not move a cursor, forge a line or start a
// formula in a spreadsheet.

/** Controls, line and paragraph separators, and the marks that turn the writing direction. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

/** Text for a terminal: every unsafe character as `\u001b`. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Text cut to a width, the cut marked. */
export function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}

/** A value as JSON on one line, safe on a terminal: JSON leaves C1 controls and direction marks as they are. */
export function jsonLine(value: unknown): string {
  return escapeText(JSON.stringify(value))
}

/** A CSV cell (RFC 4180). One that a spreadsheet would take for a formula gets an apostrophe in front. */
export function csvCell(value: unknown): string {
  const text =
    typeof value === 'string' ? escapeText(value) : value === undefined || value === null ? '' : jsonLine(value)
  const safe = /^[=+\-@]/.test(text) && typeof value !== 'number' ? `'${text}` : text
  return /["',]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** What `--store` named, without user and password. */
export function withoutCredentials(where: string): string {
  return where.replace(/^(\s*[\w+]+:\/\/)[^?]*@/, '$1***@')
}
