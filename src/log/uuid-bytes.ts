// UUIDs as 16 bytes and as text, by tables: every event of a log has one.

const HEX = Buffer.from('0123456789abcdef')
const DASHES_BEFORE = new Set([4, 6, 8, 10])
const TEXT_LENGTH = 36
const text = Buffer.from('00000000-0000-0000-0000-000000000000')

/** Where in the text each of the 16 bytes stands. */
const PLACES: readonly number[] = Array.from(
  { length: 16 },
  (_, index) => 2 * index + [...DASHES_BEFORE].filter((before) => before <= index).length,
)

/** Writes a UUID; its text comes back in lower case. Throws RangeError where the text is none: nothing else could be given back as it was. */
export function writeUuid(bytes: Uint8Array, at: number, uuid: string): void {
  let index = 0
  for (const place of PLACES) {
    bytes[at + index] = (digitAt(uuid, place) << 4) | digitAt(uuid, place + 1)
    index += 1
  }
  if (uuid.length !== TEXT_LENGTH || uuid[8] !== '-' || uuid[13] !== '-' || uuid[18] !== '-' || uuid[23] !== '-') {
    throw new RangeError(`${JSON.stringify(uuid)} is no UUID`)
  }
}

/** The text of the UUID that stands at a place. */
export function uuidAt(bytes: Uint8Array, at: number): string {
  let index = at
  for (const place of PLACES) {
    const byte = bytes[index] as number
    text[place] = HEX[byte >> 4] as number
    text[place + 1] = HEX[byte & 15] as number
    index += 1
  }
  return text.toString('latin1')
}

function digitAt(uuid: string, place: number): number {
  const code = uuid.charCodeAt(place)
  if (code >= 48 && code <= 57) return code - 48
  if (code >= 97 && code <= 102) return code - 87
  if (code >= 65 && code <= 70) return code - 55
  throw new RangeError(`${JSON.stringify(uuid)} is no UUID`)
}
