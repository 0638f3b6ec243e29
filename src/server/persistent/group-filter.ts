// The filter of a group over `$all`: in the protocol's messages, in the log, and at work.
import type persistent from '@eventstore/db-client/generated/persistent_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { type Filter, filterIn } from '../streams/event-filter.js'
import type { GroupFilter } from './group-definition.js'

type FilterOptions = persistent.CreateReq.AllOptions.FilterOptions

/** What a client asks for. Throws the status of a filter that cannot be used. */
export function groupFilterIn(options: FilterOptions): GroupFilter {
  // The two messages are one on the wire.
  filterIn(streams.ReadReq.Options.FilterOptions.deserializeBinary(options.serializeBinary()))
  const expression = options.hasStreamIdentifier() ? options.getStreamIdentifier() : options.getEventType()
  return {
    on: options.hasStreamIdentifier() ? 'stream' : 'type',
    regex: expression?.getRegex() ?? '',
    prefixes: expression?.getPrefixList() ?? [],
  }
}

export function filterOf({ on, regex, prefixes }: GroupFilter): Filter {
  const options = new streams.ReadReq.Options.FilterOptions().setCount(new shared.Empty())
  const expression = new streams.ReadReq.Options.FilterOptions.Expression().setRegex(regex).setPrefixList([...prefixes])
  return filterIn(on === 'stream' ? options.setStreamIdentifier(expression) : options.setEventType(expression))
}
