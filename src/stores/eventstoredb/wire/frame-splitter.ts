// Cuts the bytes of a gRPC response into messages: one byte that says whether it is compressed, four of length, the message.
import { CallError, CODE } from './call-error.js'

const PREFIX_BYTES = 5

/** A real server can hold events of up to 16 MiB. */
const MESSAGE_BYTES_MAX = 17 * 1024 * 1024

type OnMessage = (bytes: Buffer, start: number, end: number) => void

export class FrameSplitter {
  #waiting: Buffer[] = []
  #waitingBytes = 0
  /** With fewer bytes than this no further message is whole, nor its length known. */
  #neededBytes = PREFIX_BYTES

  /** Whether a message was begun and is not whole yet. */
  get isWithinMessage(): boolean {
    return this.#waitingBytes > 0
  }

  /**
   * Takes bytes as they come and tells where in them whole messages lie: from `start` until before `end`. Only a message that came in parts is
   * joined, when its last part is there. Throws CallError on a message that is compressed or too large.
   */
  push(chunk: Buffer, onMessage: OnMessage): void {
    let at = 0
    while (this.#waitingBytes > 0) {
      const end = at + this.#neededBytes - this.#waitingBytes
      this.#keep(chunk.subarray(at, end))
      if (this.#waitingBytes < this.#neededBytes) return
      at = end
      this.#joinWaiting(onMessage)
    }
    const rest = this.#split(chunk, at, onMessage)
    if (rest < chunk.length) this.#keep(chunk.subarray(rest))
  }

  /** What waits is a prefix, which tells how much more is needed, or a whole message. */
  #joinWaiting(onMessage: OnMessage): void {
    const bytes = this.#waiting.length === 1 ? (this.#waiting[0] as Buffer) : Buffer.concat(this.#waiting)
    this.#neededBytes = PREFIX_BYTES + lengthAt(bytes, 0)
    this.#waiting = [bytes]
    if (bytes.length < this.#neededBytes) return
    this.#waiting = []
    this.#waitingBytes = 0
    this.#neededBytes = PREFIX_BYTES
    onMessage(bytes, PREFIX_BYTES, bytes.length)
  }

  /** Gives the messages that are whole, and returns where the rest begins. */
  #split(bytes: Buffer, start: number, onMessage: OnMessage): number {
    let at = start
    while (at + PREFIX_BYTES <= bytes.length) {
      const length = lengthAt(bytes, at)
      const end = at + PREFIX_BYTES + length
      this.#neededBytes = PREFIX_BYTES + length
      if (end > bytes.length) return at
      onMessage(bytes, at + PREFIX_BYTES, end)
      at = end
    }
    this.#neededBytes = PREFIX_BYTES
    return at
  }

  #keep(part: Buffer): void {
    this.#waiting.push(part)
    this.#waitingBytes += part.length
  }
}

function lengthAt(bytes: Buffer, at: number): number {
  if (bytes[at] !== 0) throw new CallError(CODE.unimplemented, 'The server sends compressed messages')
  const length = bytes.readUInt32BE(at + 1)
  if (length > MESSAGE_BYTES_MAX)
    throw new CallError(CODE.resourceExhausted, `The server sends ${length} bytes at once`)
  return length
}
