// UUIDs of the protocol: as text, or as two signed halves.
import shared from '@eventstore/db-client/generated/shared_pb.js'

/** In which form a client wants to be given ids. */
export type UuidForm = 'string' | 'structured'

const HEX = /^[0-9a-f]{32}$/

/** The UUID as text in lower case, or undefined where it is none. */
export function uuidIn(message: shared.UUID | undefined): string | undefined {
  const structured = message?.getStructured()
  if (structured) return textOf(structured)
  const hex = message?.getString().toLowerCase().replace(/[-{}]/g, '') ?? ''
  return HEX.test(hex) ? dashed(hex) : undefined
}

export function uuidMessage(id: string, form: UuidForm = 'string'): shared.UUID {
  const message = new shared.UUID()
  if (form === 'string') return message.setString(id)
  const { mostSignificant, leastSignificant } = structuredUuid(id)
  const structured = new shared.UUID.Structured()
  structured.setMostSignificantBits(String(mostSignificant)).setLeastSignificantBits(String(leastSignificant))
  return message.setStructured(structured)
}

/** The halves of a UUID, big-endian and signed. */
export function structuredUuid(id: string): { readonly mostSignificant: bigint; readonly leastSignificant: bigint } {
  const hex = id.replaceAll('-', '')
  const half = (digits: string) => BigInt.asIntN(64, BigInt(`0x${digits}`))
  return { mostSignificant: half(hex.slice(0, 16)), leastSignificant: half(hex.slice(16)) }
}

function textOf(structured: shared.UUID.Structured): string {
  const halves = [structured.getMostSignificantBits(), structured.getLeastSignificantBits()]
  return dashed(halves.map((half) => BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, '0')).join(''))
}

function dashed(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
