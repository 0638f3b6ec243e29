// An exported line read quickly, where it is just as it was written: JSON data, names without escapes, nothing moved. Its values are cut out by
// their places and looked at once. Whatever else a line may be is not decided here (event-line.ts).
import { NO_BYTES, type RecordedEvent } from './event.js'
import { parseTicks } from './ticks.js'

const HEAD =
  /^\{"stream":"[^"\\\p{Cc}]+","revision":(?:0|[1-9]\d{0,14}),"id":"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}","type":"[^"\\\p{Cc}]*",(?:"created":"[^"\\\p{Cc}]+",)?"contentType":"application\/json","data":/u
const DATA = ',"data":'
const METADATA = ',"metadata":'

const encoder = new TextEncoder()

/** The event of a line; undefined where the line is not of that form. */
export function parseQuickly(text: string): Omit<RecordedEvent, 'position'> | undefined {
  const length = HEAD.exec(text)?.[0].length
  if (length === undefined || !text.endsWith('}')) return undefined
  // Texts that were parsed are their own; ones that are cut out would hold the whole line for as long as somebody keeps an id.
  const head = JSON.parse(`${text.slice(0, length - DATA.length)}}`) as Head
  const created = head.created === undefined ? undefined : parseTicks(head.created)
  const values = valuesFrom(text, length)
  if (!values || (head.created !== undefined && created === undefined)) return undefined
  const { stream, revision, id, type, contentType } = head
  const metadata = values.metadata === undefined ? NO_BYTES : encoder.encode(values.metadata)
  return { stream, revision, id, type, contentType, data: encoder.encode(values.data), metadata, created }
}

/** What the pattern lets through. */
type Head = Pick<RecordedEvent, 'stream' | 'revision' | 'id' | 'type' | 'contentType'> & { readonly created?: string }

/**
 * The texts of data and metadata. Where both sides of the last `,"metadata":` are whole values it stands between the two: were it inside of one, that
 * one would be cut. Where they are not, all of it may be data that has such a name inside.
 */
function valuesFrom(text: string, start: number): { data: string; metadata?: string } | undefined {
  const end = text.length - 1
  const between = text.lastIndexOf(METADATA)
  if (between > start) {
    const [data, metadata] = [text.slice(start, between), text.slice(between + METADATA.length, end)]
    if (isWhole(data) && isWhole(metadata)) return { data, metadata }
  }
  const data = text.slice(start, end)
  return isWhole(data) ? { data } : undefined
}

/** Whether a text is a JSON value with nothing around it. */
function isWhole(text: string): boolean {
  if (/^\s|\s$/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
