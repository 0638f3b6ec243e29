// The inner loop of the log job: one line of JSON walked byte by byte, checked as strictly as JSON.parse does and without building a value.
// It is dense on purpose: at hundreds of megabytes a second there is no room for a call or an object a token. What it does not know
// for certain it leaves to transaction-line.ts, which is the word on every line; it may be too careful, never too generous.
import { LineShape } from './line-shape.js'
import { isDigit, numberEnd } from './number-end.js'

const [SPACE, TAB, CR, LF] = [0x20, 0x09, 0x0d, 0x0a]
const [QUOTE, BACKSLASH, COMMA, COLON, MINUS, LOWER_U] = [0x22, 0x5c, 0x2c, 0x3a, 0x2d, 0x75]
const [OBJECT, OBJECT_END, LIST, LIST_END] = [0x7b, 0x7d, 0x5b, 0x5d]

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
/** Lines of a log have so many shapes in turn, or hardly any at all. */
const SHAPES_MAX = 4
/** Where lines have no shape in common, looking for one must not cost more than the lines. */
const WALKS_A_SHAPE = 16

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
  /** Shapes of lines, the last one that fitted first. */
  readonly #shapes: LineShape[] = []
  /** How many lines have been walked since a shape was learnt. */
  #walks = WALKS_A_SHAPE
  /** Of the bytes that were scanned last. */
  #view: DataView = new DataView(new ArrayBuffer(0))
  #viewed: Uint8Array | undefined

  constructor(path: readonly string[]) {
    this.#path = path.map((name) => Buffer.from(name))
  }

  /**
   * Walks the line that begins at `start` and returns the place behind its LF, or UNSURE (negative) where it must be read in full.
   * There must be an LF somewhere behind `start`: nothing goes past one, so that no place has to be compared with the end. The caller
   * sees to it that the bytes are valid UTF-8.
   */
  scan(bytes: Uint8Array, start: number): number {
    if (bytes !== this.#viewed) this.#see(bytes)
    const fitted = this.#fit(bytes, start)
    return fitted < 0 ? this.#walk(bytes, start) : fitted
  }

  #see(bytes: Uint8Array): void {
    this.#viewed = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Tries the shapes of lines before this one. */
  #fit(bytes: Uint8Array, start: number): number {
    const shapes = this.#shapes
    for (let i = 0; i < shapes.length; i += 1) {
      const shape = shapes[i] as LineShape
      const end = shape.fit(bytes, this.#view, start)
      if (end < 0) continue
      if (i > 0) shapes.unshift(...shapes.splice(i, 1))
      this.idStart = shape.starts[shape.idIndex] as number
      this.idEnd = shape.ends[shape.idIndex] as number
      this.typeStart = shape.starts[shape.typeIndex] as number
      this.typeEnd = shape.ends[shape.typeIndex] as number
      return this.idEnd > this.idStart && this.typeEnd > this.typeStart ? end : UNSURE
    }
    return UNSURE
  }

  #walk(bytes: Uint8Array, start: number): number {
    this.idStart = UNSURE
    this.typeStart = UNSURE
    this.#met = 0
    const at = this.#object(bytes, skipSpace(bytes, start), 0)
    if (at < 0 || this.idStart < 0 || this.typeStart < 0) return UNSURE
    const lf = skipSpace(bytes, at)
    if (bytes[lf] !== LF) return UNSURE
    this.#walks += 1
    if (this.#walks >= WALKS_A_SHAPE) this.#learn(bytes, start, lf + 1)
    return lf + 1
  }

  #learn(bytes: Uint8Array, start: number, end: number): void {
    const { idStart, typeStart } = this
    const shape = LineShape.of(bytes, { start, end, idStart, typeStart })
    this.#walks = 0
    if (!shape) return
    this.#shapes.unshift(shape)
    this.#shapes.length = Math.min(this.#shapes.length, SHAPES_MAX)
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

function literalEnd(bytes: Uint8Array, at: number): number {
  for (const literal of LITERALS) if (isAt(bytes, at, at + literal.length, literal)) return at + literal.length
  return UNSURE
}
