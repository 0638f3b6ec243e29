// A consumer of a group over as many calls as it takes: when one breaks off, it joins again. What it had not answered by then the server gives
// again, to whomever it likes, so nothing of a former call is answered in a later one.
import type { Delivery, GroupMessage, GroupName, NackAction } from '../../log/consumer-group.js'
import { isTransient, readingError } from './errors.js'
import { groupRefusalIn, isDropped, isFull } from './group-errors.js'
import type { Node } from './node.js'
import { Patience } from './patience.js'
import type { ReadContext } from './read-call.js'
import { CallError, connectionLost } from './wire/call-error.js'
import { GroupDecoder } from './wire/group-decoder.js'
import { ackRequest, GROUP_PATHS, joinRequest, nackRequest } from './wire/group-requests.js'
import type { ServerCall } from './wire/server-call.js'

/** Ids of one answer: servers take messages of a few megabytes, and an id is 40 bytes. */
const IDS_MAX = 2_000

const LEFT: GroupMessage = { kind: 'left' }

export class Consuming {
  readonly #context: ReadContext
  readonly #name: GroupName
  readonly #heldMax: number
  /** The call in which each event was given. */
  readonly #calls = new WeakMap<Delivery, ServerCall>()

  constructor(context: ReadContext, name: GroupName, heldMax: number) {
    this.#context = context
    this.#name = name
    this.#heldMax = heldMax
  }

  ack(deliveries: readonly Delivery[]): void {
    this.#answer(deliveries, ackRequest)
  }

  nack(deliveries: readonly Delivery[], action: NackAction, reason: string): void {
    this.#answer(deliveries, (ids) => nackRequest(ids, action, reason))
  }

  /** GroupConsumer.messages. Ends when the signal is aborted. */
  async *messages(signal: AbortSignal): AsyncGenerator<GroupMessage, void, undefined> {
    const patience = new Patience({ outageMsMax: this.#context.outageMsMax, signal })
    try {
      for (;;) {
        let trouble = connectionLost('it ends consumers without a word')
        let joined = false
        try {
          for await (const message of this.#messagesOfCall(signal)) {
            joined = true
            patience.reward()
            yield message
          }
        } catch (error) {
          trouble = bearable(error)
        }
        if (joined) yield LEFT
        await patience.bear(trouble)
      }
    } catch (error) {
      if (signal.aborted) return
      throw groupRefusalIn(error, this.#name) ?? readingError(error, this.#context.server)
    }
  }

  async *#messagesOfCall(signal: AbortSignal): AsyncGenerator<GroupMessage, void, undefined> {
    const { cluster, silenceMsMax: silenceMs } = this.#context
    let node: Node | undefined
    let call: ServerCall | undefined
    // The signal is not given to the call itself, which would drop the answers that are on their way.
    const leave = () => void call?.finish()
    try {
      node = await cluster.node('deciding')
      const options = { silenceMs, requiresLeader: true, open: true }
      call = await node.begin(GROUP_PATHS.read, joinRequest(this.#name, this.#heldMax), options)
      signal.addEventListener('abort', leave, { once: true })
      if (!signal.aborted) yield* this.#messagesIn(call)
    } catch (error) {
      if (node && error instanceof CallError) cluster.failed(node, error)
      throw error
    } finally {
      signal.removeEventListener('abort', leave)
      await call?.finish()
    }
  }

  async *#messagesIn(call: ServerCall): AsyncGenerator<GroupMessage, void, undefined> {
    const decoder = new GroupDecoder()
    for (let chunk = await call.read(); chunk; chunk = await call.read()) {
      for (const item of decoder.push(chunk)) {
        call.allowSilence()
        if (item.kind === 'deliveries') for (const delivery of item.deliveries) this.#calls.set(delivery, call)
        yield item
      }
    }
  }

  #answer(deliveries: readonly Delivery[], request: (ids: readonly string[]) => Uint8Array): void {
    for (const [call, ids] of this.#idsByCall(deliveries)) {
      for (let start = 0; start < ids.length; start += IDS_MAX) call.write(request(ids.slice(start, start + IDS_MAX)))
    }
  }

  #idsByCall(deliveries: readonly Delivery[]): Map<ServerCall, string[]> {
    const ids = new Map<ServerCall, string[]>()
    for (const delivery of deliveries) {
      const call = this.#calls.get(delivery)
      if (!call) continue
      const ofCall = ids.get(call) ?? []
      ofCall.push(delivery.event.id)
      ids.set(call, ofCall)
    }
    return ids
  }
}

/** The failure of a call after which it may join again. Throws every other. */
function bearable(error: unknown): CallError {
  if (error instanceof CallError && (isTransient(error) || isDropped(error) || isFull(error))) return error
  throw error
}
