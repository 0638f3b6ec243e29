// Where the bytes of one log come from: a file, or standard input.
import { accessSync, constants, createReadStream, type Stats, statSync } from 'node:fs'
import { unpack } from './gunzip.js'
import { LogFileError, logFileError } from './log-file-error.js'

/** One log. */
export interface LogSource {
  /** As it was given; `-` is standard input. */
  readonly name: string
  /** It can be read only once: standard input, a pipe. */
  readonly isOnce: boolean
  /** Its bytes from the start, unpacked. Throws LogFileError and BrokenGzipError while iterating. */
  open(): AsyncIterable<Uint8Array>
}

const CHUNK_BYTES = 256 * 1024

/** The log of this name. Throws LogFileError where it can be seen at once that it cannot be read. */
export function logSourceOf(name: string, standardInput: () => AsyncIterable<Uint8Array>): LogSource {
  if (name === '-') {
    return { name, isOnce: true, open: () => unpack(reported(name, standardInput()), { isNamedGzip: false }) }
  }
  const stats = statsOf(name)
  if (stats.isDirectory()) throw new LogFileError(name, 'cannot be read: it is a folder')
  const isNamedGzip = name.toLowerCase().endsWith('.gz')
  return {
    name,
    isOnce: !stats.isFile(),
    open: () => unpack(reported(name, createReadStream(name, { highWaterMark: CHUNK_BYTES })), { isNamedGzip }),
  }
}

function statsOf(name: string): Stats {
  try {
    accessSync(name, constants.R_OK)
    return statSync(name)
  } catch (error) {
    throw logFileError(name, 'cannot be read', error)
  }
}

async function* reported(name: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (error) {
    throw logFileError(name, 'cannot be read', error)
  }
}
