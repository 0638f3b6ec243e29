// The shape of a line: its text between the values, so that the next line, which mostly differs in its values alone, is compared eight bytes at
// once instead of being walked. Dense on purpose, as line-scanner.ts is; a line that does not fit to the byte is left to that.
import { copyOf } from './line-blocks.js'
import { numberEnd } from './number-end.js'

const [QUOTE, BACKSLASH, COLON, MINUS, SPACE] = [0x22, 0x5c, 0x3a, 0x2d, 0x20]
const [ZERO, NINE] = [0x30, 0x39]
/** Lines of more values are not worth it. */
const VALUES_MAX = 64
const MISFIT = -1

/** Which values of a line are its id and its event type: where they begin. */
export interface KnownLine {
  readonly start: number
  /** Behind its LF. */
  readonly end: number
  readonly idStart: number
  readonly typeStart: number
}

/** The shape of lines that all have the same names in the same order and spacing, and a text or a number in the same places. */
export class LineShape {
  /** Where each value begins and ends in the last line that fitted. */
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly idIndex: number
  readonly typeIndex: number
  /** Bytes between the values: one piece in front of each, and one behind the last. */
  readonly #pieces: readonly Uint8Array[]
  readonly #lengths: Int32Array
  /** The pieces as numbers of eight bytes, where in its piece each stands, and which of them each piece has. */
  readonly #words: Float64Array
  readonly #wordPlaces: Int32Array
  readonly #wordBounds: Int32Array
  /** 1 for a number, 0 for a text. */
  readonly #areNumbers: Uint8Array
  /** How long each text was: the next one mostly is as long. */
  readonly #textLengths: Int32Array

