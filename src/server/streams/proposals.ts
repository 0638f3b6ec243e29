// Events as clients propose them.
import type streams from '@eventstore/db-client/generated/streams_pb.js'
import type { ContentType, ProposedEvent } from '../../log/event.js'
import { handlerFailed, messageTooLarge, requiredMetadataMissing } from '../status.js'
import { uuidIn } from './uuids.js'

/** Beside the data that one append may hold, a call may have sent so much of appends that are not complete. */
const UNFINISHED_BYTES_MAX = 64 * 1024 * 1024
/** What an event costs beside its bytes. */
const EVENT_OVERHEAD_BYTES = 256

/** Counts what a call has sent of appends that are not complete: names and metadata too, which the size of an append leaves out. */
export class Unfinished {
  readonly #max: number
  #bytes = 0

  constructor(maxAppendBytes: number) {
    this.#max = UNFINISHED_BYTES_MAX + maxAppendBytes
  }

  /** Takes a message of so many bytes with so many events, and gives what it counts. Throws the status of too much. */
  take(bytes: number, events: number): number {
    const counted = bytes + events * EVENT_OVERHEAD_BYTES
    this.#bytes += counted
    if (this.#bytes > this.#max) throw messageTooLarge()
    return counted
  }

  release(counted: number): void {
    this.#bytes -= counted
  }
}

/** Throws the status of an event without a UUID, a type or a content type. */
export function proposedEventIn(
  message: streams.AppendReq.ProposedMessage | streams.BatchAppendReq.ProposedMessage,
): ProposedEvent {
  const id = uuidIn(message.getId())
  if (id === undefined) throw handlerFailed()
  const metadata = message.getMetadataMap()
  return {
    id,
    type: required('type', metadata.get('type')),
    contentType: contentTypeOf(required('content-type', metadata.get('content-type'))),
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  }
}

function required(property: string, value: string | undefined): string {
  if (value === undefined) throw requiredMetadataMissing(property)
  return value
}

/** Only JSON keeps its name. */
function contentTypeOf(text: string): ContentType {
  return text === 'application/json' ? text : 'application/octet-stream'
}
