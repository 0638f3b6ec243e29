// Copies of few bytes, of which there are several an event.

/** Up to so many bytes a loop is quicker than the call that copies any number: what it sets up costs more than the copying. */
const LOOP_BYTES_MAX = 48

/** Copies the bytes from `start` until before `end`, and gives where the copy ends. */
export function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  const length = end - start
  if (length > LOOP_BYTES_MAX) target.set(source.subarray(start, end), at)
  else for (let index = 0; index < length; index += 1) target[at + index] = source[start + index] as number
  return at + length
}
