// Messages of the protocol from bytes that anybody may have sent. google-protobuf believes the lengths that stand in them and reads on
// for minutes behind the end of 30 bytes of garbage: here each length is looked at before it is believed.
import protobuf from 'google-protobuf'
import { handlerFailed } from '../status.js'

/** A generated class. */
interface MessageClass<Message> {
  new (): Message
  deserializeBinaryFromReader(message: Message, reader: protobuf.BinaryReader): Message
}

/** How a field's value stands on the wire. */
const DELIMITED = 2
const WIRE_TYPES = new Set([0, 1, DELIMITED, 5])
const MAX_LENGTH_BYTES = 5
/** Key and value in an entry of a map: the numbers 1 and 2, both delimited. */
const ENTRY_FIELDS = new Set([0x0a, 0x12])

/** A message from its bytes. Throws the status of bytes that are none. */
export function decodeMessage<Message>(type: MessageClass<Message>, bytes: Uint8Array): Message {
  return readOrRefuse(() => type.deserializeBinaryFromReader(new type(), new MessageReader(bytes)))
}

/** What a reader gives. Whatever it throws, the bytes are at fault, and a real server says no more than that. */
export function readOrRefuse<Result>(read: () => Result): Result {
  try {
    return read()
  } catch {
    throw handlerFailed()
  }
}

/** A reader that never leaves its bytes. Throws where they are no message. */
export class MessageReader extends protobuf.BinaryReader {
  override nextField(): boolean {
    const more = super.nextField()
    if (this.getCursor() > this.getBuffer().length) throw new Error('The message ends within a field')
    // What remains of the wire types are groups, which no message of the protocol has.
    if (more && !WIRE_TYPES.has(this.getWireType())) throw new Error('The message holds a group')
    return more
  }

  override skipField(): void {
    if (this.getWireType() === DELIMITED) this.#mustFit()
    super.skipField()
  }

  override readString(): string {
    this.#mustFit()
    return super.readString()
  }

  override readBytes(): Uint8Array {
    this.#mustFit()
    return super.readBytes()
  }

  override readMessage: protobuf.BinaryRead = (message, read) => {
    const start = this.#mustFit()
    // Entries of maps are read past these methods.
    if (message instanceof protobuf.Map) mustBeEntry(this.getBuffer(), start)
    protobuf.BinaryReader.prototype.readMessage.call(this, message, read)
  }

  /** Looks at the length that stands next. Gives where it is and where what it is of begins and ends. */
  #mustFit(): Extent {
    if (this.getWireType() !== DELIMITED) throw new Error('A field is of another kind')
    return extentAt(this.getBuffer(), this.getCursor())
  }
}

interface Extent {
  readonly begin: number
  readonly end: number
}

/** What stands behind a length. Throws where it does not fit into the bytes. */
function extentAt(bytes: Uint8Array, at: number): Extent {
  let [length, place] = [0, at]
  for (let byte = 128; byte >= 128; place++) {
    byte = bytes[place] ?? Number.NaN
    if (place - at >= MAX_LENGTH_BYTES || Number.isNaN(byte)) throw new Error('A length is none')
    length += (byte & 127) * 128 ** (place - at)
  }
  if (place + length > bytes.length) throw new Error('A field ends behind its message')
  return { begin: place, end: place + length }
}

/** An entry of a map of texts holds a key and a value. */
function mustBeEntry(bytes: Uint8Array, { begin, end }: Extent): void {
  let at = begin
  while (at < end) {
    if (!ENTRY_FIELDS.has(bytes[at] ?? 0)) throw new Error('The entry of a map is none')
    at = extentAt(bytes, at + 1).end
  }
  if (at > end) throw new Error('The entry of a map ends behind it')
}
