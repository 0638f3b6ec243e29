// An exported line read quickly, where it is just as it was written: JSON data, names without escapes, nothing moved. Its values are cut out by
// their places and looked at once. Whatever else a line may be is not decided here (event-line.ts).
import { NO_BYTES, type RecordedEvent } from './event.js'
import { parseTicks } from './ticks.js'

const HEAD =
  /^\{"stream":"([^"\\\p{Cc}]+)","revision":(0|[1-9]\d{0,14}),"id":"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})","type":"([^"\\\p{Cc}]*)",(?:"created":"([^"\\\p{Cc}]+)",)?"contentType":"application\/json","data":/u
const METADATA = ',"metadata":'

const encoder = new TextEncoder()

/** The event of a line; undefined where the line is not of that form. */
export function parseQuickly(text: string): Omit<RecordedEvent, 'position'> | undefined {
  const head = HEAD.exec(text)
  if (!head || !text.endsWith('}')) return undefined
  const [before, stream = '', revision, id = '', type = '', time] = head
  const created = time === undefined ? undefined : parseTicks(time)
  if (time !== undefined && created === undefined) return undefined
  const values = valuesFrom(text, before.length)
  if (!values) return undefined
  const { data, metadata } = values
  return {
    stream,
    revision: Number(revision),
    id,
    type,
    contentType: 'application/json',
    data: encoder.encode(data),
    metadata: metadata === undefined ? NO_BYTES : encoder.encode(metadata),
    created,
  }
}

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
