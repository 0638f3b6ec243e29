// Which events of the log a reading wants: by prefixes or an expression, on their stream's name or their type. Expressions run in
// linear time, whatever they are.
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { RE2JS } from 're2js'
import { handlerFailed, invalidArgument, oneofMissing } from '../status.js'
import { type Given, typeOf } from './event-encoder.js'

/** Records in a window where the client leaves it to the server. */
const DEFAULT_WINDOW = 32

/** How many names an expression's answers are remembered for. */
const REMEMBERED_MAX = 10_000

/** An expression's size, as written and as compiled: each name costs its length times the latter. */
const EXPRESSION_CHARACTERS_MAX = 4_096
const PROGRAM_SIZE_MAX = 20_000

export interface Filter {
  readonly wants: (event: Given) => boolean
  /** Where a filter is nothing but prefixes of streams' names: these. A store can then pass over the others by itself. */
  readonly streamPrefixes: readonly string[] | undefined
  /** So many records are looked at as one, matching or not. */
  readonly window: number
  /** A subscription is told where it is every so many windows; 0: never. */
  readonly checkpointWindows: number
}

type FilterOptions = streams.ReadReq.Options.FilterOptions

/** Throws the status of a filter that cannot be used. */
export function filterIn(options: FilterOptions): Filter {
  const window = windowIn(options)
  const checkpointWindows = options.getCheckpointintervalmultiplier()
  const onStream = options.hasStreamIdentifier()
  const expression = onStream ? options.getStreamIdentifier() : options.getEventType()
  const regex = expression?.getRegex() ?? ''
  const prefixes = expression?.getPrefixList() ?? []
  const matches = regex === '' ? startsWithOneOf(prefixes) : remembering(matcherOf(regex))
  return {
    wants: onStream ? ({ stream }) => matches(stream) : (event) => matches(typeOf(event)),
    streamPrefixes: onStream && regex === '' ? prefixes : undefined,
    window,
    checkpointWindows,
  }
}

function windowIn(options: FilterOptions): number {
  switch (options.getWindowCase()) {
    case streams.ReadReq.Options.FilterOptions.WindowCase.MAX:
      if (options.getMax() > 0) return options.getMax()
      // A real server never ends such a reading.
      throw invalidArgument('The maximum search window must be greater than 0')
    case streams.ReadReq.Options.FilterOptions.WindowCase.COUNT:
      return DEFAULT_WINDOW
    default:
      throw oneofMissing('Streams.ReadReq+Types+Options+Types+FilterOptions+WindowOneofCase')
  }
}

function startsWithOneOf(prefixes: readonly string[]): (text: string) => boolean {
  return (text) => prefixes.some((prefix) => text.startsWith(prefix))
}

function matcherOf(regex: string): (text: string) => boolean {
  if (regex.length > EXPRESSION_CHARACTERS_MAX) {
    throw invalidArgument(`The expression is longer than ${EXPRESSION_CHARACTERS_MAX} characters`)
  }
  const expression = compile(regex)
  if (expression.programSize() > PROGRAM_SIZE_MAX) throw notSupported(regex, 'it is too large')
  return (text) => expression.matcher(text).find()
}

function compile(regex: string): RE2JS {
  try {
    return RE2JS.compile(regex)
  } catch {
    throw isExpression(regex)
      ? notSupported(
          regex,
          'it has look-around or back-references, which cannot be matched in linear time, or is too large',
        )
      : handlerFailed()
  }
}

function notSupported(regex: string, why: string) {
  return invalidArgument(`The expression ${JSON.stringify(regex)} is not supported: ${why}`)
}

/** Whether it is an expression at all. It is only parsed, never run. */
function isExpression(regex: string): boolean {
  try {
    new RegExp(regex)
    return true
  } catch {
    return false
  }
}

function remembering(matches: (text: string) => boolean): (text: string) => boolean {
  const known = new Map<string, boolean>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    if (known.size >= REMEMBERED_MAX) known.clear()
    const answer = matches(text)
    known.set(text, answer)
    return answer
  }
}
