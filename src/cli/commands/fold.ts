// `fold`: a part of a log, as exported lines, becomes result lines; `fold --merge`: those of all parts become what one scan of the whole would print. The
// unit that a distributed engine calls as a pipe.
import type { Command } from 'commander'
import { FoldLines, LineOrderError } from '../../engine/fold-lines.js'
import { PartsError, PartsMerge } from '../../engine/fold-lines-merge.js'
import type { Projection } from '../../engine/projection.js'
import { msOfTicks, parseTicks } from '../../log/ticks.js'
import { type FileLine, parseLine } from '../../transfer/located-line.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode, UsageError } from '../exit-codes.js'
import { exitOfFound, FINDING_LAYOUT, summaryRow, toldRow } from '../finding-output.js'
import { type MemoryOptions, memoryOf, withMemoryOptions } from '../memory-option.js'
import { numberOption } from '../number-option.js'
import { FORMAT_OPTION, formatOf, makePrinter } from '../output.js'
import { escapeText, jsonLine } from '../text.js'

interface FoldCommandOptions extends MemoryOptions {
  readonly merge?: boolean
  readonly parts?: number
  readonly now?: string
  readonly projection?: string
  readonly format?: string
}

const EXAMPLES = `
Examples:
  $ makegood fold --now 2026-06-01T00:00:00Z < part-0.jsonl > part-0.result
  $ makegood fold --merge --parts 16 part-*.result`

/** Adds the command. */
export function addFold(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withMemoryOptions(program.command('fold [files...]'))
    .description('one part of a log, as exported lines, into result lines; --merge: those of all parts into findings')
    .option(
      '--now <time>',
      'what rules take for the present, RFC 3339, the same for all parts; needed but with --merge',
    )
    .option('--merge', 'read the result lines of all parts, in any order, and print what one scan of the whole would')
    .option('--parts <n>', 'with --merge: refuse unless there are so many parts', numberOption('--parts'))
    .option('--projection <name|file>', 'the name of a built-in projection, or a module made with defineProjection')
    .option(...FORMAT_OPTION)
    .addHelpText('after', EXAMPLES)
    .action((files: string[], options: FoldCommandOptions) => run(fold(files, options, context)))
}

async function fold(named: readonly string[], options: FoldCommandOptions, context: Context): Promise<ExitCode> {
  refuseMixture(options)
  const projection = await context.loadProjection(options.projection)
  const lines = context.readLines(named.length === 0 ? ['-'] : named)
  const work = options.merge ? mergeParts : foldPart
  return tellingWhy(context, work(lines, projection, options, context))
}

function refuseMixture({ merge, parts, now, format }: FoldCommandOptions): void {
  if (merge && now !== undefined) throw new UsageError('--now: with --merge the parts say what now was; leave it out')
  if (!merge && parts !== undefined) throw new UsageError('--parts goes with --merge')
  if (!merge && format !== undefined) throw new UsageError('--format goes with --merge; a part is always lines of JSON')
}

/** Throws UsageError. Not the clock, and nothing that is told by it: parts run at different moments. */
function presentOf({ now }: FoldCommandOptions): number {
  const ticks = now === undefined ? undefined : parseTicks(now)
  if (ticks !== undefined) return msOfTicks(ticks)
  throw new UsageError('--now: needed, an RFC 3339 time such as 2026-05-01T10:00:00Z, and the same for all parts')
}

/** Lines that give no result: `message` names the first that cannot be taken, where it is one. */
class StoppedError extends Error {
  constructor(
    readonly code: ExitCode,
    message: string,
  ) {
    super(message)
  }
}

/** What is not there is not covered; parts that do not belong together, or lines that do not, are a failure. */
function stoppedBy(error: unknown, place = ''): unknown {
  if (error instanceof LineOrderError) return new StoppedError(EXIT.error, `${place}${error.message}`)
  if (!(error instanceof PartsError)) return error
  return new StoppedError(error.kind === 'broken' ? EXIT.incomplete : EXIT.error, `${place}${error.message}`)
}

