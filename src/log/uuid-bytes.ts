// UUIDs as 16 bytes and as text, by tables: every event of a log has one.

const HEX = Buffer.from('0123456789abcdef')
const DASHES_BEFORE = new Set([4, 6, 8, 10])
/** How many characters a UUID's text has. */
export const UUID_TEXT_LENGTH = 36
const text = Buffer.from('00000000-0000-0000-0000-000000000000')

/** Where in the text each of the 16 bytes stands. */
const PLACES: readonly number[] = Array.from(
  { length: 16 },
  (_, index) => 2 * index + [...DASHES_BEFORE].filter((before) => before <= index).length,
)

const DASH = 45
const DASH_PLACES: readonly number[] = [8, 13, 18, 23]
/** What each byte's two digits are, and what digit each byte is as a character: 255 for none. */
const HIGH_DIGITS = Uint8Array.from({ length: 256 }, (_, byte) => HEX[byte >> 4] as number)
const LOW_DIGITS = Uint8Array.from({ length: 256 }, (_, byte) => HEX[byte & 15] as number)
const NO_DIGIT = 255
const DIGITS = Uint8Array.from({ length: 256 }, (_, code) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase())
  return digit < 0 ? NO_DIGIT : digit
})

/** Writes a UUID; its text comes back in lower case. Throws RangeError where the text is none: nothing else could be given back as it was. */
export function writeUuid(bytes: Uint8Array, at: number, uuid: string): void {
  let index = 0
  for (const place of PLACES) {
    bytes[at + index] = (digitAt(uuid, place) << 4) | digitAt(uuid, place + 1)
    index += 1
  }
  if (uuid.length !== UUID_TEXT_LENGTH || uuid[8] !== '-' || uuid[13] !== '-' || uuid[18] !== '-' || uuid[23] !== '-') {
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

/** Writes the text of the UUID that stands at a place, without making it a string. */
export function writeUuidText(source: Buffer, at: number, target: Buffer, textAt: number): void {
  for (let index = 0; index < 16; index += 1) {
    const byte = source[at + index] as number
    const place = textAt + (PLACES[index] as number)
    target[place] = HIGH_DIGITS[byte] as number
    target[place + 1] = LOW_DIGITS[byte] as number
  }
  for (const place of DASH_PLACES) target[textAt + place] = DASH
}

/** The inverse: the UUID whose text stands there. Gives whether it is one. */
export function readUuidText(source: Buffer, textAt: number, target: Buffer, at: number): boolean {
  let digits = 0
  for (let index = 0; index < 16; index += 1) {
    const place = textAt + (PLACES[index] as number)
    const high = DIGITS[source[place] as number] as number
    const low = DIGITS[source[place + 1] as number] as number
    target[at + index] = (high << 4) | low
    digits |= high | low
  }
  return digits < 16 && DASH_PLACES.every((place) => source[textAt + place] === DASH)
}

function digitAt(uuid: string, place: number): number {
  const code = uuid.charCodeAt(place)
  if (code >= 48 && code <= 57) return code - 48
  if (code >= 97 && code <= 102) return code - 87
  if (code >= 65 && code <= 70) return code - 55
  throw new RangeError(`${JSON.stringify(uuid)} is no UUID`)
}
