// What an event keeps of its former place where it is copied into a store that gives it another: marks in its metadata, beside what stands
// there. By them an import that was broken off finds out how far it came.
import { propertiesOf } from '../log/json-text.js'
import type { Revision } from '../log/revision.js'
import { formatTicks, type Ticks } from '../log/ticks.js'

/** When the event was first taken, RFC 3339. Names that begin with `$` are a server's own. */
export const CREATED_FIELD = 'makegood.created'
/** The revision that it had in the log from which it was copied last; only of events that were renumbered. */
export const REVISION_FIELD = 'makegood.revision'

/** What is to be kept; a revision only where it changes. */
export interface Marks {
  readonly created: Ticks | undefined
  readonly revision: Revision
  readonly isRenumbered: boolean
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The metadata with the marks in front of its other fields, which stay as they were byte for byte. The time of a copy's copy is the first
 * one's. Undefined where the metadata is no JSON object, and holds none.
 */
export function withMarks(metadata: Uint8Array, { created, revision, isRenumbered }: Marks): Uint8Array | undefined {
  if (created === undefined && !isRenumbered && !hasMark(metadata, REVISION_FIELD)) return metadata
  const text = metadata.length === 0 ? '{}' : objectText(metadata)
  if (text === undefined) return undefined
  const names = new Set(propertiesOf(text).map(({ name }) => name))
  const added = [
    ...(created !== undefined && !names.has(CREATED_FIELD) ? [`"${CREATED_FIELD}":"${formatTicks(created)}"`] : []),
    ...(isRenumbered && !names.has(REVISION_FIELD) ? [`"${REVISION_FIELD}":${revision}`] : []),
  ]
  return encoder.encode(withFields(withRevision(text, revision), added, names.size === 0))
}

/** Whether an event came here as a copy. */
export function isCopy({ metadata }: { readonly metadata: Uint8Array }): boolean {
  return hasMark(metadata, CREATED_FIELD) || hasMark(metadata, REVISION_FIELD)
}

/** The revision that an event was copied from; undefined where it was not renumbered. */
export function formerRevision({ metadata }: { readonly metadata: Uint8Array }): Revision | undefined {
  const text = objectText(metadata)
  const fields = text === undefined ? {} : (JSON.parse(text) as Record<string, unknown>)
  const revision = fields[REVISION_FIELD]
  return typeof revision === 'number' && Number.isSafeInteger(revision) ? revision : undefined
}

function hasMark(metadata: Uint8Array, field: string): boolean {
  const text = objectText(metadata)
  return text !== undefined && propertiesOf(text).some(({ name }) => name === field)
}

/** The text of a JSON object; undefined where the bytes are none. */
function objectText(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return undefined
  try {
    const text = decoder.decode(bytes)
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? text : undefined
  } catch {
    return undefined
  }
}

/** The revision of an earlier copy says nothing about this one's log. */
function withRevision(text: string, revision: Revision): string {
  return propertiesOf(text)
    .filter(({ name }) => name === REVISION_FIELD)
    .reduceRight((replaced, { start, end }) => replaced.slice(0, start) + revision + replaced.slice(end), text)
}

function withFields(text: string, fields: readonly string[], isEmpty: boolean): string {
  if (fields.length === 0) return text
  const place = text.indexOf('{') + 1
  return `${text.slice(0, place)}${fields.join(',')}${isEmpty ? '' : ','}${text.slice(place)}`
}