/** Gives each line to `take`. Throws StoppedError at the first that it refuses. */
async function takeEach(
  lines: AsyncIterable<FileLine>,
  { signal }: Context['interruption'],
  take: (line: FileLine) => void,
): Promise<void> {
  for await (const line of lines) {
    signal.throwIfAborted()
    try {
      take(line)
    } catch (error) {
      throw stoppedBy(error, `${line.file}:${line.line}: `)
    }
  }
}

async function tellingWhy({ stderr }: Context, work: Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await work
  } catch (error) {
    const stopped = stoppedBy(error)
    if (!(stopped instanceof StoppedError)) throw error
    stderr.write(`${escapeText(stopped.message)}\n`)
    return stopped.code
  }
}

async function foldPart(
  lines: AsyncIterable<FileLine>,
  projection: Projection,
  options: FoldCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const { stdout, interruption } = context
  const memory = memoryOf(options, context)
  const part = new FoldLines(projection, { now: presentOf(options), memory, signal: interruption.signal })
  try {
    await takeEach(lines, interruption, (line) => addEvent(part, line))
    for await (const result of part.results()) {
      stdout.write(`${jsonLine(result)}\n`)
      await stdout.drained()
    }
    return EXIT.clean
  } finally {
    part.close()
  }
}

/** Throws StoppedError and LineOrderError. */
function addEvent(part: FoldLines, line: FileLine): void {
  const { number, bytes } = splitNumber(line)
  const parsed = parseLine(bytes ? { ...line, kind: 'line', bytes } : line)
  if (!parsed) return
  if ('event' in parsed) part.add(parsed.event, number)
  else throw new StoppedError(EXIT.incomplete, `${line.file}:${line.line}: ${parsed.why}`)
}

const [SPACE, TAB, ZERO, NINE] = [0x20, 0x09, 0x30, 0x39]

/** The number that `cat -n` or an engine put in front of a line, with a tab behind it, and the line itself. */
function splitNumber(line: FileLine): { number?: number; bytes?: Uint8Array } {
  if (line.kind === 'broken') return {}
  const { bytes } = line
  let at = 0
  while (bytes[at] === SPACE) at += 1
  const start = at
  let number = 0
  for (let byte = bytes[at] ?? 0; byte >= ZERO && byte <= NINE; byte = bytes[at] ?? 0) {
    number = number * 10 + (byte - ZERO)
    at += 1
  }
  const isNumbered = at > start && bytes[at] === TAB && Number.isSafeInteger(number)
  return isNumbered ? { number, bytes: bytes.subarray(at + 1) } : { bytes }
}

async function mergeParts(
  lines: AsyncIterable<FileLine>,
  projection: Projection,
  options: FoldCommandOptions,
  context: Context,
): Promise<ExitCode> {
  const { stdout, interruption, clock } = context
  const begun = clock()
  const merge = new PartsMerge(projection, memoryOf(options, context))
  try {
    await takeEach(lines, interruption, (line) => addResult(merge, line))
    const { summary, needsSomebody, found } = merge.result(options.parts)
    const format = formatOf(options.format, stdout.isTerminal)
    const printer = makePrinter(format, FINDING_LAYOUT, (text) => stdout.write(text))
    for (const { finding, waitsFor } of found) {
      printer.row(toldRow(finding, waitsFor))
      await stdout.drained()
    }
    printer.finish(summaryRow({ ...summary, elapsedMs: clock() - begun }))
    return exitOfFound({ summary, needsSomebody })
  } finally {
    merge.close()
  }
}

function addResult(merge: PartsMerge, line: FileLine): void {
  if (line.kind === 'broken') throw new PartsError('broken', line.why)
  if (line.bytes.length > 0) merge.add(line.bytes)
}
