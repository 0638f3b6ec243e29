// `--memory`, `--scratch` and `--workers`: how much a replay may hold in memory, where it writes what does not fit, and on how many threads it runs.
import { type Command, Option } from 'commander'
import type { MemoryLimit } from '../engine/partitioned-log.js'
import type { ReplayOptions } from '../engine/replay.js'
import type { Context } from './context.js'
import { UsageError } from './exit-codes.js'
import { numberOption } from './number-option.js'

export interface MemoryOptions {
  readonly memory?: string
  readonly scratch?: string
}

export interface WorkerOptions extends MemoryOptions {
  readonly workers?: number
}

/** Less than this does not hold one partition of a large log. */
const BYTES_MIN = 64 * 2 ** 20

/** More would only wait for the one that reads. */
const WORKERS_MAX = 256

const UNITS: Readonly<Record<string, number>> = { kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 }

/** Adds both options. */
export function withMemoryOptions(command: Command): Command {
  return command
    .option('--memory <size>', 'hold at most so much in memory, such as 512mb (default: a share of the machine)')
    .option('--scratch <dir>', "where what does not fit is written (default: the system's folder for temporary files)")
}

/** Adds all three options. */
export function withWorkerOptions(command: Command): Command {
  return withMemoryOptions(command).addOption(
    new Option('--workers <n>', 'read, fold and judge on so many threads (default: one a core)').argParser(
      numberOption('--workers', 1),
    ),
  )
}

/** What a replay may use of the machine, as the options say. Throws UsageError. */
export function resourcesOf(options: WorkerOptions, context: Context): Pick<ReplayOptions, 'memory' | 'threads'> {
  return {
    memory: memoryOf(options, context),
    // This thread is one of them.
    threads: context.threads(workersOf(options, context) - 1),
  }
}

/** On how many threads to work, this one included. Throws UsageError. */
export function workersOf({ workers }: WorkerOptions, { threadsDefault }: Context): number {
  if (workers === undefined) return Math.min(threadsDefault, WORKERS_MAX)
  if (workers > WORKERS_MAX) throw new UsageError(`--workers ${workers}: at most ${WORKERS_MAX}`)
  return workers
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
