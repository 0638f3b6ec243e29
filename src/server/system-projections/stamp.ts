// What stands in the metadata of all that a system projection writes: which projection wrote it, in which life, and for which place of the log.
import type { Position } from '../../log/position.js'

/** The lives of a projection: a reset begins another one, whose links replace those of the life before. */
export interface Life {
  /** The number of the projection. */
  readonly id: number
  /** The version at which it began; -1 where it was never reset. */
  readonly epoch: number
  /** Counts the resets, from 1. */
  readonly version: number
}

export interface Stamp {
  readonly id: number
  readonly version: number
  readonly position: Position
  readonly causedBy: string | undefined
}

/** The version of the projection system that a real 24.6 writes. */
const SYSTEM_VERSION = 4

const STAMP = /^\{"\$v":"(\d{1,9}):-?\d{1,9}:(\d{1,9}):\d+","\$c":(\d{1,19}),"\$p":(\d{1,19})[,}]/
/** No name or value of a user can look like it: in JSON text their quotes are escaped. */
const CAUSED_BY = /"\$causedBy":"([^"\\]*)"/

/** The metadata of an event, with further fields in their order. */
export function formatStamp({ id, epoch, version }: Life, { commit, prepare }: Position, fields: object = {}): Buffer {
  // Positions go beyond what JSON.stringify can write as a number.
  const head = `{"$v":"${id}:${epoch}:${version}:${SYSTEM_VERSION}","$c":${commit},"$p":${prepare}`
  const rest = JSON.stringify(fields)
  return Buffer.from(rest === '{}' ? `${head}}` : `${head},${rest.slice(1)}`)
}

/** Undefined where no system projection wrote it. */
export function parseStamp(metadata: Uint8Array): Stamp | undefined {
  const text = Buffer.from(metadata).toString('utf8')
  const match = STAMP.exec(text)
  if (!match) return undefined
  const [, id, version, commit = '', prepare = ''] = match
  return {
    id: Number(id),
    version: Number(version),
    position: { commit: BigInt(commit), prepare: BigInt(prepare) },
    causedBy: CAUSED_BY.exec(text)?.[1],
  }
}
