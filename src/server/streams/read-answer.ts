// The messages that a Read sends: events many in a write, the others one by one, all in the order given.
import streams from '@eventstore/db-client/generated/streams_pb.js'
import type { Position } from '../../log/position.js'
import { frame } from '../transport/framing.js'
import type { GrpcCall } from '../transport/grpc-call.js'
import { EventEncoder, type Given, type Sent, weightOf } from './event-encoder.js'
import { streamIdentifier } from './identifiers.js'
import type { LinkResolver } from './link-resolver.js'
import type { UuidForm } from './uuids.js'

/** So much is written at a time: enough to make writes cheap, little enough to make a slow reader felt soon. */
const WRITE_BYTES = 64 * 1024

export class ReadAnswer {
  readonly #call: GrpcCall
  readonly #encoder: EventEncoder
  readonly #links: LinkResolver | undefined

  constructor(call: GrpcCall, { uuidForm, links }: { uuidForm: UuidForm; links: LinkResolver | undefined }) {
    this.#call = call
    this.#encoder = new EventEncoder(uuidForm)
    this.#links = links
  }

  /** Resolves when the client can take more. */
  async events(events: readonly Given[]): Promise<void> {
    let [waiting, bytes]: [Sent<Given>[], number] = [[], 0]
    for (const event of events) {
      waiting.push(this.#links ? await this.#links.resolve(event) : { event })
      bytes += weightOf(event)
      if (bytes < WRITE_BYTES) continue
      await this.#call.send(this.#encoder.encode(waiting))
      ;[waiting, bytes] = [[], 0]
    }
    if (waiting.length > 0) await this.#call.send(this.#encoder.encode(waiting))
  }

  confirmation(subscriptionId: string): Promise<void> {
    const confirmation = new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(subscriptionId)
    return this.#send(new streams.ReadResp().setConfirmation(confirmation))
  }

  caughtUp(): Promise<void> {
    return this.#send(new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp()))
  }

  fellBehind(): Promise<void> {
    return this.#send(new streams.ReadResp().setFellBehind(new streams.ReadResp.FellBehind()))
  }

  checkpoint({ commit, prepare }: Position): Promise<void> {
    const checkpoint = new streams.ReadResp.Checkpoint()
      .setCommitPosition(String(commit))
      .setPreparePosition(String(prepare))
    return this.#send(new streams.ReadResp().setCheckpoint(checkpoint))
  }

  streamNotFound(stream: string): Promise<void> {
    const missing = new streams.ReadResp.StreamNotFound().setStreamIdentifier(streamIdentifier(stream))
    return this.#send(new streams.ReadResp().setStreamNotFound(missing))
  }

  firstStreamPosition(revision: number): Promise<void> {
    return this.#send(new streams.ReadResp().setFirstStreamPosition(String(revision)))
  }

  lastStreamPosition(revision: number): Promise<void> {
    return this.#send(new streams.ReadResp().setLastStreamPosition(String(revision)))
  }

  #send(response: streams.ReadResp): Promise<void> {
    return this.#call.send(frame(response.serializeBinary()))
  }
}
