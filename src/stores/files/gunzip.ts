// Compressed logs, streaming: what comes before a truncated or damaged place is given, then the break is told.
import { createGunzip, type Gunzip } from 'node:zlib'

/** The compressed data end early or are damaged; everything before that place was given. */
export class BrokenGzipError extends Error {
  override readonly name = 'BrokenGzipError'
}

/** Compressed bytes taken in at once. Deflate grows them by 1,032 at most, so this bounds what waits to be read. */
const SLICE_BYTES = 8 * 1024

/** Unpacks where the bytes are gzip: by their first two, or because the name says so. Throws BrokenGzipError while iterating. */
export async function* unpack(
  chunks: AsyncIterable<Uint8Array>,
  { isNamedGzip }: { isNamedGzip: boolean },
): AsyncGenerator<Uint8Array> {
  const rest = chunks[Symbol.asyncIterator]()
  try {
    const head = await readHead(rest)
    const all = startingWith(head, rest)
    const isGzip = isNamedGzip || (head[0] === 0x1f && head[1] === 0x8b)
    yield* isGzip ? gunzip(all) : all
  } finally {
    await rest.return?.()
  }
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
        await unpacker.write(chunk.subarray(start, start + SLICE_BYTES))
        yield* unpacker.take()
      }
    }
    await unpacker.end()
    yield* unpacker.take()
    unpacker.throwIfBroken()
  } finally {
    unpacker.destroy()
  }
}

/**
 * One gunzip, fed a slice at a time. It is not read as a stream: a stream that fails throws away what it had unpacked and nobody
 * had read yet.
 */
class Unpacker {
  readonly #gunzip: Gunzip
  #unpacked: Uint8Array[] = []
  #isEmpty = true
  #failure: Error | undefined
  #settle: () => void = () => {}

  constructor() {
    this.#gunzip = createGunzip({ chunkSize: 128 * 1024 })
    this.#gunzip.on('data', (chunk: Uint8Array) => this.#unpacked.push(chunk))
    this.#gunzip.on('error', (error) => {
      this.#failure = error
      this.#settle()
    })
  }

  write(slice: Uint8Array): Promise<void> {
    this.#isEmpty = false
    return this.#step((done) => this.#gunzip.write(slice, done))
  }

  end(): Promise<void> {
    return this.#step((done) => {
      this.#gunzip.once('end', done)
      this.#gunzip.end()
    })
  }

  /** What was unpacked and not taken yet; nothing more comes once it is broken. */
  *take(): Generator<Uint8Array> {
    const unpacked = this.#unpacked
    this.#unpacked = []
    yield* unpacked
    this.throwIfBroken()
  }

  throwIfBroken(): void {
    if (this.#failure) throw new BrokenGzipError(describe(this.#failure), { cause: this.#failure })
    if (this.#gunzip.writableFinished && this.#isEmpty) throw new BrokenGzipError(ENDS_EARLY)
  }

  destroy(): void {
    this.#gunzip.destroy()
  }

  async #step(run: (done: () => void) => void): Promise<void> {
    if (this.#failure) return
    await new Promise<void>((resolve) => {
      this.#settle = resolve
      run(() => resolve())
    })
  }
}

const ENDS_EARLY = 'the compressed data end early; what follows is missing'

function describe(error: NodeJS.ErrnoException): string {
  if (error.code === 'Z_BUF_ERROR') return ENDS_EARLY
  return `the compressed data are damaged (${error.message}); what follows is missing`
}
