// Positions: the place of an event in the log of all streams.

/** Place in `$all`. Both parts are kept: events of one transaction share a commit on older servers, so commit alone can lose one. */
export interface Position {
  readonly commit: bigint
  readonly prepare: bigint
}

/** Negative where a is before b, 0 where equal, positive where after. */
export function comparePositions(a: Position, b: Position): number {
  if (a.commit !== b.commit) return a.commit < b.commit ? -1 : 1
  if (a.prepare !== b.prepare) return a.prepare < b.prepare ? -1 : 1
  return 0
}

/** `commit/prepare`, in decimal. */
export function formatPosition(position: Position): string {
  return `${position.commit}/${position.prepare}`
}

/** The inverse of {@link formatPosition}; undefined where the text is no position. */
export function parsePosition(text: string): Position | undefined {
  const match = /^(\d{1,19})\/(\d{1,19})$/.exec(text)
  return match ? { commit: BigInt(match[1] as string), prepare: BigInt(match[2] as string) } : undefined
}
