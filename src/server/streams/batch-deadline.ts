// By when a batch wants its answer. Clients say it as a point in time or, since 21.10, as a duration; the generated classes do not know
// the latter, so it is read from the request's bytes.
import type streams from '@eventstore/db-client/generated/streams_pb.js'
import { MessageReader, readOrRefuse } from '../transport/message-reader.js'

const OPTIONS_FIELD = 2
const DURATION_FIELD = 7
const SECONDS_FIELD = 1
const NANOS_FIELD = 2

/** Milliseconds from now, negative where it has passed; undefined where the client does not say. `bytes` is the request that held the options. */
export function msUntilDeadline(
  options: streams.BatchAppendReq.Options,
  bytes: Uint8Array,
  now: number = Date.now(),
): number | undefined {
  const time = options.getDeadline()
  if (time) return time.getSeconds() * 1_000 + time.getNanos() / 1e6 - now
  return readOrRefuse(() => {
    const field = subMessage(subMessage(bytes, OPTIONS_FIELD), DURATION_FIELD)
    return field && durationMs(field)
  })
}

function durationMs(bytes: Uint8Array): number {
  const reader = new MessageReader(bytes)
  let [seconds, nanos] = [0, 0]
  while (reader.nextField()) {
    if (reader.getFieldNumber() === SECONDS_FIELD) seconds = reader.readInt64()
    else if (reader.getFieldNumber() === NANOS_FIELD) nanos = reader.readInt32()
    else reader.skipField()
  }
  return seconds * 1_000 + nanos / 1e6
}

/** The bytes of a message within a message. */
function subMessage(bytes: Uint8Array | undefined, field: number): Uint8Array | undefined {
  if (!bytes) return undefined
  const reader = new MessageReader(bytes)
  while (reader.nextField()) {
    if (reader.getFieldNumber() === field && !reader.isEndGroup()) return reader.readBytes()
    reader.skipField()
  }
  return undefined
}
