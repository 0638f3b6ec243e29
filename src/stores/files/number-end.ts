// Where a number of JSON ends, for those who walk lines byte by byte.

const [MINUS, DOT, PLUS, LOWER_E] = [0x2d, 0x2e, 0x2b, 0x65]
const [ZERO, ONE, NINE] = [0x30, 0x31, 0x39]
const LOWER_CASE = 0x20
const NO_NUMBER = -1

/** The place behind a number, or NO_NUMBER (negative): no sign but a minus, no zero in front, digits on both sides of a dot. */
export function numberEnd(bytes: Uint8Array, at: number): number {
  const start = bytes[at] === MINUS ? at + 1 : at
  const first = bytes[start] as number
  let place = first === ZERO ? start + 1 : first >= ONE ? digitsEnd(bytes, start) : NO_NUMBER
  if (place >= 0 && bytes[place] === DOT) place = digitsEnd(bytes, place + 1)
  if (place < 0 || ((bytes[place] as number) | LOWER_CASE) !== LOWER_E) return place
  const sign = bytes[place + 1]
  return digitsEnd(bytes, sign === PLUS || sign === MINUS ? place + 2 : place + 1)
}

/** The place behind one digit or more. */
function digitsEnd(bytes: Uint8Array, at: number): number {
  let place = at
  while (isDigit(bytes[place] as number)) place += 1
  return place > at ? place : NO_NUMBER
}

export function isDigit(c: number): boolean {
  return c >= ZERO && c <= NINE
}
