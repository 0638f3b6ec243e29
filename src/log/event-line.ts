// The export format: one event as one line of JSON, and back. Nothing but the position is lost: JSON bytes are put into the line as they
// stand and cut out of it again by their offsets, everything else goes as base64.
import { z } from 'zod'
import { type ContentType, NO_BYTES, type RecordedEvent } from './event.js'
import { type PropertyText, propertiesOf } from './json-text.js'
import { parseQuickly } from './quick-event-line.js'
import { type Revision, TOMBSTONE_REVISION } from './revision.js'
import { formatTicks, isTime, parseTicks } from './ticks.js'

/** All of an event that a line carries: its place in the log is the line's own. */
export type LineEvent = Omit<RecordedEvent, 'position'>

/** What a line held, or why it holds no event (for a person, without the line's number). */
export type ParsedEventLine =
  | { readonly kind: 'event'; readonly event: LineEvent }
  | { readonly kind: 'broken'; readonly why: string }

/** The line of one event, without its line end. It never contains a line end, whatever the event holds. */
export function formatEventLine(event: LineEvent): string {
  const head = JSON.stringify({ stream: event.stream }).slice(0, -1)
  const rest = JSON.stringify({
    id: event.id,
    type: event.type,
    ...(event.created !== undefined && { created: formatTicks(event.created) }),
    contentType: event.contentType,
  }).slice(1, -1)
  const metadata = event.metadata.length === 0 ? '' : `,${formatBytes('metadata', event.metadata)}`
  return `${head},"revision":${formatRevision(event.revision)},${rest},${formatBytes('data', event.data)}${metadata}}`
}

/** Reads what {@link formatEventLine} wrote, also where other tools changed spacing or the order of fields. */
export function parseEventLine(line: string | Uint8Array): ParsedEventLine {
  const text = typeof line === 'string' ? line : textOf(line)
  if (text === undefined) return broken('not valid UTF-8')
  const event = parseQuickly(text)
  return event ? { kind: 'event', event } : parseThoroughly(text)
}

function parseThoroughly(text: string): ParsedEventLine {
  const json = parseJson(text)
  if (json === undefined) return broken('not valid JSON')
  const fields = FIELDS.safeParse(json)
  if (!fields.success) return broken(whyOf(fields.error))
  const properties = propertiesOf(text)
  const twice = properties.find(({ name }, index) => properties.findIndex((other) => other.name === name) < index)
  if (twice) return broken(`${twice.name}: is there twice`)
  return { kind: 'event', event: eventOf(fields.data, text, properties) }
}

type BytesName = 'data' | 'metadata'

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

const base64 = z.string().refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'expected base64')

const FIELDS = z
  .strictObject({
    stream: z.string().min(1),
    revision: z.number().refine(isRevision, 'expected a revision: 0, 1, 2, …'),
    id: z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'expected a UUID'),
    type: z.string(),
    created: z.string().refine(isTime, 'expected an RFC 3339 time').optional(),
    contentType: z.enum(['application/json', 'application/octet-stream'] satisfies ContentType[]),
    data: z.unknown().optional(),
    dataBase64: base64.optional(),
    metadata: z.unknown().optional(),
    metadataBase64: base64.optional(),
  })
  .refine((fields) => Object.hasOwn(fields, 'data') !== Object.hasOwn(fields, 'dataBase64'), {
    message: 'expected either data or dataBase64',
  })
  .refine((fields) => !(Object.hasOwn(fields, 'metadata') && Object.hasOwn(fields, 'metadataBase64')), {
    message: 'expected metadata or metadataBase64, not both',
  })

function eventOf(fields: z.infer<typeof FIELDS>, text: string, properties: readonly PropertyText[]): LineEvent {
  return {
    stream: fields.stream,
    revision: fields.revision,
    id: fields.id.toLowerCase(),
    type: fields.type,
    contentType: fields.contentType,
    data: bytesOf('data', fields.dataBase64, text, properties),
    metadata: bytesOf('metadata', fields.metadataBase64, text, properties),
    created: fields.created === undefined ? undefined : parseTicks(fields.created),
  }
}

function bytesOf(
  name: BytesName,
  encoded: string | undefined,
  text: string,
  properties: readonly PropertyText[],
): Uint8Array {
  if (encoded !== undefined) return Uint8Array.from(Buffer.from(encoded, 'base64'))
  const property = properties.find((candidate) => candidate.name === name)
  return property ? encoder.encode(text.slice(property.start, property.end)) : NO_BYTES
}

function formatBytes(name: BytesName, bytes: Uint8Array): string {
  const json = splicableJson(bytes)
  if (json !== undefined) return `"${name}":${json}`
  return `"${name}Base64":"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}"`
}

/** The bytes as text where that text, put into a line, can be cut out of it again byte by byte. */
function splicableJson(bytes: Uint8Array): string | undefined {
  const text = textOf(bytes)
  // White space around a value is not part of it, and a line end would end the event's line.
  if (text === undefined || /^[\t ]|[\t ]$|[\r\n]/.test(text)) return undefined
  return parseJson(text) === undefined ? undefined : text
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** The value of a JSON text; undefined, which no JSON text means, where it is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRevision(value: number): boolean {
  return (Number.isSafeInteger(value) && value >= 0) || value === TOMBSTONE_REVISION
}

function formatRevision(revision: Revision): string {
  // As on the wire; a double's shortest form of it would be another whole number.
  return revision === TOMBSTONE_REVISION ? '9223372036854775807' : String(revision)
}

function whyOf(error: z.ZodError): string {
  const [issue] = error.issues
  const path = issue?.path.join('.')
  return `${path ? `${path}: ` : ''}${issue?.message}`
}

function broken(why: string): ParsedEventLine {
  return { kind: 'broken', why }
}
