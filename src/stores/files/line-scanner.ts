// The inner loop of the log job: one line of JSON walked byte by byte, checked as strictly as JSON.parse does and without building a value.
// It is dense on purpose: at hundreds of megabytes a second there is no room for a call or an object a token. What it does not know
// for certain it leaves to transaction-line.ts, which is the word on every line; it may be too careful, never too generous.

const [SPACE, TAB, CR, LF] = [0x20, 0x09, 0x0d, 0x0a]
const [QUOTE, BACKSLASH, COMMA, COLON, MINUS, DOT] = [0x22, 0x5c, 0x2c, 0x3a, 0x2d, 0x2e]
const [OBJECT, OBJECT_END, LIST, LIST_END] = [0x7b, 0x7d, 0x5b, 0x5d]
const [ZERO, ONE, NINE, PLUS, LOWER_E, LOWER_U] = [0x30, 0x31, 0x39, 0x2b, 0x65, 0x75]
const LOWER_CASE = 0x20

/** What ends a run of plain text: a quote, a backslash, or a control character. */
const ENDS_TEXT = Uint8Array.from({ length: 256 }, (_, c) => Number(c === QUOTE || c === BACKSLASH || c < SPACE))
const IS_ESCAPE = Uint8Array.from({ length: 256 }, (_, c) => Number('"\\/bfnrt'.includes(String.fromCharCode(c))))
const IS_HEX = Uint8Array.from({ length: 256 }, (_, c) => Number(/[0-9a-f]/i.test(String.fromCharCode(c))))
const LITERALS = ['true', 'false', 'null'].map((text) => Buffer.from(text))

/** Nesting deeper than this is left to the full reading. */
const DEPTH_MAX = 32
/** Not known for certain, or no JSON. */
const UNSURE = -1
const TYPE_NAME = Buffer.from('event_type')

/** Finds the transaction id and the event type of lines. Its fields speak of the last line that `scan` understood. */
export class LineScanner {
  /** The id: a text without its quotes, or the digits of a number. Never empty, without escapes. */
  idStart = 0
  idEnd = 0
  /** The event type, without its quotes. Never empty, without escapes. */
  typeStart = 0
  typeEnd = 0
  /** The names on the way to the id, from the outermost object inwards. */
  readonly #path: readonly Uint8Array[]
  /** How many of them have been met. */
  #met = 0

  constructor(path: readonly string[]) {
    this.#path = path.map((name) => Buffer.from(name))
  }

  /**
   * Walks the line that begins at `start` and returns the place behind its LF, or UNSURE (negative) where it must be read in full.
   * There must be an LF somewhere behind `start`: nothing goes past one, so that no place has to be compared with the end. The caller
   * sees to it that the bytes are valid UTF-8.
   */
  scan(bytes: Uint8Array, start: number): number {
    this.idStart = UNSURE
    this.typeStart = UNSURE
    this.#met = 0
    const end = this.#object(bytes, skipSpace(bytes, start), 0)
    if (end < 0 || this.idStart < 0 || this.typeStart < 0) return UNSURE
    const at = skipSpace(bytes, end)
    return bytes[at] === LF ? at + 1 : UNSURE
  }

  /** The outermost object, or one on the way to the id; an empty one is neither for long. Returns the place behind it. */
  #object(bytes: Uint8Array, start: number, level: number): number {
    if (bytes[start] !== OBJECT || level > DEPTH_MAX) return UNSURE
    let at = start
    do {
      at = this.#field(bytes, skipSpace(bytes, at + 1), level)
      if (at < 0) return UNSURE
      at = skipSpace(bytes, at)
    } while (bytes[at] === COMMA)
    return bytes[at] === OBJECT_END ? at + 1 : UNSURE
  }

  /** Returns the place behind a field's value. */
  #field(bytes: Uint8Array, at: number, level: number): number {
    const nameStart = at + 1
    const nameEnd = plainTextEnd(bytes, at)
    const valueStart = nameEnd < 0 ? UNSURE : valueAfterName(bytes, nameEnd + 1)
    if (valueStart < 0) return UNSURE
    // A name with escapes was refused above, so that equal bytes are equal names.
    if (isAt(bytes, nameStart, nameEnd, this.#path[level] as Uint8Array)) return this.#onPath(bytes, valueStart, level)
    if (level === 0 && isAt(bytes, nameStart, nameEnd, TYPE_NAME)) return this.#type(bytes, valueStart)
    return valueEnd(bytes, valueStart, level)
  }

  #onPath(bytes: Uint8Array, at: number, level: number): number {
    // A name that is there twice: nobody can say which one was meant.
    if (this.#met > level) return UNSURE
    this.#met = level + 1
    return this.#met === this.#path.length ? this.#id(bytes, at) : this.#object(bytes, at, level + 1)
  }

  #id(bytes: Uint8Array, at: number): number {
    const isText = bytes[at] === QUOTE
    const end = isText ? plainTextEnd(bytes, at) : numberEnd(bytes, at)
    this.idStart = isText ? at + 1 : at
    this.idEnd = end
    return end <= this.idStart ? UNSURE : end + Number(isText)
  }

  #type(bytes: Uint8Array, at: number): number {
    const end = plainTextEnd(bytes, at)
    if (this.typeStart >= 0 || end <= at + 1) return UNSURE
    this.typeStart = at + 1
    this.typeEnd = end
    return end + 1
  }
}

