// Reading over as many calls as it takes: a call that breaks off is made again from where the reading stands, on the node that leads by then.
import { StoreUnavailableError } from '../../log/store-errors.js'
import type { Cluster, Purpose } from './cluster.js'
import { isTransient } from './errors.js'
import type { Node } from './node.js'
import { Patience } from './patience.js'
import { CallError, connectionLost } from './wire/call-error.js'
import { ReadDecoder, type ReadItem } from './wire/read-decoder.js'

/** What readings work with. */
export interface ReadContext {
  readonly cluster: Cluster
  /** For messages: which server, without secrets. */
  readonly server: string
  /** How long a reading may find nobody who goes on with it. */
  readonly outageMsMax: number
  /** How long a server may take to say the next thing. A filtered reading can be silent for as long as nothing matches. */
  readonly silenceMsMax: number
  /** Aborted when the store is closed. */
  readonly closing: AbortSignal
}

/** What calls give, and between them: `ended` where the server says that was all, `cut` where a call broke off. */
export type Reading<Item = ReadItem> = Item | { readonly kind: 'ended' } | { readonly kind: 'cut' }

/** Makes items of the bytes of one call. Throws CallError and MalformedMessageError. */
export interface Decoder<Item> {
  push(chunk: Buffer): readonly Item[]
  /** Whether a message was begun and is not whole yet. */
  readonly isWithinMessage: boolean
}

export interface ReadOnOptions {
  /** What is to be asked next, from what was read so far. */
  readonly request: () => Uint8Array
  /** How far the reading has come: a server that gives the same again and again is as good as none. Left out: any answer is a sign of life. */
  readonly progress?: () => number
  readonly purpose: Purpose
  readonly signal?: AbortSignal | undefined
  /** A subscription: it never ends, and may be silent once it stands. */
  readonly live?: boolean
}

const ENDED = { kind: 'ended' } as const
const CUT = { kind: 'cut' } as const

/** All events that come, and what the server says between them. See readItems. */
export function readOn(context: ReadContext, options: ReadOnOptions): AsyncGenerator<Reading, never, undefined> {
  return readItems(context, options, () => new ReadDecoder())
}

/**
 * All that comes, until the consumer leaves. Who goes on after `ended` asks again for what is missing. Throws CallError on an answer that asking
 * again cannot better, or after too long an outage; the signal's reason once that is aborted; StoreUnavailableError once the store is closed.
 */
export async function* readItems<Item>(
  context: ReadContext,
  options: ReadOnOptions,
  newDecoder: () => Decoder<Item>,
): AsyncGenerator<Reading<Item>, never, undefined> {
  const { outageMsMax } = context
  const patience = new Patience({ outageMsMax, signal: options.signal })
  let reached = options.progress?.()
  for (;;) {
    options.signal?.throwIfAborted()
    mustBeOpen(context)
    let trouble = connectionLost('it ends readings before their end')
    try {
      for await (const item of itemsOfCall(context, options, newDecoder())) {
        yield item
        const isFurther = !options.progress || options.progress() !== reached
        if (isFurther) patience.reward()
        reached = options.progress?.()
      }
      yield ENDED
    } catch (error) {
      trouble = transientIn(error, context)
      yield CUT
    }
    await patience.bear(trouble)
  }
}

async function* itemsOfCall<Item>(
  { cluster, silenceMsMax }: ReadContext,
  { request, purpose, signal, live }: ReadOnOptions,
  decoder: Decoder<Item>,
): AsyncGenerator<Item, void, undefined> {
  let node: Node | undefined
  let leave: () => void = () => undefined
  try {
    node = await cluster.node(purpose)
    const requiresLeader = cluster.needsLeader(purpose)
    const call = await node.read(request(), { silenceMs: silenceMsMax, requiresLeader, signal })
    leave = () => call.leave()
    for (let chunk = await call.read(); chunk; chunk = await call.read()) {
      const items = decoder.push(chunk)
      if (live && items.length > 0) call.allowSilence()
      yield* items
    }
    if (decoder.isWithinMessage) throw connectionLost('The answer ends within a message')
  } catch (error) {
    if (node && error instanceof CallError) cluster.failed(node, error)
    throw error
  } finally {
    leave()
  }
}

/** The failure of a call that may be made again. Throws every other. */
function transientIn(error: unknown, context: ReadContext): CallError {
  mustBeOpen(context)
  if (error instanceof CallError && isTransient(error)) return error
  throw error
}

function mustBeOpen({ closing }: ReadContext): void {
  if (closing.aborted) throw new StoreUnavailableError('The store is closed')
}
