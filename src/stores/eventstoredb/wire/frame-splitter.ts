// Cuts the bytes of a gRPC response into messages: one byte that says whether it is compressed, four of length, the message.
import { CallError, CODE } from './call-error.js'

const PREFIX_BYTES = 5

/** A real server can hold events of up to 16 MiB. */
const MESSAGE_BYTES_MAX = 17 * 1024 * 1024

export class FrameSplitter {
  #waiting: Buffer[] = []
  #waitingBytes = 0
  /** With fewer bytes than this no further message is whole. */
  #neededBytes = PREFIX_BYTES

  /** Whether a message was begun and is not whole yet. */
  get isWithinMessage(): boolean {
    return this.#waitingBytes > 0
  }

  /**
   * Takes bytes as they come and tells where in them whole messages lie: from `start` until before `end`. A message that came in parts is
   * joined once, when its last part is there. Throws CallError on a message that is compressed or too large.
   */
  push(chunk: Buffer, onMessage: (bytes: Buffer, start: number, end: number) => void): void {
    if (this.#waitingBytes + chunk.length < this.#neededBytes) {
      this.#keep(chunk)
      return
    }
    const bytes = this.#waitingBytes === 0 ? chunk : Buffer.concat([...this.#waiting, chunk])
    this.#waiting = []
    this.#waitingBytes = 0
    const rest = this.#split(bytes, onMessage)
    if (rest < bytes.length) this.#keep(bytes.subarray(rest))
  }

  /** Gives the messages that are whole, and returns where the rest begins. */
  #split(bytes: Buffer, onMessage: (bytes: Buffer, start: number, end: number) => void): number {
    let at = 0
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
