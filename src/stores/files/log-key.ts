// The key: where a line of a log holds its transaction id.

/** A path of property names. */
export interface LogKey {
  /** As it was given, for messages. */
  readonly text: string
  readonly path: readonly [string, ...string[]]
}

/** The text given for a key is no path of names. */
export class LogKeyError extends Error {
  override readonly name = 'LogKeyError'
}

export const DEFAULT_KEY: LogKey = { text: 'transaction_id', path: ['transaction_id'] }

/** Reads `name` or `a.b.c`; a name that itself has a dot cannot be given. Throws LogKeyError. */
export function parseKey(text: string): LogKey {
  const [first, ...more] = text.split('.')
  if (!first || more.includes('')) {
    throw new LogKeyError(`Key ${JSON.stringify(text)}: expected names joined by dots, such as data.transactionId`)
  }
  return { text, path: [first, ...more] }
}
