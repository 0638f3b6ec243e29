// Writes a group's checkpoints: one at a time, and of those that are due meanwhile only the last.
import type { CheckpointStream } from './checkpoint-stream.js'
import type { Remainder } from './progress.js'

export class Checkpoints {
  readonly #stream: CheckpointStream
  readonly #onError: (error: unknown) => void
  #lastSaved: string | undefined
  #due: Remainder | undefined
  #writing: Promise<void> | undefined

  constructor(
    stream: CheckpointStream,
    { lastSaved, onError }: { lastSaved: string | undefined; onError: (error: unknown) => void },
  ) {
    this.#stream = stream
    this.#lastSaved = lastSaved
    this.#onError = onError
  }

  /** The place of the last checkpoint in the log; undefined where there is none. */
  get lastSaved(): string | undefined {
    return this.#lastSaved
  }

  save(left: Remainder): void {
    this.#due = left
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
  }

  /** Resolves when nothing is due any more. */
  async written(): Promise<void> {
    await this.#writing
  }

  async delete(): Promise<void> {
    await this.#stream.delete()
  }

  /** What cannot be written is not tried again: later checkpoints cover it. */
  async #write(): Promise<void> {
    for (let left = this.#due; left; left = this.#due) {
      this.#due = undefined
      try {
        if (await this.#stream.save(left)) this.#lastSaved = left.place
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}
