// Composition: standard output and standard error as the commands see them. A reader that went away (`| head`) is no failure of theirs; who must
// write everything can ask.
import { once } from 'node:events'
import type { WriteStream } from 'node:tty'
import type { Context } from './cli/context.js'
import { FileError } from './cli/files.js'

export class OutputStream {
  readonly isTerminal: boolean
  readonly #stream: WriteStream
  /** Node takes back what the stream says of itself after such a failure. */
  #isClosed = false

  constructor(stream: WriteStream) {
    this.#stream = stream
    this.isTerminal = stream.isTTY ?? false
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      this.#isClosed = true
    })
  }

  readonly write = (text: string): void => void this.#stream.write(text)

  /** See Context. Throws FileError. */
  readonly drained: Context['stdout']['drained'] = async () => {
    if (this.#stream.writableNeedDrain && !this.#isClosed) await once(this.#stream, 'drain').catch(() => {})
    if (this.#isClosed) throw new FileError('the output was closed before everything was written')
  }
}
