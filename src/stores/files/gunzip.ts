// Packed logs, streamed. Of a file that is cut off everything that can be unpacked is given; damage takes what was unpacked in one step
// with it.
import { createGunzip } from 'node:zlib'

/** Packed bytes of one step. Deflate makes 1,032 of one at most, so this bounds what waits to be read. */
const SLICE_BYTES = 8 * 1024

/**
 * Unpacks where the bytes are gzip, by their first two or because the file is named so; gives others as they are. Throws zlib's error
 * (its code begins with `Z_`) behind the last byte given.
 */
export async function* unpack(
  chunks: AsyncIterable<Uint8Array>,
  { isNamedGzip }: { isNamedGzip: boolean },
): AsyncGenerator<Uint8Array, void, undefined> {
  const rest = chunks[Symbol.asyncIterator]()
  try {
    const head = await readHead(rest)
    const all = startingWith(head, rest)
    yield* isNamedGzip || beginsPacked(head) ? gunzip(all) : all
  } finally {
    await rest.return?.()
  }
}

/** Whether bytes begin as gzip does. */
export function beginsPacked(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/** The first two bytes or more; fewer where there are no more. */
async function readHead(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let head: Uint8Array = new Uint8Array(0)
  while (head.length < 2) {
    const next = await chunks.next()
    if (next.done) break
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value])
  }
  return head
}

async function* startingWith(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}

async function* gunzip(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unpacker = new Unpacker()
  try {
    for await (const chunk of chunks) {
      for (let start = 0; start < chunk.length; start += SLICE_BYTES) {
        yield* await unpacker.write(chunk.subarray(start, start + SLICE_BYTES))
        unpacker.throwIfBroken()
      }
    }
    yield* await unpacker.end()
    unpacker.throwIfBroken()
  } finally {
    unpacker.destroy()
  }
}

/**
 * One gunzip, fed a slice at a time. It is not read as a stream: a stream that fails throws away what was unpacked and not read
 * yet.
 */
class Unpacker {
  readonly #gunzip = createGunzip()
  #unpacked: Uint8Array[] = []
  #failure: Error | undefined
  /** Ends the step under way. */
  #settle: () => void = () => {}

  constructor() {
    this.#gunzip.on('data', (chunk: Uint8Array) => this.#unpacked.push(chunk))
    this.#gunzip.on('end', () => this.#settle())
    this.#gunzip.on('error', (error) => {
      this.#failure = error
      this.#settle()
    })
  }

  write(slice: Uint8Array): Promise<readonly Uint8Array[]> {
    return this.#step(() => this.#gunzip.write(slice, () => this.#settle()))
  }

  end(): Promise<readonly Uint8Array[]> {
    return this.#step(() => this.#gunzip.end())
  }

  throwIfBroken(): void {
    if (this.#failure) throw this.#failure
  }

  destroy(): void {
    this.#gunzip.destroy()
  }

  /** What a step unpacks. */
  async #step(run: () => void): Promise<readonly Uint8Array[]> {
    await new Promise<void>((resolve) => {
      this.#settle = resolve
      run()
    })
    const unpacked = this.#unpacked
    this.#unpacked = []
    return unpacked
  }
}
