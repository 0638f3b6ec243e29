// Walks through one protobuf message where it lies in the bytes that came from the network. Nothing is copied or built but what is asked for.

/** Bytes that are no message of the kind that was expected. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError'
}

/** How many bits of an integer are summed up as a number before the rest has to be added apart. */
const SAFE_BITS = 49
const SAFE_BITS_SCALE = 2 ** SAFE_BITS

export class ProtoCursor {
  bytes: Buffer = Buffer.alloc(0)
  at = 0
  end = 0

  /** Goes to a message that lies from `start` until before `end`. */
  enter(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  /** Whether the message goes on. */
  get more(): boolean {
    return this.at < this.end
  }

  /** The next field: its number times eight plus its kind on the wire. */
  tag(): number {
    return this.number()
  }

  /** An integer; above 2^53 it is rounded. */
  number(): number {
    const first = this.bytes[this.at] ?? 0
    if (first < 128 && this.at < this.end) {
      this.at += 1
      return first
    }
    const low = this.#low()
    return this.#unfinished ? low + this.#high() * SAFE_BITS_SCALE : low
  }

  /** An integer of up to 64 bits, without a sign: a number where that is exact, which is quicker. */
  integer(): number | bigint {
    const low = this.#low()
    return this.#unfinished ? this.#whole(low) : low
  }

  /** An integer of up to 64 bits, without a sign. */
  bigint(): bigint {
    const low = this.#low()
    return this.#unfinished ? this.#whole(low) : BigInt(low)
  }

  /** Where the length-delimited field ends that begins here: the cursor stands on its first byte then. */
  fieldEnd(): number {
    const length = this.number()
    const end = this.at + length
    if (end > this.end) throw new MalformedMessageError(`A field of ${length} bytes reaches beyond its message`)
    return end
  }

  /** Goes into the message of the field that begins here, and gives what `leaveField` wants to know. */
  enterField(): number {
    const outer = this.end
    this.end = this.fieldEnd()
    return outer
  }

  /** Goes on behind the message that was entered, however much of it was read. */
  leaveField(outer: number): void {
    this.at = this.end
    this.end = outer
  }

  /** The text of a length-delimited field. */
  text(): string {
    const end = this.fieldEnd()
    const text = this.bytes.toString('utf8', this.at, end)
    this.at = end
    return text
  }

  /** The bytes of a length-delimited field, where they lie. */
  slice(): Buffer {
    const end = this.fieldEnd()
    const slice = this.bytes.subarray(this.at, end)
    this.at = end
    return slice
  }

  /** Passes over the field whose tag was read. */
  skip(tag: number): void {
    const kind = tag & 7
    if (kind === 0) this.bigint()
    else if (kind === 2) this.at = this.fieldEnd()
    else if (kind === 1) this.at += 8
    else if (kind === 5) this.at += 4
    else throw new MalformedMessageError(`No field is of kind ${kind}`)
    if (this.at > this.end) throw new MalformedMessageError('A field reaches beyond its message')
  }

  #unfinished = false

  /** The low bits of an integer, and whether more follow. */
  #low(): number {
    let value = 0
    for (let scale = 1; scale < SAFE_BITS_SCALE; scale *= 128) {
      const byte = this.#byte()
      value += (byte & 127) * scale
      if (byte < 128) {
        this.#unfinished = false
        return value
      }
    }
    this.#unfinished = true
    return value
  }

  #whole(low: number): bigint {
    return BigInt.asUintN(64, BigInt(low) | (BigInt(this.#high()) << BigInt(SAFE_BITS)))
  }

  #high(): number {
    let value = 0
    for (let scale = 1; scale <= 128 ** 2; scale *= 128) {
      const byte = this.#byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    throw new MalformedMessageError('An integer has more than ten bytes')
  }

  #byte(): number {
    const byte = this.bytes[this.at]
    if (byte === undefined || this.at >= this.end) throw new MalformedMessageError('A message ends within a field')
    this.at += 1
    return byte
  }
}