  private constructor(
    pieces: readonly Uint8Array[],
    areNumbers: readonly boolean[],
    idIndex: number,
    typeIndex: number,
  ) {
    this.idIndex = idIndex
    this.typeIndex = typeIndex
    this.starts = new Int32Array(areNumbers.length)
    this.ends = new Int32Array(areNumbers.length)
    this.#textLengths = new Int32Array(areNumbers.length)
    this.#areNumbers = Uint8Array.from(areNumbers, Number)
    this.#pieces = pieces
    this.#lengths = Int32Array.from(pieces, ({ length }) => length)
    const placesOf = pieces.map(({ length }) => wordPlaces(length))
    this.#wordPlaces = Int32Array.from(placesOf.flat())
    this.#words = Float64Array.from(
      pieces.flatMap((piece, i) => (placesOf[i] ?? []).map((at) => viewOf(piece).getFloat64(at, true))),
    )
    this.#wordBounds = Int32Array.from([0, ...placesOf.keys()], (_, i) => placesOf.slice(0, i).flat().length)
  }

  /** The shape of a line of valid JSON; undefined where it has too many values. */
  static of(bytes: Uint8Array, { start, end, idStart, typeStart }: KnownLine): LineShape | undefined {
    const values = valuesIn(bytes, start, end)
    if (values.length > VALUES_MAX) return undefined
    const bounds = [start, ...values.flatMap((value) => [value.start, value.end]), end]
    const pieces = Array.from({ length: values.length + 1 }, (_, i) =>
      copyOf(bytes.subarray(bounds[2 * i], bounds[2 * i + 1])),
    )
    const indexOf = (place: number) => values.findIndex((value) => value.start === place)
    const areNumbers = values.map(({ isNumber }) => isNumber)
    return new LineShape(pieces, areNumbers, indexOf(idStart), indexOf(typeStart))
  }

  /** Returns the place behind a line that fits, or MISFIT (negative). `view` is of `bytes`, and there is an LF somewhere behind `start`. */
  fit(bytes: Uint8Array, view: DataView, start: number): number {
    const [values, areNumbers] = [this.starts.length, this.#areNumbers]
    let at = this.#pieceEnd(bytes, view, start, 0)
    for (let i = 0; i < values && at >= 0; i += 1) {
      const end = areNumbers[i] === 1 ? numberEnd(bytes, at) : this.#textEnd(bytes, view, at, i)
      if (end < 0) return MISFIT
      this.starts[i] = at
      this.ends[i] = end
      at = this.#pieceEnd(bytes, view, end, i + 1)
    }
    return at
  }

  #pieceEnd(bytes: Uint8Array, view: DataView, at: number, index: number): number {
    const end = at + (this.#lengths[index] as number)
    if (end > bytes.length) return MISFIT
    const [words, places, wordEnd] = [this.#words, this.#wordPlaces, this.#wordBounds[index + 1] as number]
    let word = this.#wordBounds[index] as number
    if (word === wordEnd) return isAt(bytes, at, this.#pieces[index] as Uint8Array) ? end : MISFIT
    for (; word < wordEnd; word += 1) {
      // No piece has the bytes of a zero, so that equal numbers are equal bytes; one that is no number is never equal.
      if (view.getFloat64(at + (places[word] as number), true) !== words[word]) return MISFIT
    }
    return end
  }

  /** Where a text without escapes ends that begins at `at`, behind its quote. */
  #textEnd(bytes: Uint8Array, view: DataView, at: number, index: number): number {
    const usual = at + (this.#textLengths[index] as number)
    if (bytes[usual] === QUOTE && isPlain(view, at, usual)) return usual
    let end = at
    for (let c = bytes[end] as number; c !== QUOTE; c = bytes[end] as number) {
      if (c < SPACE || c === BACKSLASH) return MISFIT
      end += 1
    }
    this.#textLengths[index] = end - at
    return end
  }
}

/** Whether a text of four bytes or more has no quote, no backslash and no control character; false for shorter ones. */
function isPlain(view: DataView, start: number, end: number): boolean {
  if (end - start < 4) return false
  // The last four may overlap those before.
  let found = oddBytes(view.getInt32(end - 4, true))
  for (let at = start; at + 4 < end; at += 4) found |= oddBytes(view.getInt32(at, true))
  return (found & 0x80808080) === 0
}

/**
 * Of four bytes: a high bit is set if, and where it is the only one only if, one of them is a quote, a backslash or a control character. The
 * first test is for bytes below 0x21, among which the change of one bit brings the quote; the second for zeros. ("Determine if a word has a byte
 * less than n", in Bit Twiddling Hacks, by Sean Eron Anderson.)
 */
function oddBytes(four: number): number {
  const belowSpace = four ^ 0x02020202
  const backslash = four ^ 0x5c5c5c5c
  return ((belowSpace - 0x21212121) & ~belowSpace) | ((backslash - 0x01010101) & ~backslash)
}

function isAt(bytes: Uint8Array, at: number, piece: Uint8Array): boolean {
  for (let i = 0; i < piece.length; i += 1) if (bytes[at + i] !== piece[i]) return false
  return true
}

/** Where in a piece its numbers of eight bytes stand: the last one overlaps where it must. None in a shorter piece. */
function wordPlaces(length: number): number[] {
  if (length < 8) return []
  const places = Array.from({ length: Math.floor(length / 8) }, (_, i) => 8 * i)
  return length % 8 === 0 ? places : [...places, length - 8]
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

interface Value {
  readonly isNumber: boolean
  /** Of a text: without its quotes. */
  readonly start: number
  readonly end: number
}

/** The texts and numbers in a line of valid JSON that are no names. */
function valuesIn(bytes: Uint8Array, start: number, end: number): Value[] {
  const values: Value[] = []
  for (let at = start; at < end; ) {
    const c = bytes[at] as number
    if (c === QUOTE) {
      const closing = closingQuote(bytes, at + 1)
      if (!isName(bytes, closing + 1)) values.push({ isNumber: false, start: at + 1, end: closing })
      at = closing + 1
    } else if (c === MINUS || (c >= ZERO && c <= NINE)) {
      values.push({ isNumber: true, start: at, end: numberEnd(bytes, at) })
      at = numberEnd(bytes, at)
    } else {
      at += 1
    }
  }
  return values
}

function closingQuote(bytes: Uint8Array, start: number): number {
  let at = start
  while (bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at
}

function isName(bytes: Uint8Array, behind: number): boolean {
  let at = behind
  while ((bytes[at] as number) <= SPACE) at += 1
  return bytes[at] === COLON
}
