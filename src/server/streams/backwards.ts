// Fields of protobuf messages, written from a buffer's end: each stands before what was written last, so that every length is known when it is
// written. All give where the field begins. There must be room: what stands in front is overwritten.
import { copyBytes } from '../../log/copy-bytes.js'

/** Up to so many characters are written by a loop, as long as they are ASCII: names are, and asking for a text's length costs more than they do. */
const LOOP_CHARACTERS_MAX = 64
const SMALL_MAX = 127
const INT32_MAX = 2 ** 31 - 1

/** The number of a field and the length of its content, which stands there already. */
export function headBefore(target: Buffer, at: number, field: number, length: number): number {
  return varintBefore(target, varintBefore(target, at, length), field)
}

export function integerBefore(target: Buffer, at: number, field: number, value: number | bigint): number {
  const start = typeof value === 'bigint' ? bigVarintBefore(target, at, value) : varintBefore(target, at, value)
  return varintBefore(target, start, field)
}

export function textBefore(target: Buffer, at: number, field: number, text: string): number {
  const start = asciiBefore(target, at, text)
  if (start >= 0) return headBefore(target, start, field, at - start)
  const length = Buffer.byteLength(text)
  target.write(text, at - length, length)
  return headBefore(target, at - length, field, length)
}

export function bytesBefore(
  target: Buffer,
  at: number,
  field: number,
  { bytes, start, end }: { readonly bytes: Uint8Array; readonly start: number; readonly end: number },
): number {
  const length = end - start
  copyBytes(bytes, start, end, target, at - length)
  return headBefore(target, at - length, field, length)
}

/** Below zero where the text is longer or holds other characters. */
function asciiBefore(target: Buffer, at: number, text: string): number {
  const { length } = text
  if (length > LOOP_CHARACTERS_MAX) return -1
  const start = at - length
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index)
    if (code > SMALL_MAX) return -1
    target[start + index] = code
  }
  return start
}

function varintBefore(target: Buffer, at: number, value: number): number {
  if (value <= SMALL_MAX) {
    target[at - 1] = value
    return at - 1
  }
  const start = at - varintLength(value)
  let [place, rest] = [start, value]
  // With shifts as soon as they are exact: dividing doubles takes several times as long.
  for (; rest > INT32_MAX; rest = Math.floor(rest / 128)) target[place++] = (rest % 128) | 128
  for (; rest > SMALL_MAX; rest >>>= 7) target[place++] = (rest & 127) | 128
  target[place] = rest
  return start
}

function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest > SMALL_MAX; rest = Math.floor(rest / 128)) length += 1
  return length
}

function bigVarintBefore(target: Buffer, at: number, value: bigint): number {
  let length = 1
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) length += 1
  let place = at - length
  let rest = value
  for (; rest > 127n; rest >>= 7n) target[place++] = Number(rest & 127n) | 128
  target[place] = Number(rest)
  return at - length
}
