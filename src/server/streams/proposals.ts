// Events as clients propose them.
import type streams from '@eventstore/db-client/generated/streams_pb.js'
import type { ContentType, ProposedEvent } from '../../log/event.js'
import { handlerFailed, requiredMetadataMissing } from '../status.js'
import { uuidIn } from './uuids.js'

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
