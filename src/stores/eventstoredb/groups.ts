// Consumer groups of an EventStoreDB: asked for over connections of our own, since the official client cannot name every strategy. Groups live on the
// leader, so that is who is asked.
import persistent from '@eventstore/db-client/generated/persistent_pb.js'
import {
  type ConsumerGroups,
  type GroupConsumer,
  type GroupInfo,
  type GroupName,
  GroupRefusedError,
  type GroupSettings,
} from '../../log/consumer-group.js'
import { leavable } from '../subscription.js'
import { Consuming } from './consuming.js'
import { isTransient, readingError } from './errors.js'
import { groupRefusalIn } from './group-errors.js'
import type { Node } from './node.js'
import { Patience } from './patience.js'
import type { ReadContext } from './read-call.js'
import { CallError } from './wire/call-error.js'
import { FrameSplitter } from './wire/frame-splitter.js'
import {
  createGroupRequest,
  deleteGroupRequest,
  GROUP_PATHS,
  groupInfoRequest,
  replayParkedRequest,
} from './wire/group-requests.js'

/** How long a server may take for one answer about a group. */
const ANSWER_MS_MAX = 10_000

export class Groups implements ConsumerGroups {
  readonly #context: ReadContext

  constructor(context: ReadContext) {
    this.#context = context
  }

  async create(name: GroupName, settings: GroupSettings): Promise<'created' | 'exists'> {
    try {
      await this.#ask(GROUP_PATHS.create, createGroupRequest(name, settings))
      return 'created'
    } catch (error) {
      if (error instanceof CallError && error.type === 'persistent-subscription-exists') return 'exists'
      throw this.#failure(error, name)
    }
  }

  async info(name: GroupName): Promise<GroupInfo | undefined> {
    const answer = await this.#askOfExisting(name, GROUP_PATHS.info, groupInfoRequest(name))
    return answer && infoIn(answer)
  }

  async replayParked(name: GroupName): Promise<void> {
    const answer = await this.#askOfExisting(name, GROUP_PATHS.replayParked, replayParkedRequest(name))
    if (!answer) throw new GroupRefusedError(name, 'missing', 'there is none')
  }

  async delete(name: GroupName): Promise<'deleted' | 'missing'> {
    const answer = await this.#askOfExisting(name, GROUP_PATHS.delete, deleteGroupRequest(name))
    return answer ? 'deleted' : 'missing'
  }

  consume(name: GroupName, { heldMax, signal }: { heldMax: number; signal?: AbortSignal }): GroupConsumer {
    const consuming = new Consuming(this.#context, name, Math.max(1, Math.floor(heldMax)))
    return {
      messages: leavable([signal, this.#context.closing], (ending) => consuming.messages(ending)),
      ack: (deliveries) => consuming.ack(deliveries),
      nack: (deliveries, action, reason) => consuming.nack(deliveries, action, reason),
    }
  }

  /** Undefined where there is no such group. */
  async #askOfExisting(name: GroupName, path: string, request: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      return await this.#ask(path, request)
    } catch (error) {
      const failure = this.#failure(error, name)
      if (failure instanceof GroupRefusedError && failure.reason === 'missing') return undefined
      throw failure
    }
  }

  /** Asks until somebody answers: each of these calls may be made twice, and says then that it was made before. */
  async #ask(path: string, request: Uint8Array): Promise<Uint8Array> {
    const { cluster, outageMsMax, closing } = this.#context
    const patience = new Patience({ outageMsMax, signal: closing })
    for (;;) {
      let node: Node | undefined
      try {
        node = await cluster.node('deciding')
        return await answerOf(node, path, request)
      } catch (error) {
        if (!(error instanceof CallError)) throw error
        if (node) cluster.failed(node, error)
        if (!isTransient(error)) throw error
        await patience.bear(error)
      }
    }
  }

  #failure(error: unknown, name: GroupName): unknown {
    return groupRefusalIn(error, name) ?? readingError(error, this.#context.server)
  }
}

/** The one message of an answer; empty where it has no fields. */
async function answerOf(node: Node, path: string, request: Uint8Array): Promise<Uint8Array> {
  const call = await node.begin(path, request, { silenceMs: ANSWER_MS_MAX, requiresLeader: true })
  const splitter = new FrameSplitter()
  let answer = new Uint8Array(0)
  try {
    for (let chunk = await call.read(); chunk; chunk = await call.read()) {
      splitter.push(chunk, (bytes, start, end) => {
        answer = Uint8Array.from(bytes.subarray(start, end))
      })
    }
    return answer
  } finally {
    call.cancel()
  }
}

function infoIn(answer: Uint8Array): GroupInfo | undefined {
  const info = persistent.GetInfoResp.deserializeBinary(answer).getSubscriptionInfo()
  return (
    info && {
      strategy: info.getNamedConsumerStrategy(),
      consumers: info.getConnectionsList().length,
      inFlight: info.getTotalInFlightMessages(),
      parked: Number(info.getParkedMessageCount()),
    }
  )
}
