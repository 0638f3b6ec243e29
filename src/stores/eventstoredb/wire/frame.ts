// One message as gRPC sends it: a byte that says it is not compressed, four of length, the message.

const PREFIX_BYTES = 5

export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(PREFIX_BYTES + message.length)
  framed.writeUInt32BE(message.length, 1)
  framed.set(message, PREFIX_BYTES)
  return framed
}
