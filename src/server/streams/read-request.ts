// What a Read asks for. The one message holds four kinds of reading, and combinations that are none.
import streams from '@eventstore/db-client/generated/streams_pb.js'
import type { Direction } from '../../log/event-store.js'
import type { Position } from '../../log/position.js'
import type { Revision } from '../../log/revision.js'
import { handlerFailed, invalidArgument, oneofMissing } from '../status.js'
import { decodeMessage } from '../transport/message-reader.js'
import { type Filter, filterIn } from './event-filter.js'
import { streamNameIn } from './identifiers.js'
import type { UuidForm } from './uuids.js'

/** Start is undefined where the client left it out: a real server then gives nothing and ends. */
interface Reading<Start> {
  readonly start: Start | 'start' | 'end' | undefined
  readonly resolveLinks: boolean
  readonly uuidForm: UuidForm
}

interface Counted {
  readonly direction: Direction
  readonly maxCount: number
}

export type ReadRequest =
  | (Reading<Revision> &
      Counted & {
        readonly kind: 'stream'
        readonly stream: string
        /** Whether the client understands messages that tell where the stream begins and ends. */
        readonly tellEnds: boolean
      })
  | (Reading<Position> & Counted & { readonly kind: 'all'; readonly filter: Filter | undefined })
  | (Reading<Revision> & { readonly kind: 'streamSubscription'; readonly stream: string })
  | (Reading<Position> & { readonly kind: 'allSubscription'; readonly filter: Filter | undefined })

type Options = streams.ReadReq.Options

const { Options } = streams.ReadReq
const MAX_INT64 = 2n ** 63n - 1n
const MAX_UINT64 = 2n ** 64n - 1n

/** Throws the status of a request that asks for nothing that there is. */
export function readRequestIn(message: Uint8Array): ReadRequest {
  const options = decodeMessage(streams.ReadReq, message).getOptions()
  if (!options) throw handlerFailed()
  mustBeCombination(options)
  const common = { resolveLinks: options.getResolveLinks(), uuidForm: uuidFormIn(options) }
  return options.hasStream() ? streamRequest(options, common) : allRequest(options, common)
}

type Common = Pick<ReadRequest, 'resolveLinks' | 'uuidForm'>

function streamRequest(options: Options, common: Common): ReadRequest {
  const place = options.getStream()
  const stream = streamNameIn(place?.getStreamIdentifier())
  const start = revisionIn(place)
  if (options.hasSubscription()) return { kind: 'streamSubscription', stream, start, ...common }
  const tellEnds = (options.getControlOption()?.getCompatibility() ?? 0) >= 1
  return { kind: 'stream', stream, start, tellEnds, ...countedIn(options), ...common }
}

function allRequest(options: Options, common: Common): ReadRequest {
  const start = positionIn(options.getAll())
  const wanted = options.getFilter()
  const filter = wanted && filterIn(wanted)
  if (options.hasSubscription()) return { kind: 'allSubscription', start, filter, ...common }
  return { kind: 'all', start, filter, ...countedIn(options), ...common }
}

function countedIn(options: Options): Counted {
  const backwards = options.getReadDirection() === Options.ReadDirection.BACKWARDS
  return { direction: backwards ? 'backwards' : 'forwards', maxCount: Number(options.getCount()) }
}

function mustBeCombination(options: Options): void {
  const subject = options.hasStream() ? 'Stream' : options.hasAll() ? 'All' : undefined
  if (!subject) throw oneofMissing('Streams.ReadReq+Types+Options+StreamOptionOneofCase')
  const count = options.hasCount() ? 'Count' : options.hasSubscription() ? 'Subscription' : 'None'
  const direction = DIRECTIONS[options.getReadDirection()] ?? String(options.getReadDirection())
  const filter = options.hasFilter() ? 'Filter' : options.hasNoFilter() ? 'NoFilter' : 'None'
  const valid =
    count !== 'None' &&
    filter !== 'None' &&
    DIRECTIONS.includes(direction) &&
    !(count === 'Subscription' && direction === 'Backwards') &&
    !(subject === 'Stream' && filter === 'Filter')
  if (!valid) throw invalidArgument(`The combination of (${subject}, ${count}, ${direction}, ${filter}) is invalid.`)
}

const DIRECTIONS = ['Forwards', 'Backwards']

function uuidFormIn(options: Options): UuidForm {
  const option = options.getUuidOption()
  if (option?.hasString()) return 'string'
  if (option?.hasStructured()) return 'structured'
  throw invalidArgument('')
}

function revisionIn(
  options: streams.ReadReq.Options.StreamOptions | undefined,
): Revision | 'start' | 'end' | undefined {
  if (options?.hasStart()) return 'start'
  if (options?.hasEnd()) return 'end'
  if (!options?.hasRevision()) return undefined
  const revision = BigInt(options.getRevision())
  if (revision === MAX_UINT64) return 'end'
  if (revision > MAX_INT64) throw handlerFailed()
  return Number(revision)
}

function positionIn(options: streams.ReadReq.Options.AllOptions | undefined): Position | 'start' | 'end' | undefined {
  if (options?.hasStart()) return 'start'
  if (options?.hasEnd()) return 'end'
  const place = options?.getPosition()
  if (!place) return undefined
  const position = { commit: BigInt(place.getCommitPosition()), prepare: BigInt(place.getPreparePosition()) }
  if (position.commit === MAX_UINT64 && position.prepare === MAX_UINT64) return 'end'
  if (position.commit > MAX_INT64 || position.prepare > position.commit) throw handlerFailed()
  return position
}
