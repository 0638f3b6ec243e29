// Streams.BatchAppend: many appends over one long call, each in one or more frames under its correlation id, each answered once. An
// append that fails does not end the call.
import streams from '@eventstore/db-client/generated/streams_pb.js'
import type { ProposedEvent } from '../../log/event.js'
import type { Principal } from '../access/principal.js'
import type { Rpc, ServerContext } from '../server-context.js'
import { handlerFailed, oneofMissing, statusOf, unavailable } from '../status.js'
import { frame } from '../transport/framing.js'
import { type GrpcCall, ServerStoppingError } from '../transport/grpc-call.js'
import { decodeMessage } from '../transport/message-reader.js'
import { type BatchOutcome, outcomeOf, outcomeOfStatus, timeout, tooLarge } from './batch-answers.js'
import { msUntilDeadline } from './batch-deadline.js'
import {
  EXPECT_ANY,
  EXPECT_NO_STREAM,
  EXPECT_STREAM_EXISTS,
  type Expectation,
  exactly,
  nameIn,
  streamIdentifier,
  streamNameIn,
} from './identifiers.js'
import { proposedEventIn, Unfinished } from './proposals.js'
import { type UuidForm, uuidIn, uuidMessage } from './uuids.js'
import { appendInTime } from './write.js'

/** Appends of one call that the store may be working on, before more of its frames are read. */
const UNDER_WAY_MAX = 128

export const batchAppend: Rpc = {
  path: '/event_store.client.streams.Streams/BatchAppend',
  features: ['deadline_duration'],
  handle: async (call, server, principal) => {
    call.endless = true
    call.sendHeaders()
    const batches = new Batches(call, server, principal)
    try {
      for await (const message of call.messages()) await batches.take(message)
      await batches.settle()
    } catch (error) {
      // What the store is working on is still answered.
      await batches.settle()
      throw error instanceof ServerStoppingError ? unavailable('The server is stopping') : error
    } finally {
      batches.forget()
    }
  },
}

/** An append whose last frame has not come yet. */
interface Batch {
  readonly id: string
  readonly stream: string
  readonly options: streams.BatchAppendReq.Options
  readonly deadline: number
  readonly timer: NodeJS.Timeout | undefined
  readonly events: ProposedEvent[]
  /** Of their data. */
  bytes: number
  /** See Unfinished. */
  counted: number
  /** What is wrong with it already. It is told once all frames are there, since each batch is answered once. */
  problem: BatchOutcome | undefined
}

class Batches {
  readonly #call: GrpcCall
  readonly #server: ServerContext
  readonly #principal: Principal
  readonly #batches = new Map<string, Batch>()
  readonly #unfinished: Unfinished
  readonly #underWay = new Set<Promise<void>>()

  constructor(call: GrpcCall, server: ServerContext, principal: Principal) {
    this.#call = call
    this.#server = server
    this.#principal = principal
    this.#unfinished = new Unfinished(server.maxAppendBytes)
  }

  /** Takes a frame. Resolves when the next one may come. */
  async take(bytes: Uint8Array): Promise<void> {
    const request = decodeMessage(streams.BatchAppendReq, bytes)
    const id = uuidIn(request.getCorrelationId())
    if (id === undefined) throw handlerFailed()
    const batch = this.#batches.get(id) ?? this.#begin(id, request.getOptions(), bytes)
    // As on a real server: frames of a batch that has no options, or was answered already, are passed over.
    if (!batch) return
    const events = request.getProposedMessagesList()
    // A frame without events costs as well.
    batch.counted += this.#unfinished.take(bytes.length, events.length + 1)
    this.#add(batch, events)
    if (!request.getIsFinal()) return
    this.#end(batch)
    const carried = this.#carryOut(batch)
    this.#track(carried.answered)
    // The store is reached in the order of the frames; only then is the next one looked at.
    await carried.begun
    if (this.#underWay.size >= UNDER_WAY_MAX) await Promise.race(this.#underWay)
  }

  /** Resolves when all that the store was given is answered. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }

  /** Drops what is unfinished. */
  forget(): void {
    for (const batch of this.#batches.values()) this.#end(batch)
  }

  #begin(id: string, options: streams.BatchAppendReq.Options | undefined, bytes: Uint8Array): Batch | undefined {
    if (!options) return undefined
    const ms = msUntilDeadline(options, bytes)
    const timer = ms !== undefined && ms > 0 ? setTimeout(() => this.#expire(id), Math.min(ms, 2 ** 31 - 1)) : undefined
    const batch: Batch = {
      id,
      stream: nameIn(options.getStreamIdentifier()),
      options,
      deadline: ms === undefined ? Number.POSITIVE_INFINITY : Date.now() + ms,
      timer,
      events: [],
      bytes: 0,
      counted: 0,
      problem: undefined,
    }
    this.#batches.set(id, batch)
    return batch
  }

  #add(batch: Batch, messages: readonly streams.BatchAppendReq.ProposedMessage[]): void {
    for (const message of messages) {
      if (batch.problem) return
      try {
        const event = proposedEventIn(message)
        batch.events.push(event)
        batch.bytes += event.data.length
      } catch (error) {
        batch.problem = outcomeOfStatus(statusOf(error))
      }
      if (batch.bytes > this.#server.maxAppendBytes) batch.problem = tooLarge(this.#server.maxAppendBytes)
    }
    if (batch.problem) this.#drop(batch)
  }

  /** Frees what a batch holds. */
  #drop(batch: Batch): void {
    this.#release(batch)
    batch.events.length = 0
  }

  /** The batch is complete, or nobody waits for it any more. */
  #end(batch: Batch): void {
    clearTimeout(batch.timer)
    this.#batches.delete(batch.id)
    this.#release(batch)
  }

