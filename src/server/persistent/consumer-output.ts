// What one consumer is sent: events in the order in which they were given, as fast as it reads and no faster.
import { statusOf } from '../status.js'
import { EventEncoder, type Sent } from '../streams/event-encoder.js'
import type { UuidForm } from '../streams/uuids.js'
import type { GrpcCall } from '../transport/grpc-call.js'

import { weightOf } from './shown-event.js'

/** So much may wait to be sent before the consumer is given nothing more. */
const WAITING_BYTES_MAX = 256 * 1024

export class ConsumerOutput {
  readonly #call: Pick<GrpcCall, 'send' | 'abort'>
  readonly #encoder: EventEncoder
  readonly #onHeld: (held: boolean) => void
  #waiting: Sent[] = []
  #waitingBytes = 0
  #held = false
  #writing = false

  /** `onHeld` is told when the consumer falls behind and when it has caught up. */
  constructor(
    call: Pick<GrpcCall, 'send' | 'abort'>,
    { uuidForm, onHeld }: { uuidForm: UuidForm; onHeld: (held: boolean) => void },
  ) {
    this.#call = call
    this.#encoder = new EventEncoder(uuidForm)
    this.#onHeld = onHeld
  }

  send(sent: Sent): void {
    this.#waiting.push(sent)
    this.#waitingBytes += weightOf(sent)
    if (!this.#held && this.#waitingBytes > WAITING_BYTES_MAX) this.#setHeld(true)
    if (!this.#writing) void this.#write()
  }

  async #write(): Promise<void> {
    this.#writing = true
    // Events that are given in one go are written in one go.
    await Promise.resolve()
    try {
      while (this.#waiting.length > 0) {
        const sent = this.#waiting
        this.#waiting = []
        this.#waitingBytes = 0
        await this.#call.send(this.#encoder.encode(sent))
        // Within the loop, since it is given more at once.
        if (this.#held && this.#waiting.length === 0) this.#setHeld(false)
      }
    } catch (error) {
      // Mostly the call is over already, and then this changes nothing; whoever reads its messages learns why.
      this.#call.abort(statusOf(error))
    } finally {
      this.#writing = false
    }
  }

  #setHeld(held: boolean): void {
    this.#held = held
    this.#onHeld(held)
  }
}
