// gRPC's messages in a byte stream: one byte that says whether a message is compressed, four bytes of length, the message.
import { gunzipSync } from 'node:zlib'
import { compressionNotSupported, invalidArgument, messageTooLarge } from '../status.js'

const PREFIX_BYTES = 5

/** A message with its prefix. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX_BYTES + message.length)
  framed[0] = 0
  framed.writeUInt32BE(message.length, 1)
  framed.set(message, PREFIX_BYTES)
  return framed
}

/** Takes bytes as they come and gives whole messages. */
export class FrameReader {
  readonly #maxMessageBytes: number
  readonly #encoding: string | undefined
  #chunks: Buffer[] = []
  #length = 0

  /** `encoding`: how messages that say that they are compressed are. */
  constructor(maxMessageBytes: number, encoding: string | undefined) {
    this.#maxMessageBytes = maxMessageBytes
    this.#encoding = encoding
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
  }

  /** The next message that is there as a whole. Throws StatusError on one that is too large, or compressed unknowably, as soon as that is known. */
  next(): Uint8Array | undefined {
    if (this.#length < PREFIX_BYTES) return undefined
    const start = this.#peek(PREFIX_BYTES)
    const compressed = start[0] !== 0
    if (compressed && this.#encoding !== 'gzip') throw compressionNotSupported()
    const length = start.readUInt32BE(1)
    if (length > this.#maxMessageBytes) throw messageTooLarge()
    if (this.#length < PREFIX_BYTES + length) return undefined
    const whole = this.#peek(PREFIX_BYTES + length)
    this.#chunks[0] = whole.subarray(PREFIX_BYTES + length)
    this.#length -= PREFIX_BYTES + length
    const message = whole.subarray(PREFIX_BYTES, PREFIX_BYTES + length)
    return compressed ? unpacked(message, this.#maxMessageBytes) : message
  }

  /** Throws StatusError where a message was begun and not ended. */
  mustBeEmpty(): void {
    if (this.#length > 0) throw invalidArgument('The request ends within a message')
  }

  /** The first chunk, joined with as many others as it takes to hold `count` bytes. */
  #peek(count: number): Buffer {
    let [first = Buffer.alloc(0)] = this.#chunks
    if (first.length < count) {
      first = Buffer.concat(this.#chunks)
      this.#chunks = [first]
    }
    return first
  }
}

/** Never unpacks more than a message may hold, whatever it was packed from. */
function unpacked(message: Uint8Array, maxOutputLength: number): Uint8Array {
  try {
    return gunzipSync(message, { maxOutputLength })
  } catch (error) {
    const tooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
    throw tooLarge ? messageTooLarge() : invalidArgument('A message is not packed as it says')
  }
}
