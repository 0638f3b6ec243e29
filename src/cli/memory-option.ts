// `--memory` and `--scratch`: how much a replay may hold in memory, and where it writes what does not fit.
import type { Command } from 'commander'
import type { MemoryLimit } from '../engine/partitioned-log.js'
import type { Context } from './context.js'
import { UsageError } from './exit-codes.js'

export interface MemoryOptions {
  readonly memory?: string
  readonly scratch?: string
}

/** Less than this does not hold one partition of a large log. */
const BYTES_MIN = 64 * 2 ** 20

const UNITS: Readonly<Record<string, number>> = { kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 }

/** Adds both options. */
export function withMemoryOptions(command: Command): Command {
  return command
    .option('--memory <size>', 'hold at most so much in memory, such as 512mb (default: a share of the machine)')
    .option('--scratch <dir>', "where what does not fit is written (default: the system's folder for temporary files)")
}

/** The limit that the options set. Throws UsageError. */
export function memoryOf({ memory, scratch }: MemoryOptions, context: Context): MemoryLimit {
  return {
    bytesMax: memory === undefined ? context.memoryBytesDefault : parseSize(memory),
    scratch: () => context.openScratch(scratch),
  }
}

function parseSize(text: string): number {
  const [, count, unit = ''] = /^(\d{1,12})(kb|mb|gb)$/i.exec(text) ?? []
  const bytes = Number(count) * (UNITS[unit.toLowerCase()] ?? Number.NaN)
  if (Number.isNaN(bytes)) throw new UsageError(`--memory ${text}: expected a size such as 512mb or 4gb`)
  if (bytes < BYTES_MIN) throw new UsageError(`--memory ${text}: at least ${BYTES_MIN / 2 ** 20}mb is needed`)
  return bytes
}
