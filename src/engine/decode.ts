// Decoding: stored bytes become a typed event, or an Undecodable that says why. Nothing is skipped: what cannot be read becomes
// a finding on its subject (engine rule `unknown-event`), because it could be the very event that seems to be missing.
import { isAscii } from 'node:buffer'
import type { z } from 'zod'
import type { RecordedEvent } from '../log/event.js'
import type { JsonObject } from './json.js'
import type { DecodedEvent, EventRef, Projection } from './projection.js'
import { ASK_ZOD, type QuickParse, quickParseOf } from './quick-parse.js'
import { lift } from './upcast.js'

/** What decoding and folding look at of an event: all but its place in the log. */
export type DecodableEvent = Omit<RecordedEvent, 'position'>

/** An event of the projection's categories that its schemas do not accept. */
export interface Undecodable extends EventRef {
  readonly type: string
  /** One line: which field, and what was expected. */
  readonly why: string
}

export type Decoding =
  | { readonly kind: 'decoded'; readonly event: DecodedEvent }
  | { readonly kind: 'undecodable'; readonly event: Undecodable }

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/** Decodes one event of a subject's stream by the projection's schema for its type (`*` where none is named). */
export function decode(
  event: DecodableEvent,
  { category, subject }: { category: string; subject: string },
  projection: Projection,
): Decoding {
  const { id, stream, revision, type } = event
  const undecodable = (why: string): Decoding => ({ kind: 'undecodable', event: { id, stream, revision, type, why } })
  const schema = schemaOf(projection, type)
  if (!schema) return undecodable(`${projection.name} knows no event type ${JSON.stringify(type)}`)
  if (event.contentType !== 'application/json') return undecodable(`expected JSON, found ${event.contentType}`)
  let json: unknown
  try {
    json = parseJson(event.data)
  } catch {
    return undecodable('its data is not valid JSON in UTF-8')
  }
  const lifting = lift(type, { data: json, metadata: () => parseMetadata(event.metadata) }, projection)
  if (lifting.kind === 'refused') return undecodable(lifting.why)
  const quick = parseQuickly(schema, lifting.data)
  if (quick !== ASK_ZOD) return { kind: 'decoded', event: new Decoded(event, category, subject, quick) }
  const parsed = parseBy(schema, lifting.data)
  if (parsed instanceof Error) return undecodable(`its schema failed: ${firstLine(parsed.message)}`)
  if (!parsed.success) return undecodable(describeIssue(parsed.error))
  return { kind: 'decoded', event: new Decoded(event, category, subject, parsed.data) }
}

function schemaOf({ events }: Projection, type: string): z.ZodType | undefined {
  if (Object.hasOwn(events, type)) return events[type]
  return Object.hasOwn(events, '*') ? events['*'] : undefined
}

const quickParsers = new WeakMap<z.ZodType, QuickParse>()

function parseQuickly(schema: z.ZodType, json: unknown): unknown {
  let parse = quickParsers.get(schema)
  if (!parse) {
    parse = quickParseOf(schema) ?? (() => ASK_ZOD)
    quickParsers.set(schema, parse)
  }
  try {
    return parse(json)
  } catch {
    return ASK_ZOD
  }
}

/** Throws where the bytes are no JSON in UTF-8. */
function parseJson(bytes: Uint8Array): unknown {
  // Most data is ASCII, of which a text is made several times as fast.
  if (!isAscii(bytes)) return JSON.parse(strictUtf8.decode(bytes))
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'))
}

/** A schema's own failure is a value here: data nested too deeply, or a check that throws, must not end a replay of everything else. */
function parseBy(schema: z.ZodType, json: unknown): z.ZodSafeParseResult<unknown> | Error {
  try {
    return schema.safeParse(json)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string
}

function describeIssue(error: z.ZodError): string {
  const [first] = error.issues
  if (!first) return 'its data does not fit the schema'
  const path = first.path.map(String).join('.')
  return path === '' ? first.message : `${path}: ${first.message}`
}

/** A decoded event. Its metadata is parsed when somebody asks for it: most folds never do. */
class Decoded implements DecodedEvent {
  readonly id: string
  readonly stream: string
  readonly revision: number
  readonly type: string
  readonly created: bigint | undefined
  readonly #metadata: Uint8Array

  constructor(
    event: DecodableEvent,
    readonly category: string,
    readonly subject: string,
    readonly data: unknown,
  ) {
    this.id = event.id
    this.stream = event.stream
    this.revision = event.revision
    this.type = event.type
    this.created = event.created
    this.#metadata = event.metadata
  }

  get metadata(): JsonObject {
    return parseMetadata(this.#metadata)
  }
}

/** Custom metadata as an object; empty where there is none or it is no JSON object. */
export function parseMetadata(bytes: Uint8Array): JsonObject {
  if (bytes.length === 0) return {}
  try {
    const json = parseJson(bytes)
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as JsonObject) : {}
  } catch {
    return {}
  }
}