function isAt(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (end - start !== name.length) return false
  for (let i = 0; i < name.length; i += 1) if (bytes[start + i] !== name[i]) return false
  return true
}

function skipSpace(bytes: Uint8Array, at: number): number {
  let place = at
  // What is above a space is the usual case, and decided at once.
  for (let c = bytes[place] as number; c <= SPACE; c = bytes[place] as number) {
    if (c !== SPACE && c !== TAB && c !== CR) return place
    place += 1
  }
  return place
}

/** Behind a name's closing quote: where its value begins. */
function valueAfterName(bytes: Uint8Array, at: number): number {
  const colon = skipSpace(bytes, at)
  return bytes[colon] === COLON ? skipSpace(bytes, colon + 1) : UNSURE
}

/** The place of the closing quote of a text without escapes that begins at `at`. */
function plainTextEnd(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== QUOTE) return UNSURE
  let place = at + 1
  while (ENDS_TEXT[bytes[place] as number] === 0) place += 1
  return bytes[place] === QUOTE ? place : UNSURE
}

/** The place behind any value. */
function valueEnd(bytes: Uint8Array, at: number, depth: number): number {
  const first = bytes[at] as number
  if (first === QUOTE) return textEnd(bytes, at)
  if (first === OBJECT || first === LIST) return depth < DEPTH_MAX ? nestedEnd(bytes, at, depth + 1) : UNSURE
  return first === MINUS || isDigit(first) ? numberEnd(bytes, at) : literalEnd(bytes, at)
}

/** The place behind the closing quote. */
function textEnd(bytes: Uint8Array, at: number): number {
  let place = at + 1
  for (;;) {
    while (ENDS_TEXT[bytes[place] as number] === 0) place += 1
    if (bytes[place] === QUOTE) return place + 1
    if (bytes[place] !== BACKSLASH) return UNSURE
    const escaped = bytes[place + 1] as number
    if (IS_ESCAPE[escaped] === 1) place += 2
    else if (escaped === LOWER_U && areHex(bytes, place + 2)) place += 6
    else return UNSURE
  }
}

function areHex(bytes: Uint8Array, at: number): boolean {
  // One after the other: nothing is looked at behind an LF.
  for (let i = at; i < at + 4; i += 1) if (IS_HEX[bytes[i] as number] !== 1) return false
  return true
}

/** The place behind an object or a list. */
function nestedEnd(bytes: Uint8Array, start: number, depth: number): number {
  const isObject = bytes[start] === OBJECT
  const closing = isObject ? OBJECT_END : LIST_END
  let at = skipSpace(bytes, start + 1)
  if (bytes[at] === closing) return at + 1
  for (;;) {
    at = memberEnd(bytes, at, isObject, depth)
    if (at < 0) return UNSURE
    at = skipSpace(bytes, at)
    if (bytes[at] === closing) return at + 1
    if (bytes[at] !== COMMA) return UNSURE
    at = skipSpace(bytes, at + 1)
  }
}

function memberEnd(bytes: Uint8Array, at: number, isField: boolean, depth: number): number {
  if (!isField) return valueEnd(bytes, at, depth)
  const nameEnd = bytes[at] === QUOTE ? textEnd(bytes, at) : UNSURE
  const valueStart = nameEnd < 0 ? UNSURE : valueAfterName(bytes, nameEnd)
  return valueStart < 0 ? UNSURE : valueEnd(bytes, valueStart, depth)
}

/** The place behind a number: no sign but a minus, no zero in front, digits on both sides of a dot. */
function numberEnd(bytes: Uint8Array, at: number): number {
  const start = bytes[at] === MINUS ? at + 1 : at
  const first = bytes[start] as number
  let place = first === ZERO ? start + 1 : first >= ONE ? digitsEnd(bytes, start) : UNSURE
  if (place >= 0 && bytes[place] === DOT) place = digitsEnd(bytes, place + 1)
  if (place < 0 || ((bytes[place] as number) | LOWER_CASE) !== LOWER_E) return place
  const sign = bytes[place + 1]
  return digitsEnd(bytes, sign === PLUS || sign === MINUS ? place + 2 : place + 1)
}

/** The place behind one digit or more. */
function digitsEnd(bytes: Uint8Array, at: number): number {
  let place = at
  while (isDigit(bytes[place] as number)) place += 1
  return place > at ? place : UNSURE
}

function isDigit(c: number): boolean {
  return c >= ZERO && c <= NINE
}

function literalEnd(bytes: Uint8Array, at: number): number {
  for (const literal of LITERALS) if (isAt(bytes, at, at + literal.length, literal)) return at + literal.length
  return UNSURE
}