  #release(batch: Batch): void {
    this.#unfinished.release(batch.counted)
    batch.counted = 0
  }

  #expire(id: string): void {
    const batch = this.#batches.get(id)
    if (!batch) return
    this.#end(batch)
    // A real server gives the id back in its other form here; clients understand both.
    this.#track(this.#answer(batch, timeout(), 'structured'))
  }

  /** Carries a batch out: `begun` once the store has it, `answered` once the client was told. */
  #carryOut(batch: Batch): { readonly begun: Promise<void> | undefined; readonly answered: Promise<void> } {
    if (batch.problem) return { begun: undefined, answered: this.#answer(batch, batch.problem) }
    if (batch.deadline <= Date.now()) return { begun: undefined, answered: this.#answer(batch, timeout()) }
    const allowed = this.#server.access.check(this.#principal, 'write', batch.stream)
    if (!allowed) return { begun: undefined, answered: this.#append(batch) }
    const denied = allowed.then(
      () => undefined,
      (error: unknown) => {
        this.#server.report(error)
        return outcomeOfStatus(statusOf(error))
      },
    )
    const answered = denied.then((outcome) => (outcome ? this.#answer(batch, outcome) : this.#append(batch)))
    return { begun: denied.then(() => undefined), answered }
  }

  async #append(batch: Batch): Promise<void> {
    await this.#answer(batch, await this.#outcomeOf(batch))
  }

  async #outcomeOf(batch: Batch): Promise<BatchOutcome> {
    try {
      const stream = streamNameIn(batch.options.getStreamIdentifier())
      const expectation = expectationOf(batch.options)
      const request = { stream, expectation, events: batch.events }
      const result = await appendInTime(this.#server, request, batch.deadline - Date.now())
      return outcomeOf(result, { ...request, maxAppendBytes: this.#server.maxAppendBytes })
    } catch (error) {
      this.#server.report(error)
      return outcomeOfStatus(statusOf(error))
    }
  }

  async #answer(batch: Batch, outcome: BatchOutcome, form: UuidForm = 'string'): Promise<void> {
    const response = new streams.BatchAppendResp()
      .setCorrelationId(uuidMessage(batch.id, form))
      .setStreamIdentifier(streamIdentifier(batch.stream))
    if (outcome.kind === 'success') response.setSuccess(outcome.success)
    else response.setError(outcome.error)
    await this.#call.send(frame(response.serializeBinary()))
  }

  #track(work: Promise<void>): void {
    // A client that has left cannot be answered, and nothing else fails here.
    const tracked = work.catch(() => undefined).finally(() => this.#underWay.delete(tracked))
    this.#underWay.add(tracked)
  }
}

function expectationOf(options: streams.BatchAppendReq.Options): Expectation {
  if (options.hasStreamPosition()) return exactly(options.getStreamPosition())
  if (options.hasAny()) return EXPECT_ANY
  if (options.hasNoStream()) return EXPECT_NO_STREAM
  if (options.hasStreamExists()) return EXPECT_STREAM_EXISTS
  throw oneofMissing('Streams.BatchAppendReq+Types+Options+ExpectedStreamPositionOneofCase')
}
